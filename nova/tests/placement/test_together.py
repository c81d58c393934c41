"""Claims that come at once: one transaction, and nobody pays for another's mistake (CLM-*)."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from nova.common import clock
from nova.placement import direct, errors
from nova.placement.db import transaction
from nova.placement.objects import together
from nova.tests.fixtures import databases, placement
from nova.tests.fixtures.waiting import PATIENCE, until


class Writes:
    """A writer whose first write takes as long as the test wants."""

    def __init__(self, fails: Callable[[Sequence[str]], Exception | None] = lambda changes: None) -> None:
        self.lots: list[list[str]] = []
        self.alone: list[str] = []
        self.go_on = threading.Event()
        self._fails = fails
        self.together = together.Together[str](self._lot, self._one)

    def _lot(self, changes: Sequence[str]) -> None:
        self.lots.append(sorted(changes))
        error = self._fails(changes)
        if error is not None:
            raise error

    def _one(self, change: str) -> None:
        self.alone.append(change)
        if change == 'first':
            assert self.go_on.wait(10)
        if change.startswith('wrong'):
            raise errors.BadRequest(change)


class Clients:
    """Each write of one test runs in a thread of its own."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes
        self.ends: dict[str, str] = {}
        self._threads: list[threading.Thread] = []

    def begin(self, change: str, key: str | None = None) -> None:
        def write() -> None:
            try:
                self._writes.together(key or change, change)
            except (errors.BadRequest, ConnectionError) as error:
                self.ends[change] = type(error).__name__
            else:
                self.ends[change] = 'written'
        thread = threading.Thread(target=write)
        self._threads.append(thread)
        thread.start()

    def wait_in_line(self, number: int) -> None:
        until(lambda: self._writes.together.waiting == number)

    def line_up(self, changes: Sequence[str], keys: dict[str, str] | None = None) -> None:
        """While a first one is being written, others come one after the other."""
        self.begin('first')
        until(lambda: self._writes.alone == ['first'])
        for number, change in enumerate(changes, 1):
            self.begin(change, (keys or {}).get(change))
            self.wait_in_line(number)

    def finish(self) -> dict[str, str]:
        self._writes.go_on.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        return self.ends


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(together, 'PATIENCE', 10)
    yield


def _played(writes: Writes, changes: Sequence[str], keys: dict[str, str] | None = None) -> dict[str, str]:
    clients = Clients(writes)
    clients.line_up(changes, keys)
    return clients.finish()


def test_who_comes_alone_is_written_alone() -> None:
    writes = Writes()
    writes.together('a', 'a')
    writes.together('b', 'b')
    assert (writes.alone, writes.lots) == (['a', 'b'], [])


def test_who_waits_is_written_in_one_lot() -> None:
    writes = Writes()
    assert set(_played(writes, ['b', 'c', 'd']).values()) == {'written'}
    assert (writes.alone, writes.lots) == (['first'], [['b', 'c', 'd']])


@pytest.mark.parametrize('refusal', [errors.BadRequest('no'), transaction.Lost()])
def test_nobody_is_refused_for_what_another_asked(refusal: Exception) -> None:
    writes = Writes(lambda changes: refusal)
    ends = _played(writes, ['b', 'wrong', 'd'])
    assert ends == {'first': 'written', 'b': 'written', 'wrong': 'BadRequest', 'd': 'written'}
    assert sorted(writes.alone) == ['b', 'd', 'first', 'wrong']


def test_a_commit_that_was_not_answered_is_told_to_all() -> None:
    """What may have been written is not written again."""
    writes = Writes(lambda changes: ConnectionError())
    ends = _played(writes, ['b', 'c'])
    assert ends == {'first': 'written', 'b': 'ConnectionError', 'c': 'ConnectionError'}
    assert writes.alone == ['first']


def test_a_mistake_of_one_who_is_alone_is_told_to_him() -> None:
    writes = Writes()
    with pytest.raises(errors.BadRequest):
        writes.together('wrong', 'wrong')
    writes.together('b', 'b')


def test_changes_of_the_same_are_never_in_one_lot() -> None:
    writes = Writes()
    _played(writes, ['b', 'c', 'b again'], {'b again': 'b'})
    assert writes.lots == [['b', 'c']]
    assert writes.alone == ['first', 'b again']


