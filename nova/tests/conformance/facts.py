"""What the Compute API is: every route with its versions, codes, rules and the keys of query, body and answer.

``compute.yaml`` is a table of facts. Of a field it says ``type`` (several are separated by ``|``), ``req``
(true: always there, in requests mandatory within its parent; alt: mandatory in one of several shapes),
``since`` and ``until``; it has a list of these where a field changed over versions. A path ``a.b[].c`` is key c
of the elements of list b of object a; a part ``*`` or in braces stands for any key.
"""

import dataclasses
import functools
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from nova.common.microversion import V

HERE = pathlib.Path(__file__).parent
MIN, MAX = V('2.1'), V('2.104')

ALWAYS, ALT, MAYBE = '!', '?', ''


@dataclasses.dataclass(frozen=True)
class Spec:
    """A field in some versions.

    Attributes:
        types: what its value may be: str, int, num, bool, obj, arr, null, any, links, and others.
        mark: ALWAYS, ALT or MAYBE there.
    """

    types: tuple[str, ...]
    mark: str
    since: V
    until: V
    enum: tuple[Any, ...] = ()

    def holds(self, version: V) -> bool:
        return self.since <= version <= self.until


Table = Mapping[str, tuple[Spec, ...]]


@dataclasses.dataclass(frozen=True)
class Route:
    """One route, or one action of a route.

    Attributes:
        ok: pairs of the versions in which it may answer with a code, and the code.
        errors: further codes of its own.
        policy: names of rules, the main one first.
        strict: from here on unknown query keys are refused.
        gone: it answers 410 at every version.
        alias: the route of which it is another address.
    """

    method: str
    path: str
    action: str | None
    since: V
    until: V
    level: str
    ok: tuple[tuple[V, V, int], ...]
    errors: frozenset[int]
    policy: tuple[str, ...]
    strict: V
    gone: bool
    query: Table | None
    body: Table | None
    resp: Table | None
    alias: str | None = None

    @property
    def name(self) -> str:
        return f'{self.method} {self.path}' + (f' {self.action}' if self.action else '')

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What it is known by, whatever the fields of its path are called."""
        return self.method, re.sub('{[^}]*}', '{}', self.path), self.action

    def holds(self, version: V) -> bool:
        return self.since <= version <= self.until

    def codes(self, version: V) -> set[int]:
        """The codes of success."""
        return {code for first, last, code in self.ok if first <= version <= last}

    def points(self) -> list[V]:
        """The microversions at which something about it changes, ascending, the first it has among them."""
        found = {self.since, self.strict}
        for first, last, _ in self.ok:
            found |= {first, last.next()}
        for table in (self.query, self.body, self.resp):
            for specs in (table or {}).values():
                for spec in specs:
                    found |= {spec.since, spec.until.next()}
        return sorted(point for point in found if self.holds(point))


@dataclasses.dataclass(frozen=True)
class Facts:
    """`roles` says of each rule who has it by default."""

    routes: tuple[Route, ...]
    roles: Mapping[str, str]


def at(table: Table | None, version: V) -> dict[str, Spec]:
    """The fields of a version, by path."""
    return {path: spec for path, specs in (table or {}).items() for spec in specs if spec.holds(version)}


def free(path: str) -> bool:
    """Whether some part of the path stands for any key."""
    return '*' in path or '{' in path


def _spec(said: Mapping[str, Any]) -> Spec:
    required = said.get('req')
    enum = tuple(said.get('enum', ())) + tuple(said.get('or', ()) if isinstance(said.get('or'), list) else ())
    return Spec(tuple(str(said.get('type', 'any')).split('|')),
                ALT if required == 'alt' else ALWAYS if required else MAYBE,
                V(said.get('since', '2.1')), V(said.get('until', str(MAX))), enum)


def _table(said: Any, kind: str, by_name: Mapping[str, Any]) -> Table | None:
    if said is None:
        return None
    if 'same_as' in said:
        whole = dict(by_name[said['same_as']][kind])
        whole.update({path: value for path, value in said.items() if path != 'same_as'})
        return _table(whole, kind, by_name)
    return {path: tuple(map(_spec, value if isinstance(value, list) else [value]))
            for path, value in said.items()}


def _codes(said: Any) -> Iterator[tuple[V, V, int]]:
    for code in said:
        if isinstance(code, int):
            yield MIN, MAX, code
        else:
            yield V(code.get('since', '2.1')), V(code.get('until', str(MAX))), code['code']


def _named(said: Mapping[str, Any]) -> str:
    return said['op'] + (f' {said["action"]}' if said.get('action') else '')


def _route(said: Mapping[str, Any], by_name: Mapping[str, Any]) -> Route:
    alias = said.get('alias_of')
    own = {name: said[name] for name in ('op', 'action', 'since', 'until', 'level') if name in said}
    if alias:
        said = {**by_name[alias], **own}
    method, _, path = said['op'].partition(' ')
    tables = {kind: _table(said.get(kind), kind, by_name) for kind in ('query', 'body', 'resp')}
    errors = said.get('errors', {})
    return Route(method, path, said.get('action'), V(said.get('since', '2.1')), V(said.get('until', str(MAX))),
                 said['level'], tuple(_codes(said['ok'])), frozenset(errors), tuple(said.get('policy', ())),
                 V(said.get('strict_query', '2.102')), not said['ok'], alias=alias, **tables)


@functools.cache
def load() -> Facts:
    said = yaml.safe_load((HERE / 'compute.yaml').read_text())
    by_name = {_named(route): route for route in said['routes']}
    return Facts(tuple(_route(route, by_name) for route in said['routes']),
                 {name: rule['role'] for name, rule in said['policies'].items()})


@functools.cache
def missing() -> Mapping[str, int]:
    """What is known not to be served yet, other addresses of it included: route to the issue that brings it."""
    said = yaml.safe_load((HERE / 'missing.yaml').read_text()) or {}
    found = {name: issue for issue, names in said.items() for name in names}
    return found | {route.name: found[route.alias] for route in load().routes if route.alias in found}
