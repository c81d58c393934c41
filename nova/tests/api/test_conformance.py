"""Every route that is served against what the API is: versions, codes, rules and roles, and the keys of query,
body and answer at each microversion where either of the two changes."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from nova.api import app
from nova.common.microversion import V
from nova.policies import base
from nova.rest import schema, types
from nova.rest.resource import Many, One, Operation
from nova.schema import history
from nova.tests.conformance import facts
from nova.tests.conformance.facts import Route

FACTS = facts.load()
ROLES = {'admin': base.ADMIN, 'manager': base.PROJECT_MANAGER_OR_ADMIN, 'member': base.PROJECT_MEMBER_OR_ADMIN,
         'reader': base.PROJECT_READER_OR_ADMIN, 'service': base.SERVICE, 'owner-user': base.OWNER_USER,
         'any': base.ANY, 'nobody': base.NOBODY}


@functools.cache
def served() -> dict[tuple[str, str, str | None], list[Operation]]:
    found: dict[tuple[str, str, str | None], list[Operation]] = {}
    for operation in app.operations():
        path = re.sub('{[^}]*}', '{}', operation.path)
        found.setdefault((operation.method, path, operation.action), []).append(operation)
    return found


def operation_of(route: Route) -> Operation:
    only, = served()[route.key]
    return only


STUBS_ONLY = dict.fromkeys(('GET /servers', 'GET /os-volumes_boot'), {'servers[].status'})
"""Keys that only what is known of unreachable servers has."""
WRITTEN_BY_HAND = {'GET /', 'GET /versions/{id}'}
"""Documents of versions are no operations; the walk of `nova.tests.conformance` reads them."""


def at(table: facts.Table | None, version: V) -> dict[str, str]:
    """Path to mark of the fields at a version; free-form keys are left out."""
    return {path: spec.mark for path, spec in facts.at(table, version).items()
            if not facts.free(path) and path != '$'}


def points(route: Route, operation: Operation) -> list[V]:
    found = {*route.points(), *operation.turning_points()}
    return sorted(point for point in found if route.holds(point))


def flat(kind: Any, path: str = '') -> Iterator[tuple[str, bool]]:
    """``(path, required)`` of every key that a schema declares; links are leaves."""
    if kind in (types.LINKS, types.LINK):
        return
    for part in (*kind.get('anyOf', ()), *kind.get('oneOf', ())):
        yield from flat(part, path)
    if kind.get('type') == 'array' or 'items' in kind:
        yield from flat(kind['items'], f'{path}[]')
    for name, inner in kind.get('properties', {}).items():
        yield f'{path}.{name}' if path else name, name in kind.get('required', ())
        yield from flat(inner, f'{path}.{name}' if path else name)


def keys(table: dict[str, str]) -> set[str]:
    """Paths of keys: list elements themselves are none."""
    return {path for path in table if not path.endswith('[]')}


def differences(ours: set[str], theirs: set[str]) -> str:
    return f'only here {sorted(ours - theirs)}, missing {sorted(theirs - ours)}'


LIVE = [route for route in FACTS.routes if not route.gone and route.name not in facts.missing()
        and route.name not in WRITTEN_BY_HAND]


def name(route: Route) -> str:
    return route.name


def test_what_is_missing_is_recorded() -> None:
    """API-S3, and what came after: who serves a route takes it off ``conformance/missing.yaml``."""
    absent = {route.name for route in FACTS.routes if route.key not in served()} - WRITTEN_BY_HAND
    assert absent == set(facts.missing())


OURS = {('POST', '/os-scheduling-preview', None), ('GET', '/servers/{}/tasks', None),
        ('GET', '/servers/{}/tasks/{}', None), ('GET', '/events', None), ('GET', '/os-capabilities', None),
        ('GET', '/os-capabilities/flavors/{}', None), ('GET', '/os-capabilities/image-properties', None),
        ('GET', '/os-capabilities/image-properties/{}', None), ('GET', '/os-capabilities/extra-specs', None),
        ('POST', '/os-capabilities/validate', None)}
"""Routes that other clouds do not have."""


def test_nothing_else_is_served() -> None:
    assert set(served()) - OURS <= {route.key for route in FACTS.routes}


@pytest.mark.parametrize('route', LIVE, ids=name)
def test_versions_codes_and_rules(route: Route) -> None:
    operation = operation_of(route)
    assert operation.since == route.since
    assert (operation.until or facts.MAX) == route.until
    for version in points(route, operation):
        assert operation.status(version) in route.codes(version), version
    asked = {rule.name for rule in (operation.rule, *operation.rules) if rule}
    assert asked == set(route.policy)
    if operation.query is not None:
        assert operation.strict == route.strict


@pytest.mark.parametrize('route', [route for route in LIVE if route.query is not None], ids=name)
def test_query_keys(route: Route) -> None:
    operation = operation_of(route)
    assert operation.query is not None
    for version in points(route, operation):
        ours = set(schema.of(operation.query, 'query', version)['properties'])
        theirs = set(at(route.query, version))
        assert ours == theirs, f'{version}: {differences(ours, theirs)}'


@pytest.mark.parametrize('route', [route for route in LIVE if route.body is not None], ids=name)
def test_body_keys(route: Route) -> None:
    operation = operation_of(route)
    assert operation.body is not None
    for version in points(route, operation):
        ours = dict(flat(schema.of(operation.body, operation.face, version)))
        theirs = at(route.body, version)
        if not theirs:
            continue  # anything goes
        assert set(ours) == keys(theirs), f'{version}: {differences(set(ours), keys(theirs))}'
        needed = {path for path in keys(theirs) if theirs[path] == '!'}
        required = {path for path, must in ours.items() if must}
        assert required == needed, f'{version} required: {differences(required, needed)}'


def lets_in(kind: Any, path: str = '') -> Iterator[str]:
    """Paths of objects that take keys without a declaration although they declare some."""
    if 'properties' in kind and kind.get('additionalProperties') is not False:
        yield path
    for part in kind.get('anyOf', ()):
        yield from lets_in(part, path)
    if 'items' in kind:
        yield from lets_in(kind['items'], f'{path}[]')
    for key, inner in kind.get('properties', {}).items():
        yield from lets_in(inner, f'{path}.{key}' if path else key)


@pytest.mark.parametrize('route', [route for route in LIVE if route.body is not None], ids=name)
def test_unknown_keys_are_refused(route: Route) -> None:
    operation = operation_of(route)
    assert operation.body is not None
    for version in points(route, operation):
        loose = set(lets_in(schema.of(operation.body, operation.face, version)))
        assert loose <= {'os:scheduler_hints', 'OS-SCH-HNT:scheduler_hints'}, version


@pytest.mark.parametrize('route', [route for route in LIVE if route.resp is not None and isinstance(
    operation_of(route).returns, (One, Many))], ids=name)
def test_answer_keys(route: Route) -> None:
    operation = operation_of(route)
    returns = operation.returns
    for version in points(route, operation):
        shown = schema.of(returns.document, returns.face, version)
        whole = {'properties': {returns.key: {'type': 'array', 'items': shown} if isinstance(returns, Many)
                                else shown}} if returns.key else shown
        ours = set(dict(flat(whole)))
        links = {f'{returns.key}_links', 'links'} if isinstance(returns, Many) else set()
        marks = at(route.resp, version)
        theirs = keys(marks) - links
        theirs -= {path for path in theirs if any(path.startswith(f'{free}.') for free in free_form(whole))}
        needed = {path for path in theirs if marks[path]} - STUBS_ONLY.get(name(route), set())
        assert needed <= ours <= theirs, f'{version}: {differences(ours, theirs)}'


def free_form(kind: Any, path: str = '') -> Iterator[str]:
    """Paths of objects whose keys are the handler's: conversations prove those."""
    if kind.get('type') == 'object' and 'properties' not in kind and kind != types.EMPTY:
        yield path
    for part in kind.get('anyOf', ()):
        yield from free_form(part, path)
    if 'items' in kind:
        yield from free_form(kind['items'], f'{path}[]')
    for key, inner in kind.get('properties', {}).items():
        yield from free_form(inner, f'{path}.{key}' if path else key)


@pytest.mark.parametrize('rule', sorted(FACTS.roles))
def test_roles(rule: str) -> None:
    declared = {one.name: one for one in app.rules()}
    if rule in declared:
        assert declared[rule].check == ROLES[FACTS.roles[rule]]


@pytest.mark.parametrize('route', [route for route in FACTS.routes if route.gone], ids=name)
def test_gone(route: Route) -> None:
    assert operation_of(route).since == history.MIN
