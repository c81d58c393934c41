"""Who is alive: judged by beats that were looked for, not by seconds that passed."""

import concurrent.futures
import threading

import pytest

from nova import release
from nova.objects import task as rows
from nova.task import lease
from nova.tests.task.world import BEAT


@pytest.fixture
def leases(time, world):
    """A function that makes leases, each with as many beats of patience."""
    return lambda *names: [lease.Lease(world.db, 'test', name, BEAT, 4) for name in names]


def test_who_could_not_look_judges_nobody(time, leases):
    """2: the database was away for both; the one that is back first does not take the other for dead."""
    a, b = leases('a', 'b')
    for _ in range(2):
        a.beat()
        b.beat()
    time.go(100 * BEAT)
    b.beat()
    assert not b.is_dead(a.uuid)
    a.beat()
    for _ in range(5):
        time.go(BEAT)
        a.beat()
        b.beat()
        assert not b.is_dead(a.uuid)


def test_who_stands_still_while_others_look_is_dead(time, leases):
    a, b = leases('a', 'b')
    a.beat()
    b.beat()
    for _ in range(3):
        time.go(BEAT)
        b.beat()
        assert not b.is_dead(a.uuid)
    time.go(BEAT)
    b.beat()
    assert b.is_dead(a.uuid) and [worker.uuid for worker in b.living()] == [b.uuid]
    a.beat()
    b.beat()
    assert not b.is_dead(a.uuid) and len(b.living()) == 2


def test_looks_in_quick_succession_are_one(time, leases):
    a, b = leases('a', 'b')
    a.beat()
    for _ in range(20):
        b.beat()
    assert not b.is_dead(a.uuid)


def test_a_newcomer_is_nobodys_dead(time, leases):
    a, b = leases('a', 'b')
    a.beat()
    b.enter()
    assert not a.is_dead(b.uuid)
    a.beat()
    assert not a.is_dead(b.uuid)


def test_an_owner_that_no_look_finds_is_gone(time, leases):
    a, b = leases('a', 'b')
    a.beat()
    assert not a.is_dead(b.uuid)
    a.beat()
    assert a.is_dead(b.uuid)


def test_nobody_is_sure_for_as_long_as_others_are_patient(time, leases):
    """So that a worker which was paused knows it before it does anything."""
    a, b = leases('a', 'b')
    assert not a.sure()
    a.beat()
    b.beat()
    while a.sure():
        assert not b.is_dead(a.uuid)
        time.go(BEAT / 4)
        b.beat()
    assert not b.is_dead(a.uuid)
    a.beat()
    assert a.sure()


def test_a_worker_that_is_long_dead_is_forgotten(time, leases):
    a, b = leases('a', 'b')
    for _ in range(5):
        b.beat()
        time.go(lease.FORGET)
    a.beat()
    b.beat()
    assert not b.is_dead(a.uuid)
    for _ in range(6):
        time.go(lease.FORGET)
        b.beat()
    b.is_dead(a.uuid)
    b.beat()
    assert len(b.living()) == 1 and b.is_dead(a.uuid)
    a.beat()
    b.beat()
    assert not b.is_dead(a.uuid)


def test_a_worker_that_does_not_say_what_it_knows_is_of_the_release_before(time, world, leases):
    """Until it is dead, operations begin in the form that it knows; it may be above the cell, too."""
    mine, = leases('mine')
    mine.beat()
    assert mine.oldest() is release.CURRENT
    world.db.write(lambda conn: conn.execute(rows.tables.workers.insert().values(
        uuid='old', binary='nova-conductor', host='above', beat=1)))
    mine.beat()
    assert mine.oldest() is release.PREVIOUS
    for _ in range(4):
        time.go(BEAT)
        mine.beat()
    assert mine.oldest() is release.CURRENT


def test_who_knows_less_is_of_the_release_before(world):
    mine, other = (lease.Lease(world.db, 'nova-conductor', host, BEAT, knows=knows)
                   for host, knows in (('mine', ['build/1.0', 'build/1.1']), ('other', ['build/1.0'])))
    other.beat()
    mine.beat()
    other.beat()
    assert mine.oldest() is release.PREVIOUS and other.oldest() is release.CURRENT


def test_threads_that_begin_at_once_enter_once():
    """As when a conductor starts and is asked at once: the row of a worker is inserted once."""
    class Slow:
        """A database that takes its time."""

        def __init__(self):
            self.at_work, self.most, self.times = 0, 0, 0

        def write(self, function, *, landed):
            self.at_work, self.times = self.at_work + 1, self.times + 1
            self.most = max(self.most, self.at_work)
            threading.Event().wait(0.05)
            self.at_work -= 1
            return []

    db = Slow()
    mine = lease.Lease(db, 'nova-conductor', 'host')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: mine.beat() if number == 0 else mine.enter(), range(8)))
    assert db.most == 1 and db.times <= 2 and mine.sure()
