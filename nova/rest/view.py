"""A face of a document at a microversion, as a render plan: which keys, read how, shown to whom."""

import functools
from collections.abc import Callable

from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.policies.base import Rule
from nova.rest.field import ABSENT, Document, Field, Get, Span
from nova.rest.types import Kind

Render = Callable[[object, object], JsonObject]
"""``render(subject, look)`` answers the JSON object of one subject."""

Can = Callable[[Rule], bool]


def _reader(field: Field, span: Span, face: str, version: V) -> Get:
    get = span.get or field.get
    if get is None:
        name = field.attribute or field.name

        def get(subject: object, look: object) -> object:
            return getattr(subject, name)
    return get


class Plan:
    """What a view reads. `needs` names the relations that a listing must have at hand."""

    needs: frozenset[str]

    def __init__(self, document: type[Document], face: str, version: V) -> None:
        self._getters: list[tuple[str, Get, Rule | None, Plan | None, bool]] = []
        needs: set[str] = set()
        for field, span in document.members(face, version):
            inner, many = _inside(field.type_at(span), face, version)
            self._getters.append((field.key, _reader(field, span, face, version), field.rule, inner, many))
            needs |= field.needs | span.needs | (inner.needs if inner else frozenset())
        self.needs = frozenset(needs)

    def bind(self, can: Can) -> Render:
        """Ask every field's rule once, and answer a function that renders any number of subjects."""
        getters = []
        for key, get, rule, inner, many in self._getters:
            if rule is not None and not can(rule):
                continue
            getters.append((key, _nest(get, inner.bind(can), many) if inner else get))

        def render(subject: object, look: object) -> JsonObject:
            shown = {}
            for key, get in getters:
                value = get(subject, look)
                if value is not ABSENT:
                    shown[key] = value
            return shown
        return render


def _inside(kind: Kind, face: str, version: V) -> tuple[Plan | None, bool]:
    """The plan of a document, of an array of documents, or of a document or something else, that is a field's
    type."""
    many = False
    match kind:
        case {'anyOf': [*parts]}:
            kinds = parts
        case {'type': 'array', 'items': item}:
            kinds, many = [item], True
        case _:
            kinds = [kind]
    inner = next((one for one in kinds if isinstance(one, type) and issubclass(one, Document)), None)
    return (plan(inner, face, version), many) if inner is not None else (None, False)


def _nest(get: Get, render: Render, many: bool) -> Get:
    def one(subject: object, look: object) -> object:
        value = get(subject, look)
        return value if value is None or value is ABSENT else render(value, look)

    def each(subject: object, look: object) -> object:
        value = get(subject, look)
        return value if value is None or value is ABSENT else [render(item, look) for item in value]
    return each if many else one


@functools.cache
def _plan(document: type[Document], face: str, version: V) -> Plan:
    return Plan(document, face, version)


def plan(document: type[Document], face: str, version: V) -> Plan:
    """The render plan of `face` at `version`."""
    return _plan(document, face, document.pin(face, version))  # type: ignore[arg-type]  # a class is hashable
