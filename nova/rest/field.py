"""One line a field: where a field appears, from which microversion to which, and as what.

A `Document` is a class of `Field` declarations. A *face* is one use of it: ``create`` and ``update`` are
request bodies, ``query`` the query string, ``show`` and ``list`` views. From the faces of its fields a document
derives its JSON schema (`nova.rest.schema`), its render plan and prefetch set (`nova.rest.view`) and its part
of the OpenAPI document, each compiled once per *turning point*, the microversions at which anything about a
face changes.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Union

from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.policies.base import Rule
from nova.rest.types import Kind, Type

FIRST = V('2.1')

Get = Callable[[Any, Any], Any]  # type: ignore[explicit-any]  # of whatever the view shows
"""``get(subject, look)`` answers a field's value, or `ABSENT`; `look` is what the handler passes along."""

Keep = Callable[[str], object]
"""``keep(value)`` answers what a subject keeps of the text that a request has."""

REQUEST_FACES = frozenset({'body', 'create', 'update', 'rebuild', 'query'})


class Absent:
    """The value of a field that a view leaves out."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return 'ABSENT'


ABSENT = Absent()


class Span:
    """Microversions `since` to `until`, both included, in which a face has a field, and as what type.

    Args:
        type: replaces the field's own type.
        get: replaces the field's own getter.
        needs: relations to prefetch, beside the field's own.
        required: requests must carry the field, even where others need not.
    """

    __slots__ = ('get', 'needs', 'required', 'since', 'type', 'until')

    def __init__(self, since: str = '2.1', until: str | None = None, type: Kind | None = None,
                 get: Get | None = None, needs: tuple[str, ...] = (), required: bool = False) -> None:
        self.since = V(since)
        self.until = V(until) if until else None
        self.type = type
        self.get = get
        self.needs = frozenset(needs)
        self.required = required

    def holds(self, version: V) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def edges(self) -> Iterator[V]:
        """The microversions at which something changes because of this span."""
        yield self.since
        if self.until is not None:
            yield self.until.next()


Faces = dict[str, Any]  # type: ignore[explicit-any]  # mypy compares each value with every argument
"""Faces that several fields have, to be passed as ``**FACES``; each value is a `Face`."""
Face = Union[str, Span, Iterable[Span]]  # noqa: UP007  str | type[...] reads worse in the signature below


class Field:
    """A member of a document.

    Args:
        type: a JSON schema (see `nova.rest.types`), which may contain `Document` classes.
        doc: a sentence for the API reference.
        key: the name on the wire; the attribute's name when absent.
        attribute: what the subject calls it, for views, and for requests that set it (`Document.set_by`).
        keep: what the subject keeps of a value that a request sets; the value itself when absent.
        get: reads the value in views; by default that is the `attribute`, else one of the field's own name.
        required: whether requests must carry it, or the names of the faces in which they must.
        needs: relations that a listing has to prefetch when a view shows the field.
        rule: shown only to those whom this policy rule allows; asked once a request.
        maybe: the getter may answer `ABSENT`.
        faces: face name to the first microversion, a `Span`, or several.
    """

    def __init__(self, type: Kind | None = None, doc: str = '', *, key: str | None = None,
                 attribute: str | None = None, keep: Keep | None = None, get: Get | None = None,
                 required: bool | tuple[str, ...] = False, needs: tuple[str, ...] = (),
                 rule: Rule | None = None, maybe: bool = False, **faces: Face) -> None:
        self.type: Kind = {} if type is None else type
        self.doc = doc
        self.key = key or ''
        self.attribute = attribute
        self.keep = keep
        self.get = get
        self.name = ''
        self.required = required
        self.needs = frozenset(needs)
        self.rule = rule
        self.maybe = maybe
        self.faces = {face: self._spans(value) for face, value in faces.items()}

    @staticmethod
    def _spans(value: Face) -> tuple[Span, ...]:
        if isinstance(value, str):
            return (Span(value),)
        return (value,) if isinstance(value, Span) else tuple(value)

    def __set_name__(self, owner: type, name: str) -> None:
        self.bind(name)

    def bind(self, name: str) -> 'Field':
        """Give the field its name, and what follows from it."""
        self.name = name
        self.key = self.key or name
        return self

    def at(self, face: str, version: V) -> Span | None:
        """The span in which `face` has this field at `version`."""
        for span in self.faces.get(face, ()):
            if span.holds(version):
                return span
        return None

    def type_at(self, span: Span) -> Kind:
        return self.type if span.type is None else span.type

    def must(self, face: str, span: Span) -> bool:
        """Whether a request of this face has to carry the field."""
        return span.required or self.required is True or (bool(self.required) and face in self.required)  # type: ignore[operator]


class Document:
    """Base of every request and response document; see the module."""

    fields: ClassVar[Mapping[str, Field]] = {}
    others: ClassVar[bool | Type] = False
    """What keys without a declaration must be: False refuses them, True or a schema lets them in."""
    whole: ClassVar[Kind | None] = None
    """A type instead of fields, for bodies whose keys are the user's."""
    limits: ClassVar[Type] = {}
    """Keywords added to the schema of request faces, such as minProperties."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        found: dict[str, Field] = {}
        for base in reversed(cls.__mro__):
            found.update((name, value) for name, value in vars(base).items() if isinstance(value, Field))
        cls.fields = found
        keys = [(field.key, face, span.since) for field in found.values()
                for face, spans in field.faces.items() for span in spans]
        if len(keys) != len(set(keys)):
            raise ValueError(f'{cls.__name__} declares a key twice')

    @classmethod
    @functools.cache
    def turning_points(cls, face: str) -> tuple[V, ...]:
        """Microversions, ascending, at which this face or a document inside it changes."""
        points = {FIRST}
        for field in cls.fields.values():
            for span in field.faces.get(face, ()):
                points.update(span.edges())
                for inner in documents(field.type_at(span)):
                    points.update(inner.turning_points(face))
        return tuple(sorted(points))

    @classmethod
    def pin(cls, face: str, version: V) -> V:
        """The turning point that decides what `face` is at `version`."""
        return max(point for point in cls.turning_points(face) if point <= version)

    @classmethod
    def members(cls, face: str, version: V) -> list[tuple[Field, Span]]:
        """The fields that `face` has at `version`, in the order of declaration."""
        return [(field, span) for field in cls.fields.values()
                if (span := field.at(face, version)) is not None]

    @classmethod
    def set_by(cls, face: str, asked: JsonObject) -> JsonObject:
        """What a request sets on its subject, by attribute: of the fields that name one."""
        return {field.attribute: field.keep(asked[field.key]) if field.keep else asked[field.key]
                for field in cls.fields.values()
                if field.attribute is not None and face in field.faces and field.key in asked}


def documents(schema: object) -> Iterator[type[Document]]:
    """Every document class inside a type."""
    if isinstance(schema, type) and issubclass(schema, Document):
        yield schema
    elif isinstance(schema, Mapping):
        for value in schema.values():
            yield from documents(value)
    elif isinstance(schema, (list, tuple)):
        for value in schema:
            yield from documents(value)


def document(name: str, fields: Mapping[str, Field]) -> type[Document]:
    """A document made on the fly, for bodies too small to be worth a class."""
    return type(name, (Document,), {key: field.bind(key) for key, field in fields.items()})