def test_a_lot_has_a_size() -> None:
    writes = Writes()
    names = [f'{number:03}' for number in range(together.MOST + 3)]
    assert set(_played(writes, names).values()) == {'written'}
    assert [len(lot) for lot in writes.lots] == [together.MOST, 3]


def test_who_has_waited_for_long_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lot that hangs holds up nobody else."""
    monkeypatch.setattr(together, 'PATIENCE', 0.01)
    writes = Writes()
    clients = Clients(writes)
    clients.begin('first')
    until(lambda: writes.alone == ['first'])
    clients.begin('b')
    until(lambda: clients.ends.get('b') == 'written')
    assert clients.finish() == {'first': 'written', 'b': 'written'}


class Wall:
    """A clock that a test sets."""

    now = 0.0

    def timestamp(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Iterator[Wall]:
    """The clock of a test."""
    found = Wall()
    with clock.use(found):
        yield found


def _after_a_long_write(writes: Writes, clients: Clients, wall: Wall) -> None:
    """Two wait in line while a write takes ten seconds; then it ends."""
    clients.line_up(['b', 'c'])
    wall.now = 10.0
    writes.go_on.set()
    until(lambda: 'first' in clients.ends)


def test_a_lot_waits_for_those_who_asked_last_time(monkeypatch: pytest.MonkeyPatch, wall: Wall) -> None:
    """Three were there, and three are written together (CLM-*)."""
    monkeypatch.setattr(together, 'LINGER', 10.0)
    writes = Writes()
    clients = Clients(writes)
    _after_a_long_write(writes, clients, wall)
    assert not writes.lots
    clients.begin('first again')
    clients.finish()
    assert writes.lots == [['b', 'c', 'first again']]


def test_a_lot_waits_no_longer_than_the_last_one_took(monkeypatch: pytest.MonkeyPatch, wall: Wall) -> None:
    monkeypatch.setattr(together, 'LINGER', 10.0)
    writes = Writes()
    clients = Clients(writes)
    clients.line_up(['b', 'c'])
    wall.now = 0.01
    assert set(clients.finish().values()) == {'written'}
    assert writes.lots == [['b', 'c']]


def test_a_lot_never_waits_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch, wall: Wall) -> None:
    monkeypatch.setattr(together, 'LINGER', 0.01)
    writes = Writes()
    clients = Clients(writes)
    _after_a_long_write(writes, clients, wall)
    assert set(clients.finish().values()) == {'written'}
    assert writes.lots == [['b', 'c']]


def test_who_comes_later_does_not_wait_for_those_of_before(monkeypatch: pytest.MonkeyPatch, wall: Wall) -> None:
    monkeypatch.setattr(together, 'LINGER', 60.0)
    writes = Writes()
    clients = Clients(writes)
    _after_a_long_write(writes, clients, wall)
    clients.begin('first again')
    clients.finish()
    wall.now += 0.001
    writes.together('d', 'd')
    assert writes.alone == ['first', 'd']


def _provider(client: direct.Client, total: int) -> str:
    one = str(uuid.uuid4())
    assert client.post('/resource_providers', json={'name': one, 'uuid': one}).status_code == 200
    assert client.put(f'/resource_providers/{one}/inventories', json={
        'resource_provider_generation': 0, 'inventories': {'VCPU': {'total': total}}}).status_code == 200
    return one


def test_claims_for_one_place_get_what_there_is(lend: databases.Lend) -> None:
    """Sixteen clients at once and room for five, in whichever lots they come: five have it (CLM-*)."""
    app, _ = placement.make_app(lend('placement'))
    one = _provider(direct.Client(app), 5)
    codes: list[int] = []
    together_at = threading.Barrier(16)

    def claim() -> None:
        client = direct.Client(app)
        body: dict[str, Any] = {
            'allocations': {one: {'resources': {'VCPU': 1}}}, 'project_id': 'p', 'user_id': 'u',
            'consumer_type': 'INSTANCE', 'consumer_generation': None}
        together_at.wait(10)
        codes.append(client.put(f'/allocations/{uuid.uuid4()}', json=body).status_code)
    threads = [threading.Thread(target=claim) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(codes) == [204] * 5 + [409] * 11
