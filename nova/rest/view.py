"""A face of a document at a microversion, as a render plan: which keys, read how, shown to whom."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from nova.common.microversion import V
from nova.rest.field import ABSENT, Document, Field, Get, Span

Render = Callable[[Any, Any], dict[str, Any]]
"""``render(subject, look)`` answers the JSON object of one subject."""

Can = Callable[[Any], bool]


def _reader(field: Field, span: Span, face: str, version: V) -> Get:
    get = span.get or field.get
    if get is None:
        name = field.name

        def get(subject: Any, look: Any) -> Any:
            return getattr(subject, name)
    return get


class Plan:
    """What a view reads. `needs` names the relations that a listing must have at hand."""

    needs: frozenset[str]

    def __init__(self, document: type[Document], face: str, version: V) -> None:
        self._getters: list[tuple[str, Get, Any, Plan | None, bool]] = []
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

        def render(subject: Any, look: Any) -> dict[str, Any]:
            shown = {}
            for key, get in getters:
                value = get(subject, look)
                if value is not ABSENT:
                    shown[key] = value
            return shown
        return render


def _inside(kind: Any, face: str, version: V) -> tuple[Plan | None, bool]:
    """The plan of a document, of an array of documents, or of a document or something else, that is a field's
    type."""
    for part in kind.get('anyOf', ()) if isinstance(kind, Mapping) else ():
        if isinstance(part, type) and issubclass(part, Document):
            return plan(part, face, version), False
    many = isinstance(kind, Mapping) and kind.get('type') == 'array'
    item = kind.get('items') if many else kind
    if isinstance(item, type) and issubclass(item, Document):
        return plan(item, face, version), many
    return None, False


def _nest(get: Get, render: Render, many: bool) -> Get:
    def one(subject: Any, look: Any) -> Any:
        value = get(subject, look)
        return value if value is None or value is ABSENT else render(value, look)

    def each(subject: Any, look: Any) -> Any:
        value = get(subject, look)
        return value if value is None or value is ABSENT else [render(item, look) for item in value]
    return each if many else one


@functools.cache
def _plan(document: type[Document], face: str, version: V) -> Plan:
    return Plan(document, face, version)


def plan(document: type[Document], face: str, version: V) -> Plan:
    """The render plan of `face` at `version`."""
    return _plan(document, face, document.pin(face, version))  # type: ignore[arg-type]  # a class is hashable
