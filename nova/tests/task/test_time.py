"""What time ends: going forward, and a try; never going back. And who waits for a neighbour that is away."""

import pytest

from nova import errors, states
from nova.common import clock
from nova.objects import instance_action
from nova.objects import task as rows
from nova.task import flow, keeper, plan
from nova.tests.task.world import (
    AWAY,
    BROKEN,
    LOG,
    Away,
    EngineCommitted,
    EngineHosted,
    EngineLocal,
    EngineState,
    Looks,
    effect,
)


class TimedHosted(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('mount'), effect('unmount'), at='host', timeout=60.0),)


class TimedWait(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('begin'), effect('end')), flow.Wait(lambda h, state: False, timeout=60.0))


def test_a_deadline_does_not_end_going_back(time, world):
    """1: the host that is told to undo a build which took too long gets the time that it needs."""
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(EngineHosted.deadline + 1)
    looks.round()
    assert (world.hosts.calls[-1].direction, world.hosts.cancelled) == ('undo', [('h1', task.uuid)])
    time.go(300)
    looks.round(3)
    assert (world.task(task).status, len(world.hosts.cancelled)) == (rows.PARKED, 1)
    world.answer(worker)
    assert (world.task(task).status, LOG[-1]) == (rows.UNDONE, 'unpick')
    assert world.server().vm_state == states.VM.ERROR
    assert world.task(task).error['type'] == 'deadline_passed'


def test_a_step_has_its_time(time, world):
    task, worker = world.begin(TimedHosted), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(59)
    looks.round()
    assert world.hosts.cancelled == []
    time.go(1)
    looks.round()
    assert world.hosts.cancelled == [('h1', task.uuid)]
    assert (world.hosts.calls[-1].direction, world.hosts.calls[-1].attempt) == ('undo', 2)
    assert world.task(task).error['type'] == 'step_lost'


def test_what_a_host_said_before_it_was_told_to_undo_is_no_answer_to_that(time, world):
    """2: it did the step after all, when nobody waited for it any more; it has still to undo it."""
    task, worker = world.begin(TimedHosted), world.worker()
    worker.wake(task.uuid)
    time.go(60)
    Looks(worker).round()
    world.answer(worker, call=world.hosts.calls[0])
    assert (world.task(task).status, world.task(task).direction) == (rows.PARKED, 'undo')
    world.answer(worker)
    assert world.task(task).status == rows.UNDONE


def test_an_undo_that_is_not_answered_uses_up_its_tries(time, world):
    task, worker = world.begin(TimedHosted), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(60)
    looks.round()
    tries = 1
    while world.task(task).status != rows.STUCK:
        assert world.task(task).direction == 'undo' and tries <= plan.UNDO_TRIES
        time.go(60)
        looks.round(2)
        tries += 1
    assert tries == plan.UNDO_TRIES + 1
    undos = {call.attempt for call in world.hosts.calls if call.direction == 'undo'}
    assert len(undos) == plan.UNDO_TRIES
    assert world.server().vm_state == states.VM.ERROR


def test_a_wait_has_its_time(time, world):
    task, worker = world.begin(TimedWait), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(59)
    looks.round()
    assert world.task(task).status == rows.WAITING
    time.go(1)
    looks.round()
    assert (world.task(task).status, LOG) == (rows.UNDONE, ['begin', 'end'])
    assert 'waited 60 seconds' in world.task(task).error['message']


def test_conditions_are_asked_less_and_less_often(time, world):
    task, worker = world.begin(TimedWait), world.worker()
    worker.wake(task.uuid)
    looks, asked = Looks(worker, asks=keeper.ASKS), []
    worker.runner.ready = lambda run: asked.append(clock.monotonic())
    for _ in range(50):
        time.go(1)
        looks.round()
    assert [int(b - a) for a, b in zip(asked, asked[1:], strict=False)] == [2, 4, 8, 10, 10, 10]


