"""Two requests at once end as one of the two orders would have had them end.

On SQLite nothing comes between the statements of a writer, so these run where something does.
"""

import contextlib
import dataclasses
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from nova.common import dbkit
from nova.placement import direct
from nova.tests.fixtures import databases, placement

pytestmark = pytest.mark.real

HOST, TRAIT, CLASS, CONSUMER = str(uuid.uuid4()), 'CUSTOM_FAST', 'CUSTOM_GPU', str(uuid.uuid4())
AT = f'/resource_providers/{HOST}'


@pytest.fixture(params=['mysql', 'postgresql'])
def kind(request: pytest.FixtureRequest) -> str:
    """The kinds of database whose writers do not wait for the end of one another."""
    return str(request.param)


@dataclasses.dataclass
class Pair:
    """Two workers on one database."""

    first: direct.Client
    second: direct.Client
    db: dbkit.Database

    @contextlib.contextmanager
    def second_comes(self, before: str, do: Callable[[direct.Client], direct.Response]
                     ) -> Iterator[list[int]]:
        """Have the second worker serve a request just before the first one first sends a statement.

        Args:
            before: how the statement begins.

        Yields:
            the second's status, once it was there.
        """
        answered: list[int] = []
        waiting = [do]

        def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            if waiting and statement.startswith(before):
                answered.append(waiting.pop()(self.second).status_code)
        sa.event.listen(self.db.engine, 'before_cursor_execute', note)
        try:
            yield answered
        finally:
            sa.event.remove(self.db.engine, 'before_cursor_execute', note)


@pytest.fixture
def pair(lend: databases.Lend) -> Iterator[Pair]:
    url = lend('placement')
    (app, db), (other, other_db) = placement.make_app(url), placement.make_app(url)
    made = Pair(direct.Client(app), direct.Client(other), db)
    for path in (f'/traits/{TRAIT}', f'/resource_classes/{CLASS}'):
        assert made.first.put(path).status_code == 201
    assert made.first.post('/resource_providers', json={'name': 'host', 'uuid': HOST}).status_code == 200
    assert made.second.get('/traits').status_code == 200, 'it has started'
    yield made
    db.dispose()
    other_db.dispose()


@dataclasses.dataclass(frozen=True)
class Race:
    """The first request, the statement before which the second is served, and how both end."""

    first: tuple[str, str, Any]
    before: str
    second: tuple[str, str, Any]
    ends: tuple[int, int]
    detail: str = ''


_GPUS = {'resource_provider_generation': 0, 'inventories': {CLASS: {'total': 1}}}
_GPU = {'resource_class': CLASS, 'total': 1}
_TRAITS = {'resource_provider_generation': 0, 'traits': [TRAIT]}
_NO_CLASS, _NO_TRAIT = ('DELETE', f'/resource_classes/{CLASS}', None), ('DELETE', f'/traits/{TRAIT}', None)

RACES = {
    'traits that go': Race(
        ('PUT', f'{AT}/traits', _TRAITS), 'INSERT INTO resource_provider_traits', _NO_TRAIT, (400, 204), TRAIT),
    'a trait that is taken': Race(
        _NO_TRAIT, 'DELETE FROM traits', ('PUT', f'{AT}/traits', _TRAITS), (409, 200), 'in use'),
    'an inventory whose class goes': Race(
        ('POST', f'{AT}/inventories', _GPU), 'INSERT INTO inventories', _NO_CLASS, (400, 204), CLASS),
    'inventories whose class goes': Race(
        ('PUT', f'{AT}/inventories', _GPUS), 'INSERT INTO inventories', _NO_CLASS, (400, 204), CLASS),
    'a reshape whose class goes': Race(
        ('POST', '/reshaper', {'inventories': {HOST: _GPUS}, 'allocations': {}}),
        'INSERT INTO inventories', _NO_CLASS, (400, 204), CLASS),
    'a class that is taken': Race(
        _NO_CLASS, 'DELETE FROM resource_classes', ('PUT', f'{AT}/inventories', _GPUS), (409, 200), 'in use'),
    'a provider of that name': Race(
        ('POST', '/resource_providers', {'name': 'taken'}), 'INSERT INTO resource_providers',
        ('POST', '/resource_providers', {'name': 'taken'}), (409, 200), 'taken'),
}


def _send(client: direct.Client, request: tuple[str, str, Any]) -> direct.Response:
    method, path, body = request
    return client.request(method, path, json=body)


@pytest.mark.parametrize('race', RACES.values(), ids=RACES)
def test_the_loser_is_told_what_the_order_would_have_told_him(race: Race, pair: Pair) -> None:
    with pair.second_comes(race.before, lambda client: _send(client, race.second)) as second:
        answer = _send(pair.first, race.first)
    assert (answer.status_code, *second) == race.ends, answer.text
    assert race.detail in answer.text


def _inventory(client: direct.Client) -> None:
    assert client.put(f'{AT}/inventories', json=_GPUS).status_code == 200


def _drop(client: direct.Client) -> direct.Response:
    assert client.delete(f'{AT}/inventories').status_code == 204
    return _send(client, _NO_CLASS)


@pytest.mark.parametrize('what', ['inventories', 'usages', f'inventories/{CLASS}'])
def test_a_class_that_goes_between_reading_amounts_and_names_is_left_out(what: str, pair: Pair) -> None:
    path = f'{AT}/{what}'
    _inventory(pair.first)
    with pair.second_comes('SELECT names_version.version', _drop) as second:
        answer = pair.first.get(path)
    assert second == [204]
    assert answer.status_code == (404 if path.endswith(CLASS) else 200), answer.text
    assert answer.status_code == 404 or CLASS not in answer.text


def test_allocations_of_a_class_that_goes_are_left_out(pair: Pair) -> None:
    _inventory(pair.first)
    claim = {'allocations': {HOST: {'resources': {CLASS: 1}}}, 'project_id': 'p', 'user_id': 'u',
             'consumer_generation': None, 'consumer_type': 'INSTANCE'}

    def drop(client: direct.Client) -> direct.Response:
        assert client.delete(f'/allocations/{CONSUMER}').status_code == 204
        return _drop(client)
    assert pair.first.put(f'/allocations/{CONSUMER}', json=claim).status_code == 204
    for path in (f'/allocations/{CONSUMER}', f'{AT}/allocations', '/usages?project_id=p'):
        with pair.second_comes('SELECT names_version.version', drop) as second:
            answer = pair.first.get(path)
        assert (answer.status_code, second) == (200, [204]), answer.text
        assert CLASS not in answer.text
        pair.first.put(f'/resource_classes/{CLASS}')
        generation = pair.first.get(AT).json()['generation']
        pair.first.put(f'{AT}/inventories', json={**_GPUS, 'resource_provider_generation': generation})
        assert pair.first.put(f'/allocations/{CONSUMER}', json=claim).status_code == 204
