"""What a step may declare and be told: the hosts it runs on, signals, progress."""

import functools
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from nova import objects, states
from nova.db import tasks as tables
from nova.objects import owed
from nova.objects import task as rows
from nova.states import Signal
from nova.task import flow
from nova.tests.task.world import LOG, EngineState, Looks, effect


class MoveState(EngineState):
    source: str | None = None
    dest: str | None = None


class EngineMove(flow.Flow[MoveState]):
    """A server goes from one host to another; it belongs to the other one in the midst of it."""

    action, fails = 'move', states.VM.ERROR
    Progress = objects.MigrationProgress
    steps = (
        flow.Step(effect('look'), effect('unlook'), at='host'),
        flow.Step(effect('receive'), effect('refuse'), at='dest'),
        flow.Step(effect('send'), effect('keep'), at='source', signals=(Signal.ABORT, Signal.FORCE_COMPLETE)),
        flow.Step(effect('switch')),
        flow.Step(effect('finish'), effect('unfinish'), at='host'),
        flow.Step(effect('leave'), at='source'),
    )


MEANWHILE: list[Callable[[], None]] = []
"""What happens while `EngineTold` does its first step."""


class EngineTold(flow.Flow[EngineState]):
    action = 'told'

    def hear(h, state):
        for happen in MEANWHILE:
            happen()

    steps = (flow.Step(hear, effect('unhear')), flow.Step(effect('never')))


class EngineSlow(flow.Flow[EngineState]):
    """Its step on a host does not hear of an abortion."""

    action, fails = 'slow', states.VM.ERROR
    steps = (flow.Step(effect('begin_slowly'), effect('end_slowly'), at='host', shows=states.Task.PAUSING),)


@pytest.fixture
def moving(world):
    """A move whose first steps are done: it is being sent."""
    worker = world.worker()
    task = world.journal.begin(EngineMove, MoveState(source='h1', dest='h2'), world.context,
                               instance_uuid=world.instance.uuid)
    worker.wake(task.uuid)
    for step in ('look', 'receive'):
        assert world.hosts.calls[-1].step == step
        world.answer(worker)
    assert world.hosts.calls[-1].step == 'send'
    return task, worker


def told(world):
    return [(call.step, call.direction, call.host) for call in world.hosts.calls]


def signal(world, task, what=Signal.FORCE_COMPLETE):
    return world.db.write(lambda conn: rows.signal(conn, world.instance.uuid, task.flow, what))


# Hosts

def test_steps_of_one_flow_run_on_two_hosts(world, moving):
    task, worker = moving
    world.answer(worker, host='h2')  # the server changes hands when it was sent
    for _ in ('finish', 'leave'):
        world.answer(worker)
    assert world.task(task).status == rows.DONE
    assert told(world) == [('look', 'do', 'h1'), ('receive', 'do', 'h2'), ('send', 'do', 'h1'),
                           ('finish', 'do', 'h2'), ('leave', 'do', 'h1')]


def test_an_undo_goes_where_the_step_was_done_wherever_the_server_is_now(world, moving):
    task, worker = moving
    world.answer(worker, host='h2')
    world.answer(worker, 'failed', error={'type': 'internal', 'message': 'no', 'code': 500})
    while world.task(task).status == rows.PARKED:
        world.answer(worker)
    assert world.server().host == 'h2'
    assert told(world)[4:] == [('finish', 'undo', 'h2'), ('send', 'undo', 'h1'), ('receive', 'undo', 'h2'),
                               ('look', 'undo', 'h1')]
    assert world.task(task).status == rows.UNDONE


def test_what_was_given_to_no_host_is_undone_on_none(world):
    world.db.write(lambda conn: conn.execute(
        sa.update(objects.Instance.table).values(host=None)))
    world.instance.host = None
    task, worker = world.begin(EngineSlow), world.worker()
    worker.wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    assert world.hosts.calls == []


