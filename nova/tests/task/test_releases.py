"""A host of the release before says that it does not know a flow: what comes of it is declared on the step."""

import pytest

from nova import errors, states
from nova.objects import task as rows
from nova.task import flow
from nova.tests.task.world import EngineState, effect

UNKNOWN = errors.to_dict(errors.task.FlowUnknown(flow='new', version='1.0'))


class ReleasePlain(flow.Flow[EngineState]):
    action, fails = 'plain', states.VM.ERROR
    steps = (flow.Step(effect('prepare'), effect('unprepare')), flow.Step(effect('there'), at='host'))


class ReleaseChoice(flow.Flow[EngineState]):
    action, fails = 'choice', states.VM.ERROR
    steps = (flow.Step(effect('choose'), effect('unchoose'), choice=True),
             flow.Step(effect('elsewhere'), effect('leave'), at='host', elsewhere=True))


class ReleaseAwaits(flow.Flow[EngineState]):
    action = 'awaits'
    steps = (
        flow.Step(effect('patiently'), effect('unpatiently'), at='host', awaits_upgrade=True, timeout=60.0),
        flow.Step(effect('later'), at='host', pivot=True),
        flow.Step(effect('beyond'), at='host'),
    )


def started(world, kind):
    task, worker = world.begin(kind), world.worker()
    worker.wake(task.uuid)
    return task, worker


def test_a_step_fails_and_is_undone(world):
    task, worker = started(world, ReleasePlain)
    world.answer(worker, 'failed', UNKNOWN)
    ended = world.task(task)
    assert ended.status == rows.UNDONE and 'has to be upgraded first' in ended.error['message']
    assert 'h1' in ended.error['message'] and world.server().vm_state == 'error'


def test_a_step_that_may_be_done_elsewhere_has_been_refused(world):
    """The flow turns to its choice, and comes again to the next host."""
    task, worker = started(world, ReleaseChoice)
    world.answer(worker, 'failed', UNKNOWN)
    assert (world.hosts.calls[-1].step, world.hosts.calls[-1].direction) == ('elsewhere', 'undo')
    world.answer(worker)
    assert (world.hosts.calls[-1].step, world.hosts.calls[-1].direction) == ('elsewhere', 'do')
    world.answer(worker)
    assert world.task(task).status == rows.DONE


@pytest.mark.parametrize('before', [(), ('patiently', 'later')])
def test_a_step_waits_until_its_host_is_upgraded(world, before):
    """Because it says so, or because nothing but going on is left beyond a pivot."""
    task, worker = started(world, ReleaseAwaits)
    for _ in before:
        world.answer(worker)
    asked = world.hosts.calls[-1].step
    for _ in range(3):
        world.answer(worker, 'failed', UNKNOWN)
        assert world.task(task).status == rows.READY
        worker.wake(task.uuid)
        assert world.hosts.calls[-1].step == asked and world.task(task).status == rows.PARKED
    while world.task(task).status == rows.PARKED:
        world.answer(worker)
    assert world.task(task).status == rows.DONE and world.task(task).error is None


def test_it_waits_no_longer_than_the_step_s_time(time, world):
    task, worker = started(world, ReleaseAwaits)
    time.go(61)
    world.answer(worker, 'failed', UNKNOWN)
    world.answer(worker)
    assert world.task(task).status == rows.UNDONE


def test_an_undo_waits_for_as_long_as_it_takes(world):
    """More often than an undo may fail."""
    task, worker = started(world, ReleaseChoice)
    world.db.write(lambda conn: rows.cancel(conn, world.instance.uuid, 'main'))
    worker.wake(task.uuid)
    assert world.hosts.calls[-1].direction == 'undo'
    for _ in range(12):
        world.answer(worker, 'failed', UNKNOWN)
        worker.wake(task.uuid)
    assert world.task(task).status == rows.PARKED
    world.answer(worker)
    assert world.task(task).status == rows.UNDONE
