"""Signs of life: when they are given, to whom, and by how many threads."""

import threading
import time
from typing import Any

import oslo_messaging
import pytest

from nova.rpc import signs
from nova.tests.fixtures.waiting import until


class Incoming:
    """A call that waits for an answer, or for signs of life."""

    def __init__(self, silence: float | None, fails: bool = False) -> None:
        self.ctxt, self.message = {}, {'method': 'work', 'args': {}}
        self.client_timeout, self._fails = silence, fails
        self.signs, self.times = 0, list[float]()

    def heartbeat(self) -> None:
        self.signs += 1
        self.times.append(time.monotonic())
        if self._fails:
            raise oslo_messaging.MessageDeliveryFailure('away')


class Endpoint:
    """Works for as long as the test says."""

    def __init__(self) -> None:
        self.busy, self.gate = 0, threading.Event()

    @oslo_messaging.expose
    def work(self, context: Any) -> str:
        self.busy += 1
        assert self.gate.wait(60)
        return 'done'


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def serve(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serves calls, each in a thread; ends them."""
    monkeypatch.setattr(signs, 'LEAST', 0.02)
    dispatcher, workers = signs.Dispatcher(endpoint, signs.Signs('test')), list[threading.Thread]()

    def start(*incoming: Incoming) -> None:
        known = endpoint.busy
        for one in incoming:
            workers.append(threading.Thread(target=dispatcher.dispatch, args=(one,)))
            workers[-1].start()
        until(lambda: endpoint.busy == known + len(incoming))

    def end() -> None:
        endpoint.gate.set()
        for one in workers:
            one.join(60)
    start.end = end  # type: ignore[attr-defined]
    yield start
    end()


def givers() -> int:
    return sum(thread.name.startswith('signs-test') for thread in threading.enumerate())


def test_one_thread_gives_the_signs_of_all_calls(serve: Any) -> None:
    many = [Incoming(0.1) for _ in range(20)]
    serve(*many)
    until(lambda: all(one.signs >= 3 for one in many))
    assert givers() == 1


def test_nobody_gets_one_who_asks_for_none_or_has_his_answer(serve: Any) -> None:
    some, none = Incoming(0.1), Incoming(None)
    serve(some, none)
    until(lambda: some.signs >= 1)
    serve.end()
    given = some.signs
    until(lambda: not givers())
    assert some.signs == given and not none.signs


def test_who_is_less_patient_is_served_first(serve: Any) -> None:
    """Its sign is due before the thread would have looked again."""
    serve(Incoming(600))
    began, one = time.monotonic(), Incoming(0.2)
    serve(one)
    until(lambda: one.signs >= 2)
    assert one.times[0] - began >= 0.1


def test_a_sign_that_cannot_be_given_is_tried_again_and_holds_up_nobody(serve: Any) -> None:
    lost, other = Incoming(0.1, fails=True), Incoming(0.1)
    serve(lost, other)
    until(lambda: lost.signs >= 2 and other.signs >= 2)