@pytest.mark.parametrize(('down', 'others'), [('h1', 'h2'), ('h2', 'h1')])
def test_an_undo_copes_with_either_host_being_down(world, moving, monkeypatch, down, others):
    task, worker = moving
    monkeypatch.setattr(world.hosts, 'is_up', lambda host: host != down)
    world.answer(worker, 'failed', error={'type': 'internal', 'message': 'no', 'code': 500})
    looks = Looks(worker)
    for _ in range(10):
        call = world.hosts.calls[-1]
        if call.host == others and world.task(task).status == rows.PARKED:
            world.answer(worker)
        looks.round()
    assert world.task(task).status == rows.UNDONE
    undone = [('keep', 'h1'), ('refuse', 'h2'), ('unlook', 'h1')]
    with world.db.read() as conn:
        owes = [(call.step, call.direction) for call in owed.owed_by(conn, down)]
        assert owed.owed_by(conn, others) == []
    names = {'keep': 'send', 'refuse': 'receive', 'unlook': 'look'}
    assert owes == [(names[name], 'undo') for name, host in undone if host == down]


def test_a_task_of_the_release_before_is_undone_on_the_servers_host(world):
    task, worker = world.begin(EngineSlow), world.worker()
    world.db.write(lambda conn: conn.execute(sa.update(tables.tasks).values(hosts=None)))
    worker.wake(task.uuid)
    world.db.write(lambda conn: conn.execute(sa.update(tables.tasks).values(hosts=None)))
    world.answer(worker, 'failed', error={'type': 'internal', 'message': 'no', 'code': 500})
    assert told(world)[-1] == ('begin_slowly', 'undo', 'h1')


def test_a_step_at_a_host_that_the_state_does_not_name_is_refused():
    with pytest.raises(TypeError, match="'dest'"):
        type('Nowhere', (flow.Flow,), {'State': EngineState, 'steps': (flow.Step(effect('go'), at='dest'),)})


# Signals

def test_a_signal_reaches_the_step_that_runs(world, moving):
    task, worker = moving
    assert signal(world, task) == task.uuid
    worker.wake(task.uuid)
    assert told(world)[-1] == told(world)[-2] == ('send', 'do', 'h1')
    assert world.hosts.calls[-1].signals == ['force_complete']
    assert world.hosts.calls[-1].attempt == world.hosts.calls[-2].attempt
    world.answer(worker)
    assert world.task(task).direction == 'do'


def test_a_signal_is_told_once_however_often_it_is_given(world, moving):
    task, _ = moving
    signal(world, task), signal(world, task)
    assert world.task(task).signals == ['force_complete']


def test_a_signal_is_heard_after_the_wake_up_was_lost_and_again_until_the_step_ends(time, moving, world):
    task, worker = moving
    signal(world, task)
    world.hosts.named.add((task.uuid, world.task(task).attempt))
    looks, sent = Looks(worker), len(world.hosts.calls)
    for _ in range(4):
        looks.round()
        time.go(6.0)
    assert len(world.hosts.calls) > sent
    assert world.hosts.calls[-1].signals == ['force_complete']


def test_a_signal_is_heard_by_who_takes_over_and_by_a_host_that_joins(world, moving):
    task, _ = moving
    signal(world, task)
    other = world.worker()
    call, = other.open_steps('h1')
    assert (call.step, call.signals) == ('send', ['force_complete'])


def test_a_signal_to_a_step_that_does_not_hear_it_disturbs_nobody(world):
    task, worker = world.begin(EngineSlow), world.worker()
    worker.wake(task.uuid)
    signal(world, task)
    worker.wake(task.uuid)
    assert len(world.hosts.calls) == 1
    world.answer(worker)
    assert world.task(task).status == rows.DONE


def test_a_signal_to_an_operation_that_has_ended_is_told_to_nobody(world):
    task, worker = world.begin(EngineSlow), world.worker()
    worker.wake(task.uuid)
    world.answer(worker)
    assert signal(world, task) is None
    assert world.task(task).signals is None


