"""Time and threads are handed in: what reads a clock, starts a thread or waits asks who was handed in."""

import pytest

from nova.common import clock, concurrency, retry, threads, uuids


class Standing:
    """A clock that stands until it is told to move."""

    def __init__(self):
        self.seconds = 1_000_000_000.0

    def timestamp(self):
        return self.seconds

    def monotonic(self):
        return self.seconds


class Told(concurrency.Threading):
    """Native threads; who waits for time to pass moves the clock instead."""

    name = 'told'

    def __init__(self, standing):
        self.clock, self.started = standing, []

    def event(self):
        backend, event = self, super().event()

        class Event:
            is_set, set, clear = event.is_set, event.set, event.clear

            @staticmethod
            def wait(timeout=None):
                backend.clock.seconds += timeout or 0
                return event.is_set()
        return Event()

    def start(self, name, fn):
        self.started.append(name)
        return super().start(name, fn)


@pytest.fixture
def handed_in():
    standing = Standing()
    with clock.use(standing), threads.use(Told(standing)):
        yield standing
    assert threads.backend() in ('threading', 'eventlet')


def test_time_is_the_handed_in_clocks(handed_in):
    deadline = clock.Deadline(5)
    assert clock.isotime(clock.utcnow()) == '2001-09-09T01:46:40Z'
    assert not deadline.passed()
    handed_in.seconds += 5
    assert deadline.passed() and clock.timestamp() == 1_000_000_005


def test_a_retry_waits_and_gives_up_by_the_handed_in_clock(handed_in):
    tries = []

    def fail():
        tries.append(clock.monotonic())
        raise KeyError
    with pytest.raises(KeyError):
        retry.call(fail, when=lambda error: True, attempts=10_000, seconds=60, longest=2.0)
    assert 60 <= tries[-1] - tries[0] <= 64 and len(tries) >= 30


def test_what_runs_later_runs_in_a_thread_of_the_backend(handed_in):
    ran = threads.event()
    threads.later('later', 30, ran.set)
    threads.start('other', lambda: None).join(5)
    for _ in range(1000):
        if ran.is_set():
            break
        concurrency.Threading().event().wait(0.005)
    assert ran.is_set() and handed_in.seconds == 1_000_000_030


def test_a_thread_knows_itself():
    seen = []
    started = threads.event()

    def run():
        started.wait(5)
        seen.append(thread.is_current())
    thread = threads.start('one', run)
    started.set()
    thread.join(5)
    assert seen == [True] and not thread.is_current()


def test_waiting_for_answers_tells_who_is_late():
    early, late = threads.future(), threads.future()
    early.set_result(1)
    assert threads.wait([early, late], 0.01) == ({early}, {late})


def test_uuids_can_be_handed_in():
    import uuid
    with uuids.use(lambda: uuid.UUID(int=7)):
        assert uuids.generate() == '00000000-0000-0000-0000-000000000007'
    assert uuids.generate() != '00000000-0000-0000-0000-000000000007'
