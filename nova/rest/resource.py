"""One declaration an operation: route, versions, rule, body, query, codes and handler.

A `Resource` is a class whose methods are declared with `get`, `post`, `put` and `delete`::

    class Flavors(Resource):

        @get('/flavors/{flavor_id}', rule=SHOW, returns=One('flavor', Flavor))
        def show(self, req, flavor_id):
            return req.flavor(flavor_id)

Handlers get the request and the path's fields. What they return is rendered by `returns`: a subject for `One`,
a list or a `Page` for `Many`; a `Reply` also sets status, headers or the `look`; None is an empty body.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Self, TypedDict, TypeVar, Unpack

from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.policies.base import Rule
from nova.rest import legacy, schema, types, view
from nova.rest.field import FIRST, Document, Field, Span, document

Handler = TypeVar('Handler', bound=Callable)
T = TypeVar('T')

STRICT = V('2.102')
"""From here on every route refuses unknown query keys."""


class Body:
    """What a request's body must be.

    Args:
        of: a document or another type; or give its `fields` by keyword (face ``body``, from 2.1 unless they
        say). face: the document's face. under: the single key that envelops it; an action's key when it belongs
        to an action. null: null is as good as an empty object. since: before this microversion anything goes.
    """

    def __init__(self, of: types.Kind | None = None, *, face: str = 'body', under: str | None = None,
                 null: bool = False, since: str = '2.1', **fields: Field) -> None:
        for field in fields.values():
            field.faces = field.faces or {'body': (Span('2.1'),)}
        self.of = of if of is not None else document('Body', fields)
        self.face = face
        self.under = under
        self.null = null
        self.since = V(since)

    def document(self, key: str | None = None) -> type[Document]:
        """The whole body as one document; `key` is an action's envelope."""
        under = key or self.under
        if under is None:
            if isinstance(self.of, type) and issubclass(self.of, Document):
                return self.of
            return type('Body', (Document,), {'whole': self.of})
        kind = {'anyOf': [self.of, {'type': 'null'}]} if self.null else self.of
        spans = [Span(str(self.since), type=kind)]
        if self.since > FIRST:
            last = V(f'{self.since[0]}.{self.since[1] - 1}')
            spans.insert(0, Span('2.1', str(last), type={}))
        content = Field(key=under, required=True)
        content.faces = {self.face: tuple(spans)}
        return document('Body', {'content': content})


@dataclasses.dataclass(frozen=True)
class One:
    """Renders one subject, under `key` when there is one."""

    key: str | None
    document: type[Document]
    face: str = 'show'


@dataclasses.dataclass(frozen=True)
class Many:
    """Renders a list under `key`, with ``<key>_links`` when another page follows."""

    key: str
    document: type[Document]
    face: str = 'list'
    links: str | None = None
    """Where the link to the next page goes, when not under ``<key>_links``."""


Returns = One | Many | types.Type
"""How an answer is rendered; a bare schema is of answers that handlers make themselves."""


@dataclasses.dataclass
class Page(Generic[T]):
    """Some items of a collection.

    Attributes:
        marker: the last item's, when there are more.
        look: passed to the view's getters instead of the request.
        stubs: further items, of which only this much is known.
    """

    items: Sequence[T]
    marker: str | None = None
    look: object = None
    stubs: Sequence[Mapping[str, object]] = ()

    @classmethod
    def of(cls, found: Sequence[T], limit: int, mark: Callable[[T], str | None]) -> Self:
        """The first `limit` of what was found, and the mark of the last of them when there is more."""
        items = found[:limit]
        return cls(items, marker=mark(items[-1]) if items and len(found) > limit else None)