def test_an_abortion_undoes_an_operation_whose_server_is_as_before(world):
    task, worker = world.begin(EngineSlow), world.worker()
    worker.wake(task.uuid)
    signal(world, task, Signal.ABORT)
    worker.wake(task.uuid)
    assert world.hosts.cancelled == [('h1', task.uuid)]
    assert told(world)[-1] == ('begin_slowly', 'undo', 'h1')
    world.answer(worker)
    done = world.task(task)
    assert (done.status, done.error, done.cancel) == (rows.UNDONE, None, False)
    assert (world.server().vm_state, world.server().task_state) == ('active', None)


def test_an_abortion_whose_wake_up_was_lost_is_found(world):
    task, worker = world.begin(EngineSlow), world.worker()
    worker.wake(task.uuid)
    signal(world, task, Signal.ABORT)
    Looks(worker).round(2)
    assert told(world)[-1] == ('begin_slowly', 'undo', 'h1')


@pytest.mark.parametrize(('outcome', 'status'), [('cancelled', rows.UNDONE), ('done', rows.UNDONE)])
def test_a_step_that_hears_of_the_abortion_is_waited_for(world, moving, outcome, status):
    task, worker = moving
    signal(world, task, Signal.ABORT)
    worker.wake(task.uuid)
    Looks(worker).round(3)
    assert world.hosts.cancelled == []
    assert told(world)[-1] == ('send', 'do', 'h1') and world.hosts.calls[-1].signals == ['abort']
    world.answer(worker, outcome)
    while world.task(task).status == rows.PARKED:
        world.answer(worker)
    assert world.task(task).status == status
    assert told(world)[-3:] == [('send', 'undo', 'h1'), ('receive', 'undo', 'h2'), ('look', 'undo', 'h1')]


def test_a_signal_that_comes_between_two_steps_is_not_overwritten(world):
    """The worker saves a step that it began before the signal: it sees it, and turns back."""
    task = world.begin(EngineTold)
    MEANWHILE[:] = [functools.partial(signal, world, task, told)
                    for told in (Signal.FORCE_COMPLETE, Signal.ABORT)]
    world.worker().wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    assert world.task(task).signals == ['force_complete', 'abort']
    assert LOG == ['unhear']


# Progress

def progress(task, world, **values):
    return objects.StepProgress(task=task.uuid, step='send', attempt=world.task(task).attempt, host='h1',
                                percent=values.get('percent', 0), progress=objects.MigrationProgress(**values))


def test_progress_is_journalled_and_shown(world, moving):
    task, worker = moving
    worker.progress(progress(task, world, percent=40, memory_total=100, memory_remaining=60))
    with world.db.read() as conn:
        shown = rows.progress_of(conn, [world.instance.uuid])[world.instance.uuid]
    assert (shown.memory_total, shown.memory_remaining) == (100, 60)
    assert world.server().progress == 40
    world.answer(worker, host='h2')
    assert world.task(task).step == 'finish'


def test_progress_of_the_release_before_is_a_percentage(world, moving):
    task, worker = moving
    worker.progress(objects.StepProgress(
        task=task.uuid, step='send', attempt=world.task(task).attempt, host='h1', percent=7))
    with world.db.read() as conn:
        assert rows.progress_of(conn, [world.instance.uuid])[world.instance.uuid].percent == 7


def test_progress_of_an_attempt_that_is_not_waited_for_is_dropped(world, moving):
    task, worker = moving
    late = progress(task, world, percent=40)
    world.answer(worker, host='h2')
    worker.progress(late)
    assert world.task(task).progress is None and world.server().progress != 40


def test_what_has_ended_has_no_progress(world, moving):
    task, worker = moving
    worker.progress(progress(task, world, percent=40))
    for _ in range(3):
        world.answer(worker)
    assert world.task(task).status == rows.DONE
    with world.db.read() as conn:
        assert rows.progress_of(conn, [world.instance.uuid]) == {}
