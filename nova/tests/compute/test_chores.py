"""What a host does by the clock."""

import threading

import pytest

from nova.compute import chores
from nova.tests.fixtures.waiting import PATIENCE


@pytest.fixture
def clock():
    made = chores.Chores(2)
    made.start()
    yield made
    made.stop()


class Ran:
    """Counts how often a chore ran."""

    def __init__(self):
        self.times, self.changed = 0, threading.Condition()

    def __call__(self):
        with self.changed:
            self.times += 1
            self.changed.notify_all()

    def wait(self, times, seconds=PATIENCE):
        with self.changed:
            return self.changed.wait_for(lambda: self.times >= times, seconds)


class KickedWhenItEnds(float):
    """An interval in whose adding up, when the chore has just ended, somebody kicks."""

    def __radd__(self, other):
        if not self.done:
            self.done = True
            self.clock.kick(self.chore)
        return other + 3600


def test_a_kick_in_the_moment_in_which_a_chore_ends_is_not_lost(clock):
    ran, seconds = Ran(), KickedWhenItEnds(3600)
    seconds.done, seconds.clock, seconds.chore = False, clock, chores.Chore('kicked', seconds, ran)
    clock.add(seconds.chore)
    assert ran.wait(2)


def test_a_kick_while_a_chore_runs_has_it_run_again(clock):
    begun, go = threading.Event(), threading.Event()
    ran = Ran()

    def work():
        ran()
        begun.set()
        go.wait(5)
    chore = clock.add(chores.Chore('long', 3600, work))
    assert begun.wait(5)
    clock.kick(chore)
    go.set()
    assert ran.wait(2)
    assert not ran.wait(3, 1)


def test_a_chore_that_is_not_due_is_left_alone_until_it_is_kicked(clock):
    ran = Ran()
    chore = clock.add(chores.Chore('later', 3600, ran, due=chores.NEVER))
    assert not ran.wait(1, 0.6)
    clock.kick(chore)
    assert ran.wait(1)
