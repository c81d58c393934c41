"""A host gives signs of life whatever hangs on it, and says in them what it runs; what it does when cut off."""

import collections
import itertools
import threading
import time

import pytest

from nova import errors, objects
from nova.common import clock, threads
from nova.compute import beats, journal, recovery, step_runner
from nova.tests.compute import cell
from nova.tests.fixtures.waiting import PATIENCE


class Hangs:
    """A driver, a neighbour or a disk whose named methods do not come back until let go."""

    def __init__(self, within, *names):
        self._within, self._names, self.go = within, names, threading.Event()
        self.asked = threading.Event()
        self.hanging = True

    def __getattr__(self, name):
        if name in self._names and self.hanging:
            return self._hang
        return getattr(self._within, name)

    def _hang(self, *args, **kwargs):
        self.asked.set()
        self.go.wait(30)
        raise errors.Unavailable('let go')


@pytest.fixture
def hangs():
    made = []

    def make(within, *names):
        made.append(Hangs(within, *names))
        return made[-1]
    yield make
    for each in made:
        each.go.set()


def goes_on_beating(heard, seconds=3.5):
    """Beats come every second."""
    before, end = len(heard.beats), time.monotonic() + seconds
    threading.Event().wait(end - time.monotonic())
    return len(heard.beats) - before >= 2


def test_a_hypervisor_that_hangs_stops_no_beat(heard, start, driver, hangs, conf):
    """Neither for its guests, nor its nodes, nor what it has room for."""
    conf.set_override('update_resources_interval', 1)
    conf.set_override('sync_power_state_interval', 1)
    stuck = hangs(driver, 'guests', 'nodes', 'resources')
    stuck.hanging = False
    assert start(stuck).wait_joined(5)
    stuck.hanging = True
    assert stuck.asked.wait(5)
    assert goes_on_beating(heard)


def test_placement_that_hangs_stops_no_beat(heard, start, driver, hangs, clients):
    clients.placement = hangs(clients.placement, 'report')
    assert start(driver).wait_joined(5)
    assert clients.placement.asked.wait(10)
    assert goes_on_beating(heard)


def test_a_disk_that_hangs_stops_no_beat(conf, driver, clients, hangs, tmp_path):
    """A step's journal is on it: whoever takes a step in waits for that, and for one another; beats do not."""
    said, pool = [], threads.Pool('disk', 4)
    disk = hangs(journal.Journal(tmp_path / 'steps'), 'find')
    runner = step_runner.StepRunner(
        cell.hosting(conf, driver, clients), disk, lambda *told: None, lambda *told: None, pool)
    for _ in range(2):
        pool.background(runner.run, cell.CONTEXT, cell.call_of(cell.server_of()))
    assert disk.asked.wait(5)

    heart = beats.Heart('host1', 'nova-compute', said.append, 1, runner.open, lambda: None, 60.0, lambda: None)
    heart.begin(0)
    for second in range(3):
        heart.look(second + 1.0)
    assert len(said) == 3
    disk.go.set()
    pool.close()


def test_beats_name_what_a_host_runs(heard, start, driver, gates, host, conf):
    """Early, when a step lasts; and no more once it has ended."""
    conf.set_override('report_interval', 5)
    agent = start(driver)
    assert agent.wait_joined(5)
    heard.wait('beats')
    gates.hold.clear()
    call = cell.call_of(cell.server_of(), attempt=3)
    began = time.monotonic()
    host.run_step(cell.CONTEXT, call)
    named = heard.wait('beats', 2)[1]
    assert time.monotonic() - began < 3 and named.steps == {call.task: 3}
    assert not goes_on_beating(heard, 1.5), 'it has been named'
    gates.hold.set()
    assert heard.wait('beats', 3)[2].steps == {}


def test_quick_steps_cause_no_beat(heard, start, driver, host, conf):
    conf.set_override('report_interval', 60)
    start(driver)
    heard.wait('beats')
    for number in range(1, 6):
        host.run_step(cell.CONTEXT, cell.call_of(cell.server_of()))
        heard.wait('results', number)
    assert not goes_on_beating(heard, 2) and len(heard.beats) == 1


def test_hosts_that_begin_together_do_not_beat_together():
    """Each within its interval, and not twice in half of it; a standstill after which all are late passes."""
    said, times = [], dict[str, list[float]]()
    hearts = [beats.Heart(f'host{number}', 'nova-compute', said.append, 10, dict, lambda: None, 60.0,
                         lambda: None) for number in range(200)]
    for heart in hearts:
        heart.begin(0)

    def live(since, until):
        times.clear()
        for tick in range(since * 2, until * 2):
            now = tick / 2
            for heart in hearts:
                said.clear()
                heart.look(now)
                if said:
                    times.setdefault(heart.host, []).append(now)
        gaps = [later - sooner for each in times.values() for sooner, later in itertools.pairwise(each)]
        assert min(gaps) >= 5 and max(gaps) <= 10.5
        last = collections.Counter(each[-1] for each in times.values())
        assert max(last.values()) < 30 and len(times) == len(hearts)
    live(1000, 1040)
    live(1075, 1115)


