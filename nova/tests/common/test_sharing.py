"""Answers that are shared: who gets which, and when the next one is begun."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nova import errors
from nova.common import sharing
from nova.tests.fixtures.waiting import until


class Making:
    """Answers that are made when the test says so; each is a number."""

    def __init__(self) -> None:
        self.begun, self.gates = 0, [threading.Event() for _ in range(5)]
        self.error: Exception | None = None

    def __call__(self) -> list[int]:
        number = self.begun
        self.begun += 1
        assert self.gates[number].wait(60)
        if self.error is not None:
            raise self.error
        return [number]


@pytest.fixture
def shared() -> sharing.Shared[list[int]]:
    return sharing.Shared[list[int]](rests=True)


@pytest.fixture
def ask(shared: sharing.Shared[list[int]]) -> Iterator[Callable[..., list[Any]]]:
    """Has somebody ask in a thread of its own; gives the list that the answer will be in."""
    threads = list[threading.Thread]()

    def start(make: Callable[[], list[int]], key: str = 'k') -> list[Any]:
        found = list[Any]()

        def work() -> None:
            try:
                found.append(shared.ask(key, make))
            except errors.NovaError as error:
                found.append(error)
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return found
    yield start
    for one in threads:
        one.join(60)


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which it rested."""
    found = list[float]()
    monkeypatch.setattr(sharing.threads, 'sleep', found.append)
    return found


def test_nobody_gets_an_answer_that_was_begun_before_he_came(ask: Callable[..., list[Any]]) -> None:
    """Who comes while one is made waits for the next; all who wait share that."""
    make = Making()
    first = ask(make)
    until(lambda: make.begun == 1)
    later = [ask(make) for _ in range(4)]
    make.gates[0].set()
    until(lambda: make.begun == 2)
    last = ask(make)
    make.gates[1].set()
    make.gates[2].set()
    until(lambda: all([first, last, *later]))
    assert first[0] is not later[0][0] and last[0] is not later[0][0]
    assert all(each[0] is later[0][0] for each in later) and make.begun == 3


def test_who_asks_something_else_waits_for_nobody(ask: Callable[..., list[Any]]) -> None:
    slow, quick = Making(), Making()
    quick.gates[0].set()
    waits = ask(slow, 'a')
    until(lambda: slow.begun == 1)
    found = ask(quick, 'b')
    until(lambda: bool(found))
    assert not waits
    slow.gates[0].set()


def test_a_failure_is_everybodys(ask: Callable[..., list[Any]]) -> None:
    make = Making()
    first = ask(make)
    until(lambda: make.begun == 1)
    later = [ask(make) for _ in range(2)]
    make.error = errors.placement.PlacementAway()
    for gate in make.gates:
        gate.set()
    until(lambda: all([first, *later]))
    assert make.begun == 2 and all(each[0] is make.error for each in [first, *later])


@pytest.mark.parametrize('many', [2, sharing.CROWD])
def test_only_after_an_answer_for_a_crowd_is_there_a_rest(
        ask: Callable[..., list[Any]], shared: Any, rests: list[float], many: int) -> None:
    """A few who ask at the same time wait no longer for it."""
    make = Making()
    first = ask(make)
    until(lambda: make.begun == 1)
    crowd = [ask(make) for _ in range(many)]
    until(lambda: 'k' in shared._next and shared._next['k'].sharers == many)
    make.gates[0].set()
    until(lambda: make.begun == 2)
    last = ask(make)
    until(lambda: 'k' in shared._next)
    make.gates[1].set()
    make.gates[2].set()
    until(lambda: all([first, last, *crowd]))
    assert len(rests) == (many == sharing.CROWD) and all(0 < one <= sharing.REST for one in rests)


def test_who_has_waited_long_asks_by_himself() -> None:
    shared, hangs, gate = sharing.Shared[str](0.05), threading.Event(), threading.Event()

    def hang() -> str:
        hangs.set()
        assert gate.wait(60)
        return 'late'
    thread = threading.Thread(target=shared.ask, args=('k', hang))
    thread.start()
    assert hangs.wait(60)
    assert shared.ask('k', lambda: 'mine') == 'mine'
    gate.set()
    thread.join(60)
