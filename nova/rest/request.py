"""What handlers are handed: who asks, at which microversion, for what."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TypedDict

import falcon

from nova.common import microversion, problem
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.context import RequestContext
from nova.policies import enforcer
from nova.policies.base import Rule
from nova.rest import urls, view
from nova.rest.field import Document
from nova.rest.resource import Many, Operation


class Query(Mapping[str, str]):
    """A query string: the last value by name, all of them by `all`."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        self.values_of = values

    def __getitem__(self, name: str) -> str:
        return self.values_of[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)

    def all(self, name: str) -> list[str]:
        return self.values_of.get(name, [])


class Asked(TypedDict):
    """What a request is made of."""

    context: RequestContext
    version: V
    operation: Operation
    links: urls.Links
    path: str
    enforcer: enforcer.Enforcer
    body: JsonObject | None
    query: Query


class Request:
    """One request, past version, validation and authentication.

    Attributes:
        context: the caller.
        version: the negotiated microversion.
        body: the validated body; for an action, what is under its key. Null, and no body, are an empty object.
        query: the validated query.
    """

    max_limit = 1000

    def __init__(self, *, context: RequestContext, version: V, operation: Operation, links: urls.Links,
                 path: str, enforcer: enforcer.Enforcer, body: JsonObject | None = None,
                 query: Query | None = None) -> None:
        self.context = context
        self.version = version
        self.operation = operation
        self.links = links
        self.path = path
        self.enforcer = enforcer
        self.body = body if body is not None else {}
        self.query = query if query is not None else Query({})
        self._asked: dict[tuple[str, object], bool] = {}

    def serve(self, run: Callable[[], None], resp: falcon.Response) -> None:
        """Have `run` handle the request and write the answer; a service may know the answer already."""
        run()

    def at(self, version: str) -> bool:
        """Whether the request is made at this microversion or a newer one."""
        return self.version >= _parsed(version)

    def can(self, rule: Rule, target: Mapping[str, object] | None = None) -> bool:
        """Whether policy allows `rule` about `target`, by default the caller's project; asked once."""
        about = self.own if target is None else target
        key = (rule.name, tuple(sorted(about.items())))
        if key not in self._asked:
            self._asked[key] = self.enforcer.can(self.context, rule, about)
        return self._asked[key]

    def authorize(self, rule: Rule, target: Mapping[str, object] | None = None) -> None:
        """Go on only if policy allows it.

        Raises:
            Forbidden: it does not.
        """
        if not self.can(rule, target):
            raise problem.Forbidden(f"Policy doesn't allow {rule.name} to be performed.")

    @property
    def project_id(self) -> str:
        """The caller's project.

        Raises:
            Forbidden: his token is of none.
        """
        if self.context.project_id is None:
            raise problem.Forbidden('This needs a token of a project.')
        return self.context.project_id

    @property
    def user_id(self) -> str:
        """The caller.

        Raises:
            Forbidden: his token says of no user.
        """
        if self.context.user_id is None:
            raise problem.Forbidden('This needs a token of a user.')
        return self.context.user_id

    @functools.cached_property
    def own(self) -> dict[str, object]:
        """The policy target that is the caller himself."""
        return {'project_id': self.context.project_id, 'user_id': self.context.user_id}

    @property
    def needs(self) -> frozenset[str]:
        """The relations that this request's answer shows: what to prefetch."""
        return self.operation.needs(self.version)

    def renderer(self, document: type[Document], face: str) -> view.Render:
        """The render function of a view at this request's version, its rules asked."""
        return view.plan(document, face, self.version).bind(self.can)

    def render(self, document: type[Document], face: str, subject: object, look: object = None) -> JsonObject:
        return self.renderer(document, face)(subject, self if look is None else look)

    def paging(self) -> tuple[int, str | None]:
        """How a list is asked for: the most items of a page, and what is before it.

        The limit is the service's own where none is given or a greater one; 0 is an empty page. An empty marker
        is none. Of several the last counts, unless the operation's query refuses more than one.
        """
        limit = min(int(self.query.get('limit', self.max_limit)), self.max_limit)
        return limit, self.query.get('marker') or None

    def next_link(self, marker: str) -> list[dict[str, str]]:
        return self.links.next(self.path, self.query.values_of, marker)

    def links_key(self, many: Many) -> str:
        return many.links or f'{many.key}_links'


@functools.cache
def _parsed(version: str) -> V:
    return microversion.V(version)