def test_a_neighbour_that_is_away_is_waited_for(time, world):
    """9: nothing is undone, and nobody is told of it."""
    AWAY.add('two')
    task, worker = world.begin(EngineLocal), world.worker(pauses=(1.0, 2.0, 4.0, 8.0, 30.0))
    worker.wake(task.uuid)
    first, looks = world.task(task).step_started_at, Looks(worker)
    for _ in range(100):
        time.go(1)
        looks.round()
    assert (world.task(task).status, world.task(task).step) == (rows.READY, 'two')
    assert world.task(task).step_started_at == first
    assert LOG.count('two') == 11, 'after 0, 1, 2, 4, 8, 16 seconds, and then every 15'
    AWAY.clear()
    time.go(15)
    looks.round()
    assert (world.task(task).status, 'un_two' in LOG) == (rows.DONE, False)
    assert instance_action.faults(world.db, [world.instance.uuid]) == {}
    events = instance_action.show_action(world.db, world.instance.uuid, world.context.request_id).events
    assert [(event.event, event.result) for event in events] == [('two', 'Success'), ('one', 'Success')]


def test_but_only_while_the_step_has_time(time, world):
    AWAY.add('two')
    task, worker = world.begin(EngineLocal), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(599)
    looks.round()
    assert world.task(task).status == rows.READY
    time.go(1)
    looks.round()
    assert (world.task(task).status, LOG[-2:]) == (rows.UNDONE, ['un_two', 'un_one'])
    assert instance_action.fault_of(world.db, world.instance.uuid)['message'] == 'The neighbour is away'


@pytest.mark.parametrize('flow_class, broken, back', [
    (EngineLocal, 'un_two', True), (EngineCommitted, 'tidy', False)])
def test_where_there_is_no_other_way_it_is_waited_for_without_end(time, world, flow_class, broken, back):
    AWAY.add(broken)
    if back:
        AWAY.add('two')
    task, worker = world.begin(flow_class), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker)
    time.go(600)
    for _ in range(50):
        looks.round()
        time.go(600)
    assert (world.task(task).status, world.task(task).step) == (rows.READY, broken.removeprefix('un_'))
    AWAY.clear()
    looks.round(2)
    assert world.task(task).status == (rows.UNDONE if back else rows.DONE)


def test_a_host_that_says_so_is_asked_again(time, world):
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    world.answer(worker, 'failed', errors.to_dict(Away()))
    assert (world.task(task).status, world.task(task).direction) == (rows.READY, 'do')
    Looks(worker).round()
    assert [(call.direction, call.attempt) for call in world.hosts.calls[-1:]] == [('do', 3)]


def test_a_pause_is_kept_whoever_knocks(time, world):
    AWAY.add('un_two')
    BROKEN['two'] = errors.Conflict('no')
    task, worker = world.begin(EngineLocal), world.worker(pauses=(10.0,))
    worker.wake(task.uuid)
    count = LOG.count('un_two')
    for _ in range(5):
        worker.wake(task.uuid)
    assert LOG.count('un_two') == count
    time.go(10)
    worker.wake(task.uuid)
    assert LOG.count('un_two') == count + 1


def test_a_host_that_is_heard_of_again_is_told_at_once(time, world):
    """TSK-S3: while nothing arrives, steps are sent less and less often; what the host says ends that."""
    worker = world.worker()
    looks = Looks(worker, recast=5.0)
    task = world.begin(EngineHosted)
    worker.wake(task.uuid)
    for _ in range(100):
        looks.round()
        time.go(1.0)
    sent = len(world.hosts.calls)
    assert sent <= 6
    looks.round()
    world.hosts.sign = 'a beat that does not name the step'
    looks.round()
    assert len(world.hosts.calls) == sent + 1
    for _ in range(4):
        time.go(1.0)
        looks.round()
    assert len(world.hosts.calls) == sent + 1, 'what was sent just now may be on its way'
