"""Asks every route at every turning point, as everybody, and says what does not fit the facts."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

import httpx

from nova.common.microversion import V
from nova.tests.conformance import facts, people, shapes
from nova.tests.conformance.samples import SAMPLES, Ask
from nova.tests.conformance.world import NOBODY, Unready, World

SERVED, WRONG, MISSING = 'served', 'wrong', 'missing'

MAY = {'admin': {people.ADMIN}, 'manager': {people.ADMIN}, 'service': {people.ADMIN},
       'member': {people.ADMIN, people.MEMBER}, 'reader': {people.ADMIN, people.MEMBER, people.READER},
       'owner-user': set(people.EVERYBODY), 'any': set(people.EVERYBODY), 'nobody': set()}
"""Who has a role of the facts, about things of the walk's project."""

_UNKNOWN = 'conformance_unknown'


@dataclasses.dataclass
class Verdict:
    """What was found of a route.

    Attributes:
        versions: at how many microversions it was asked.
        problems: a line each.
    """

    route: facts.Route
    state: str
    versions: int = 0
    problems: list[str] = dataclasses.field(default_factory=list)


class Walk:
    """One walk through a cloud.

    Args:
        newest: asks at the newest microversion of each route only, and not everybody: for a look.
    """

    def __init__(self, world: World, newest: bool = False) -> None:
        self._world, self._newest = world, newest
        self._roles = facts.load().roles

    def routes(self, routes: Iterable[facts.Route], told: Callable[[Verdict], object] = lambda verdict: None
               ) -> list[Verdict]:
        found = []
        for route in routes:
            found.append(self.route(route))
            told(found[-1])
        return found

    def route(self, route: facts.Route) -> Verdict:
        if not self._routed(route):
            return Verdict(route, MISSING)
        verdict = Verdict(route, SERVED)
        try:
            for line in self._gone(route) if route.gone else self._live(route, verdict):
                verdict.problems.append(line)
        except Unready as error:
            verdict.problems.append(f'not to be tried: {error}')
        if verdict.problems:
            verdict.state = WRONG
        return verdict

    # Whether it is there at all

    def _routed(self, route: facts.Route) -> bool:
        path = re.sub('{[^}]*}', NOBODY, route.path)
        body = {route.action: None} if route.action else {} if route.method in ('POST', 'PUT') else None
        answer = self._world.admin.compute(route.method, path, str(route.since), body)
        if answer.status_code == 404 and 'json' not in answer.headers.get('Content-Type', ''):
            return False
        return not (route.action and answer.status_code == 400 and 'no such action' in answer.text.lower())

    def _gone(self, route: facts.Route) -> Iterator[str]:
        path = re.sub('{[^}]*}', NOBODY, route.path)
        for version in (facts.MIN, facts.MAX):
            body = {route.action: None} if route.action else {} if route.method in ('POST', 'PUT') else None
            code = self._world.admin.compute(route.method, path, str(version), body).status_code
            if code != 410:
                yield f'{version}: {code} is not 410'

    # A route that lives

    def _live(self, route: facts.Route, verdict: Verdict) -> Iterator[str]:
        yield from self._outside(route)
        if route.name not in SAMPLES:
            yield 'nobody wrote how to ask it (samples.py)'
            return
        points = route.points()
        if self._newest:
            points = points[-1:]
        for version in points:
            verdict.versions += 1
            yield from (f'{version}: {line}' for line in self._at(route, version))
        if not self._newest:
            yield from (f'{points[-1]}: {line}' for line in self._everybody(route, points[-1]))

    def _outside(self, route: facts.Route) -> Iterator[str]:
        outside = []
        if route.since > facts.MIN:
            outside.append(V(f'2.{route.since[1] - 1}'))
        if route.until < facts.MAX:
            outside.append(route.until.next())
        path = re.sub('{[^}]*}', NOBODY, route.path)
        body = {route.action: None} if route.action else {} if route.method in ('POST', 'PUT') else None
        for version in outside:
            code = self._world.admin.compute(route.method, path, str(version), body).status_code
            if code != 404:
                yield f'{version}: {code} is not 404, although it lives from {route.since} to {route.until}'

    def _ask(self, route: facts.Route, version: V) -> Ask:
        return SAMPLES[route.name](self._world, version)

    def _send(self, route: facts.Route, version: V, ask: Ask, who: str = people.ADMIN, body: Any = None,
              query: str = '') -> httpx.Response:
        fields = iter(ask.fields)
        path = re.sub('{[^}]*}', lambda match: next(fields), route.path)
        joined = '&'.join(filter(None, (ask.query, query)))
        return self._world.people.of[who].compute(
            route.method, path + (f'?{joined}' if joined else ''), str(version),
            ask.body if body is None else body)

    def _at(self, route: facts.Route, version: V) -> Iterator[str]:
        ask = self._ask(route, version)
        yield from self._refusals(route, version, ask)
        answer = self._send(route, version, ask)
        yield from self._fits(route, version, answer, ask.expect)
        if answer.status_code < 300 and ask.after is not None:
            ask.after(_body(answer))

    def _fits(self, route: facts.Route, version: V, answer: httpx.Response,
              expect: Set[int]) -> Iterator[str]:
        wanted = route.codes(version)
        if answer.status_code in expect:
            return
        if answer.status_code not in wanted:
            if answer.status_code != 501 or 501 not in route.errors:
                yield f'{answer.status_code} is not {_some(wanted)}: {answer.text[:160]}'
            return
        body = _body(answer)
        if route.resp is None or not facts.at(route.resp, version):
            if body not in (None, {}) and answer.status_code in (202, 204) and route.action:
                yield f'an answer without need: {answer.text[:80]}'
            return
        yield from shapes.misfits(body, route.resp, version)

    def _refusals(self, route: facts.Route, version: V, ask: Ask) -> Iterator[str]:
        """What has to be refused, and so has no effect."""
        for what, body in _odd_bodies(route, version, ask.body):
            code = self._send(route, version, ask, body=body).status_code
            if code != 400:
                yield f'{what}: {code} is not 400'
        versions = route.path == '/' or route.path.startswith('/versions')
        if version >= route.strict and not route.action and not versions:
            code = self._send(route, version, ask, query=f'{_UNKNOWN}=1').status_code
            if code != 400:
                yield f'an unknown query key: {code} is not 400'

    def _everybody(self, route: facts.Route, version: V) -> Iterator[str]:
        role = self._roles[route.policy[0]] if route.policy else 'any'
        ask = self._ask(route, version)
        role = ask.role or role
        for who in (people.STRANGER, people.READER, people.MEMBER):
            stranger = who == people.STRANGER
            may = not ask.ours and people.MEMBER in MAY[role] if stranger else who in MAY[role]
            answer = self._send(route, version, ask, who)
            if may:
                yield from (f'as {who}: {line}' for line in self._fits(route, version, answer, ask.expect))
                if answer.status_code < 300:
                    if ask.after is not None:
                        ask.after(_body(answer))
                    ask = self._ask(route, version)
            elif answer.status_code not in ((403, 404) if stranger else (403,)):
                yield f'as {who}: {answer.status_code} is not 403'


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except json.JSONDecodeError:
        return answer.text


def _some(codes: set[int]) -> str:
    return ' or '.join(map(str, sorted(codes)))


def _odd_bodies(route: facts.Route, version: V, body: Any) -> Iterator[tuple[str, Any]]:
    """``(what is wrong, body)`` of bodies that the facts do not allow."""
    table = facts.at(route.body, version)
    if not isinstance(body, dict) or not table:
        return
    top = {path for path in table if len(shapes.parts(path)) == 1}
    if top and not any(map(facts.free, top)):
        yield 'an unknown key beside the body\'s', {**body, _UNKNOWN: 1}
    for key, inner in body.items():
        known = {shapes.parts(path)[1] for path in table if shapes.parts(path)[0] == key and len(
            shapes.parts(path)) > 1}
        if not isinstance(inner, dict) or not known or any(map(facts.free, known)):
            continue
        if f'{key}.*' not in table:
            yield f'an unknown key in {key}', {**body, key: {**inner, _UNKNOWN: 1}}
        for name in known & set(inner):
            spec = table.get(f'{key}.{name}')
            if spec is not None and spec.mark == facts.ALWAYS:
                yield f'no {key}.{name}', {**body, key: {other: value for other, value in inner.items()
                                                         if other != name}}