@dataclasses.dataclass
class Reply:
    """What a handler answers when it has more to say than a subject.

    `body` is sent as it is; `subject` is rendered by the operation's `returns`; `stream` is sent part by part,
    as its headers say.
    """

    body: object = None
    subject: object = None
    status: int | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    look: object = None
    stream: Iterable[bytes] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path (or one action key) over a range of microversions.

    Attributes:
        rule: asked before the handler; about the server when the path has one, else about the caller's project.
        rules: further rules that the handler or a view asks.
        ok: success code, or first microversion -> code.
        also: another success code with the same answer, which the handler chooses.
        strict: first microversion that refuses unknown query keys.
        action: the body's single key, for operations that share ``.../action``.
        returns: how the handler's answer is rendered.
        server: the handler is given the server (an `Instance`) found from ``{server_id}``.
        deleted: first microversion at which that server may be a deleted one.
        loads: relations of the server that the handler reads, beside those that the answer shows.
        once: a request with an ``Idempotency-Key`` is done once, however often it comes.
    """

    method: str
    path: str
    handler: Callable
    rule: Rule | None = None
    rules: tuple[Rule, ...] = ()
    since: V = FIRST
    until: V | None = None
    body: type[Document] | None = None
    face: str = 'body'
    query: type[Document] | None = None
    strict: V = STRICT
    ok: int | Mapping[str, int] = 200
    also: int | None = None
    action: str | None = None
    returns: Returns | None = None
    server: bool = False
    deleted: V | None = None
    loads: tuple[str, ...] = ()
    once: bool = False
    name: str = ''
    doc: str = ''

    def holds(self, version: V) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)

    def status(self, version: V) -> int:
        if isinstance(self.ok, int):
            return self.ok
        return max((V(first), code) for first, code in self.ok.items() if V(first) <= version)[1]

    def needs(self, version: V) -> frozenset[str]:
        """The relations that the answer shows."""
        if not isinstance(self.returns, (One, Many)):
            return frozenset(self.loads)
        return view.plan(self.returns.document, self.returns.face, version).needs | set(self.loads)

    def turning_points(self) -> Iterator[V]:
        """Microversions at which the route itself or one of its documents changes."""
        yield self.since
        if self.until is not None:
            yield self.until.next()
        if not isinstance(self.ok, int):
            yield from map(V, self.ok)
        if self.body is not None:
            yield from self.body.turning_points(self.face)
        if self.query is not None:
            yield from self.query.turning_points('query')
            yield self.strict
        if isinstance(self.returns, (One, Many)):
            yield from self.returns.document.turning_points(self.returns.face)

    def check_body(self, value: object, version: V, relaxed: bool = False) -> JsonObject:
        """The body, accepted (under `relaxed` without its unknown keys and the blanks around names).

        Raises:
            jsonschema.Invalid: it does not fit.
        """
        assert self.body is not None
        if relaxed:
            value = legacy.trim(value, schema.of(self.body, self.face, version))
        schema.validator(self.body, self.face, version, relaxed).check(value)
        assert isinstance(value, dict), f'{self.name} takes no object'
        return legacy.prune(value, schema.of(self.body, self.face, version)) if relaxed else value


class Kept(TypedDict, total=False):
    """What a declaration says as `Operation` has it."""

    rule: Rule | None
    rules: tuple[Rule, ...]
    query: type[Document] | None
    ok: int | Mapping[str, int]
    also: int | None
    returns: Returns | None
    loads: tuple[str, ...]
    once: bool


class Declared(Kept, total=False):
    """What a declaration may say; see `Operation`. Microversions are text, the body is a `Body`."""

    since: str
    until: str | None
    strict: str | None
    body: Body | None
    action: str | None
    deleted: str | None
    server: bool
    name: str


def operation(method: str, path: str, **declared: Unpack[Declared]) -> Callable[[Handler], Handler]:
    """Declare a handler; the arguments are those of `make`."""
    def declare(handler: Handler) -> Handler:
        handler.__dict__.setdefault('operations', []).append(make(method, path, handler, **declared))
        return handler
    return declare


def make(method: str, path: str, handler: Callable, *, since: str = '2.1', until: str | None = None,
         strict: str | None = None, body: Body | None = None, action: str | None = None,
         deleted: str | None = None, server: bool = True, name: str = '', **kept: Unpack[Kept]) -> Operation:
    """An operation, from microversions as text and a `Body`."""
    return Operation(
        method=method, path=path, handler=handler, since=V(since), until=V(until) if until else None,
        strict=V(strict) if strict else STRICT, action=action,
        deleted=V(deleted) if deleted else None,
        body=body.document(action) if body else None, face=body.face if body else 'body',
        server=server and '{server_id}' in path, name=name or handler.__qualname__,
        doc=inspect.getdoc(handler) or '', **kept)


def get(path: str, **declared: Unpack[Declared]) -> Callable[[Handler], Handler]:
    return operation('GET', path, **declared)


def post(path: str, **declared: Unpack[Declared]) -> Callable[[Handler], Handler]:
    return operation('POST', path, **declared)


def put(path: str, **declared: Unpack[Declared]) -> Callable[[Handler], Handler]:
    return operation('PUT', path, **declared)


def delete(path: str, **declared: Unpack[Declared]) -> Callable[[Handler], Handler]:
    return operation('DELETE', path, **declared)


class Resource:
    """Base of the classes whose methods are operations; see the module."""

    def operations(self) -> Iterator[Operation]:
        """This resource's operations, their handlers bound."""
        for name, _ in inspect.getmembers(type(self), lambda member: hasattr(member, 'operations')):
            handler = getattr(self, name)
            for made in handler.operations:
                yield dataclasses.replace(made, handler=handler)
