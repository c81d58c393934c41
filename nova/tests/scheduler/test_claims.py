"""Claims of different requests go together, and none is refused, or fails, because of another one."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from nova import errors
from nova.clients import protocols
from nova.scheduler import claims
from nova.tests.fixtures.waiting import until

WAY = {'allocations': {'node': {'resources': {'VCPU': 1}}}}
CLAIM = protocols.Claim(WAY, 'project', 'user')


class Placement:
    """Notes what is written, and says what becomes of it; the first write waits for the test."""

    def __init__(self) -> None:
        self.alone, self.together = list[str](), list[list[str]]()
        self.begun, self.gate = threading.Event(), threading.Event()
        self.outcome: bool | Exception = True

    def first(self, consumer: str) -> bool:
        self.alone.append(consumer)
        self.begun.set()
        assert self.gate.wait(60)
        return True

    def claim_each(self, wanted: Mapping[str, protocols.Claim]) -> bool:
        assert all(one is CLAIM for one in wanted.values())
        self.together.append(sorted(wanted))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def placement() -> Placement:
    return Placement()


@pytest.fixture
def made() -> dict[str, Any]:
    """What each claim was answered."""
    return {}


@pytest.fixture
def make(placement: Any, made: dict[str, Any]) -> Iterator[Callable[..., None]]:
    """Makes a claim in a thread of its own, amid the first one of all."""
    ours, threads = claims.Claims(placement), list[threading.Thread]()

    def start(consumer: str, alone: Callable[[], bool]) -> None:
        def work() -> None:
            try:
                made[consumer] = ours.make(consumer, CLAIM, alone)
            except errors.NovaError as error:
                made[consumer] = error
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    def several(alone: Callable[[str], bool], *consumers: str) -> None:
        start('first', lambda: placement.first('first'))
        assert placement.begun.wait(60)
        for one in consumers:
            start(one, lambda one=one: alone(one))  # type: ignore[misc]
        until(lambda: len(ours._waiting) == len(consumers))
        placement.gate.set()
        until(lambda: len(made) == len(consumers) + 1)
    several.start, several.waiting = start, ours._waiting  # type: ignore[attr-defined]
    yield several
    placement.gate.set()
    for one in threads:
        one.join(60)
    assert not ours._waiting


def never(consumer: str) -> bool:
    raise AssertionError(f'{consumer} is claimed for by itself')


def test_what_comes_amid_a_write_goes_together_in_the_next(make: Any, placement: Placement, made: Any) -> None:
    make(never, 'a', 'b', 'c')
    assert made == dict.fromkeys(['first', 'a', 'b', 'c'], True)
    assert placement.alone == ['first'] and placement.together == [['a', 'b', 'c']]


def test_one_that_waits_alone_is_made_by_itself(make: Any, placement: Placement, made: Any) -> None:
    """It knows what to do with what the consumer holds, and is told of a conflict only once."""
    asked = list[str]()
    make(lambda one: bool(asked.append(one)), 'a')
    assert made == {'first': True, 'a': False} and asked == ['a'] and not placement.together


@pytest.mark.parametrize('outcome', [False, errors.placement.PlacementAway()])
def test_where_they_do_not_come_off_together_each_is_made_by_itself(
        make: Any, placement: Placement, made: Any, outcome: Any) -> None:
    placement.outcome = outcome
    make(lambda one: one != 'b', 'a', 'b', 'c')
    assert made == {'first': True, 'a': True, 'b': False, 'c': True}


def test_an_error_is_only_his_whose_claim_has_failed(make: Any, placement: Placement, made: Any) -> None:
    placement.outcome, error = False, errors.placement.PlacementFailed()

    def alone(consumer: str) -> bool:
        if consumer == 'b':
            raise error
        return True
    make(alone, 'a', 'b')
    assert made == {'first': True, 'a': True, 'b': error}


def test_a_copy_of_a_request_claims_by_itself(make: Any, placement: Placement, made: Any) -> None:
    make.start('first', lambda: placement.first('first'))
    assert placement.begun.wait(60)
    make.start('a', lambda: True)
    until(lambda: len(make.waiting) == 1)
    copies = list[str]()
    make.start('a', lambda: not copies.append('a'))
    until(lambda: made == {'a': True})
    assert copies == ['a']


def test_a_write_that_hangs_holds_up_others_only_for_a_while(
        make: Any, placement: Placement, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own claim is its own business."""
    monkeypatch.setattr(claims, 'PATIENCE', 0.05)
    hanging = claims.Claims(placement)  # type: ignore[arg-type]
    thread = threading.Thread(target=hanging.make, args=(
        'first', CLAIM, lambda: placement.first('first')))
    thread.start()
    assert placement.begun.wait(60)
    assert hanging.make('a', CLAIM, lambda: True)
    assert not placement.gate.is_set()
    placement.gate.set()
    thread.join(60)