def test_a_beat_is_bounded():
    said = []

    many = {str(number): (1, 0.0) for number in range(beats.MOST + 50)}
    heart = beats.Heart('h', 'nova-compute', said.append, 10, lambda: many, lambda: None, 60.0, lambda: None)
    heart.look(1.0)
    assert said == [], 'it has not joined'
    heart.begin(7)
    heart.look(1.0)
    assert len(said[0].steps) == beats.MOST and said[0].epoch == 7


def test_a_host_that_was_cut_off_joins_before_it_beats_again(heard, start, driver, host, gates):
    """What was given up is stopped, what is owed is undone and said to be; then it lives, at the new epoch."""
    agent = start(driver)
    assert agent.wait_joined(5) and heard.wait('beats')[0].epoch == 0
    gates.hold.clear()
    given_up = cell.call_of(cell.server_of(), attempt=3)
    host.run_step(cell.CONTEXT, given_up)
    assert gates.entered.acquire(timeout=5)
    undo = cell.call_of(given_up.instance, attempt=4, task=given_up.task, direction='undo')
    heard.orders = objects.HostOrders(
        stop=[objects.StepRef(task=given_up.task, attempt=3)], owed=[undo], epoch=1)
    host.rejoin(cell.CONTEXT, objects.HostEpoch(epoch=1))
    report = heard.wait('ups', 2)[1]
    assert report.steps == {given_up.task: 3}
    paid, = heard.wait('payments')
    assert [(ref.task, ref.attempt) for ref in paid.steps] == [(given_up.task, 4)]
    assert ('undo', given_up.instance.uuid, 4) in gates.ran
    count = len(heard.beats)
    assert [beat.epoch for beat in heard.wait('beats', count + 1)[count:]] == [1]
    host.rejoin(cell.CONTEXT, objects.HostEpoch(epoch=1))
    assert goes_on_beating(heard) and len(heard.ups) == 2, 'it has joined at that epoch already'


def test_a_host_begins_nothing_before_it_has_joined(heard, start, driver, gates):
    """7.8: it may have waited in the queue until it was given up; what is open, a conductor tells."""
    told = cell.call_of(cell.server_of())
    heard.orders, heard.away = objects.HostOrders(open_steps=[cell.call_of(cell.server_of())]), True
    agent = start(driver)
    agent.run_step(cell.CONTEXT, told)
    heard.away = False
    assert agent.wait_joined(PATIENCE)
    assert heard.wait('results')[0].task == heard.orders.open_steps[0].task
    assert told.instance.uuid not in [server for _, server, _ in gates.ran]
    agent.run_step(cell.CONTEXT, told)
    assert heard.wait('results', 2)[1].task == told.task


def test_a_host_that_stood_still_joins_before_it_begins_anything(
        heard, start, driver, gates, conf, monkeypatch):
    """7.8: while it slept it may have been given up, and what waited for it with it."""
    agent = start(driver)
    assert agent.wait_joined(PATIENCE)
    heard.wait('beats')
    late = clock.monotonic() + conf.service_down_time
    with monkeypatch.context() as patch:
        patch.setattr(clock, 'monotonic', lambda: late)
        agent.run_step(cell.CONTEXT, cell.call_of(cell.server_of()))
    heard.wait('ups', 2)
    assert gates.ran == []


def test_a_host_that_cannot_undo_does_not_live(heard, start, driver, host, gates, monkeypatch):
    """It is asked again, and given up at last, when one bad undo would keep the whole host away."""
    monkeypatch.setattr(recovery, 'TRIES', 2)
    undo = cell.call_of(cell.server_of(), attempt=4, direction='undo', version='0.1')
    heard.orders = objects.HostOrders(owed=[undo], epoch=1)
    agent = start(driver)
    heard.wait('ups', 2)
    assert not agent.wait_joined(0) and heard.beats == []
    assert agent.wait_joined(10)
    assert [ref.task for ref in heard.wait('payments')[0].steps] == [undo.task]


def test_what_is_owed_runs_in_order_and_counts_as_done_when_newer_was_seen(heard, start, driver, gates, host):
    instance, task = cell.server_of(), cell.call_of(cell.server_of()).task
    owes = [cell.call_of(instance, attempt=number, task=task, direction='undo') for number in (4, 7)]
    heard.orders = objects.HostOrders(owed=owes, epoch=1)
    agent = start(driver)
    assert agent.wait_joined(10)
    assert [attempt for _, _, attempt in gates.ran] == [4, 7]
    host.rejoin(cell.CONTEXT, objects.HostEpoch(epoch=2))
    heard.wait('payments', 2)
    assert [attempt for _, _, attempt in gates.ran] == [4, 7], 'the payment was lost, not what it was for'


def test_a_host_takes_in_no_more_steps_than_it_can_hold(heard, start, driver, gates, host, monkeypatch):
    monkeypatch.setattr(step_runner, 'MOST', 2)
    agent = start(driver)
    assert agent.wait_joined(5)
    gates.hold.clear()
    calls = [cell.call_of(cell.server_of()) for _ in range(3)]
    for call in calls:
        agent.run_step(cell.CONTEXT, call)
    assert len(agent.runner.open()) == 2
    gates.hold.set()
    heard.wait('results', 2)
    agent.run_step(cell.CONTEXT, calls[2])
    assert heard.wait('results', 3)[2].task == calls[2].task
