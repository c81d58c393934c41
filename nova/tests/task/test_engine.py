"""Tasks on a real journal: TSK-S1, TSK-S2, TSK-S3."""

import datetime

import pytest
import sqlalchemy as sa

from nova import errors, objects, states
from nova.common import clock
from nova.db import tasks as tables
from nova.objects import instance_action
from nova.objects import task as rows
from nova.task import guard
from nova.tests.task.world import (
    BEAT,
    BROKEN,
    LOG,
    EngineCommitted,
    EngineDelete,
    EngineHosted,
    EngineLocal,
    EngineState,
    EngineSuper,
    Looks,
)


def test_a_task_runs_to_its_end_and_frees_the_server(world):
    task = world.begin(EngineLocal)
    assert world.server().task_state == states.Task.PAUSING
    world.worker().wake(task.uuid)
    assert LOG == ['one', 'two']
    assert (world.task(task).status, world.task(task).exclusive) == (rows.DONE, None)
    assert (world.server().vm_state, world.server().task_state) == ('paused', None)


def test_a_second_operation_is_refused_by_the_database(world):
    world.begin(EngineLocal)
    with pytest.raises(errors.task.Busy):
        world.begin(EngineLocal)


def test_a_failure_is_undone_and_told(world):
    BROKEN['two'] = errors.Conflict('no room')
    task = world.begin(EngineLocal)
    world.worker().wake(task.uuid)
    assert LOG == ['one', 'two', 'un_two', 'un_one']
    assert world.task(task).status == rows.UNDONE
    assert (world.server().vm_state, world.server().task_state) == ('active', None)
    fault = instance_action.fault_of(world.db, world.instance.uuid)
    assert (fault['code'], fault['message']) == (409, 'no room')
    action, = instance_action.list_actions(world.db, world.instance.uuid)
    assert (action.action, action.message) == ('local', 'Error')
    shown = instance_action.show_action(world.db, world.instance.uuid, world.context.request_id)
    assert [(e.event, e.result) for e in shown.events] == [
        ('undo_one', 'Success'), ('undo_two', 'Success'), ('two', 'Error'), ('one', 'Success')]


def test_an_unforeseen_error_unwinds_too(world):
    BROKEN['two'] = ZeroDivisionError('secret text')
    task = world.begin(EngineLocal)
    world.worker().wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    assert instance_action.fault_of(world.db, world.instance.uuid)['message'] == 'ZeroDivisionError'


def test_a_step_on_a_host_is_parked_and_its_answer_goes_on(world):
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    assert world.task(task).status == rows.PARKED
    assert world.server().task_state == states.Task.SPAWNING
    world.answer(worker, power_state=1)
    assert world.task(task).status == rows.DONE
    assert world.server().power_state == 1


def test_an_answer_counts_once(world):
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    world.answer(worker)
    generation = world.task(task).generation
    world.answer(worker, outcome='failed', error={'code': 500, 'message': 'late', 'type': 'internal'})
    assert world.task(task).generation == generation


def test_a_refusal_goes_back_to_the_choice(world):
    """ALT-S5"""
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    world.answer(worker, 'refused', {'code': 409, 'message': 'full', 'type': 'refused'})
    assert world.hosts.calls[-1].direction == 'undo'
    world.answer(worker)
    assert LOG == ['pick', 'unpick', 'pick']
    assert world.hosts.calls[-1].direction == 'do'
    assert world.task(task).error is None


def test_a_dead_workers_task_is_taken_over(time, world):
    """TSK-S2: the step in which it died is run again, and what the dead one still saves is lost."""
    task, dead, alive = world.begin(EngineLocal), world.worker(), world.worker()
    dead.lease.enter()
    run = dead.pick(task.uuid, rows.READY)
    dead.runner.claim(run)
    looks = Looks(alive)
    for _ in range(3):
        looks.round()
        assert world.task(task).status == rows.RUNNING
        time.go(BEAT)
    looks.round()
    assert world.task(task).status == rows.DONE
    with pytest.raises(errors.task.Lost):
        dead.runner.end_step(run, 'done', None)


def test_a_lost_wake_up_is_found(world):
    task, looks = world.begin(EngineLocal), Looks(world.worker())
    looks.round()
    looks.round()
    assert world.task(task).status == rows.DONE


def test_a_lost_cast_is_sent_again(world):
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    looks = Looks(worker, recast=0.0)
    looks.round()
    looks.round()
    first, second = world.hosts.calls[0], world.hosts.calls[-1]
    assert len(world.hosts.calls) >= 2
    assert (first.attempt, first.step) == (second.attempt, second.step)


def test_a_host_that_is_down_is_fenced(world):
    """It counts as a refusal: the choice is made again, and what the host says later changes nothing."""
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    call = world.hosts.calls[-1]
    world.hosts.up = False
    BROKEN['pick'] = errors.task.RetriesExceeded(reason='only h1 was left')
    looks = Looks(worker)
    for _ in range(4):
        looks.round()
    assert LOG == ['pick', 'unpick', 'pick', 'unpick']
    assert world.task(task).status == rows.UNDONE
    assert world.server().vm_state == states.VM.ERROR
    assert 'h1' in instance_action.fault_of(world.db, world.instance.uuid)['message']
    world.answer(worker, call=call, power_state=1)
    assert world.server().power_state == 0


def test_a_step_that_takes_too_long_is_ended(world):
    """TSK-S3"""
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    world.db.write(lambda conn: conn.execute(tables.tasks.update().values(
        deadline=clock.utcnow() - datetime.timedelta(seconds=1))))
    Looks(worker).round()
    assert world.hosts.cancelled == [('h1', task.uuid)]
    assert world.hosts.calls[-1].direction == 'undo'


def test_beyond_the_pivot_it_is_tried_again(world):
    BROKEN['tidy'] = errors.Unavailable('away')
    task, worker = world.begin(EngineCommitted), world.worker()
    worker.wake(task.uuid)
    assert world.task(task).status == rows.READY
    Looks(worker).round()
    assert world.task(task).status == rows.DONE


def test_an_undo_that_never_works_is_stuck_but_frees_the_server(world):
    """STUCK is an end: the server is an ERROR that can be deleted."""
    BROKEN['two'] = errors.Conflict('no')
    task, worker = world.begin(EngineLocal), world.worker()
    for _ in range(20):
        BROKEN['un_one'] = errors.Unavailable('away')
        worker.wake(task.uuid)
    assert world.task(task).status == rows.STUCK
    assert (world.server().vm_state, world.server().task_state) == ('error', None)
    world.begin(EngineLocal)


def test_only_a_super_conductor_runs_steps_above_the_cells(world):
    task = world.begin(EngineSuper)
    world.worker().wake(task.uuid)
    assert LOG == []
    world.worker(supers=True).wake(task.uuid)
    assert world.task(task).status == rows.DONE


def test_delete_cancels_a_parked_holder_and_waits_for_it(world):
    """CEL-F1, ALT-F4: what holds the server unwinds first; the user sees `deleting` all the while."""
    task, worker = world.begin(EngineHosted), world.worker()
    worker.wake(task.uuid)
    delete = world.begin(EngineDelete)
    assert world.server().task_state == states.Task.DELETING
    worker.wake(delete.uuid)
    assert world.hosts.cancelled == [('h1', task.uuid)]
    assert (world.task(delete).status, 'erase' in LOG) == (rows.WAITING, False)
    assert world.server().task_state == states.Task.DELETING
    world.answer(worker)
    assert world.task(task).status == rows.UNDONE
    assert world.task(delete).status == rows.DONE
    assert LOG[-1] == 'erase'
    assert world.server().vm_state == 'deleted'


def test_delete_cancels_a_running_holder_at_its_next_save(world):
    task, worker = world.begin(EngineLocal), world.worker()
    run = worker.pick(task.uuid, rows.READY)
    worker.lease.enter()
    worker.runner.claim(run)
    delete = world.begin(EngineDelete)
    assert worker.runner.end_step(run, 'done', None)
    while worker.runner.step(run):
        pass
    assert world.task(task).status == rows.UNDONE
    assert world.server().task_state == states.Task.DELETING
    worker.wake(delete.uuid)
    assert world.task(delete).status == rows.DONE


def test_a_second_delete_is_told_so(world):
    world.begin(EngineDelete)
    with pytest.raises(errors.task.Busy):
        world.begin(EngineDelete)


def test_the_guard_judges_after_the_slot_is_taken(world):
    def refuse(conn):
        found = objects.Instance.get(conn, uuid=world.instance.uuid)
        guard.From(states.VM.STOPPED).check(found, 'start')
        return found
    with pytest.raises(errors.Conflict):
        world.journal.begin(EngineLocal, EngineState(), world.context, instance_uuid=world.instance.uuid,
                            guard=refuse)
    with world.db.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.tasks)).scalar() == 0


def test_a_step_costs_one_transaction(world):
    """The ratchet: statements of a two-step task, from the wake-up to its end."""
    task, worker = world.begin(EngineLocal), world.worker()
    worker.lease.enter()
    with world.db.counting() as seen:
        worker.wake(task.uuid)
    writes = [s for s in seen if s.startswith(('INSERT', 'UPDATE'))]
    assert len(writes) == 6
    assert len([s for s in seen if s.startswith('SELECT')]) <= 4


class Lines:
    """A pool whose threads are all busy."""

    def __init__(self):
        self.waiting = []

    def background(self, fn, *args):
        self.waiting.append(lambda: fn(*args))

    def run(self):
        begun, self.waiting = self.waiting, []
        for each in begun:
            each()


def test_what_waits_for_a_thread_is_put_in_line_once(world):
    """A keeper that finds thousands of tasks in line would fill it with them anew in each of its rounds."""
    pool = Lines()
    worker = world.worker(pool=pool)
    task = world.begin(EngineLocal)
    keeper = Looks(worker)
    keeper.round(5)
    assert len(pool.waiting) == 1
    pool.run()
    assert LOG == ['one', 'two'] and world.task(task).status == rows.DONE


def test_what_comes_once_a_look_has_begun_is_not_lost(world):
    pool, seen = Lines(), []
    worker = world.worker(pool=pool)

    def look(uuid):
        seen.append(uuid)
        if len(seen) == 1:
            assert worker.submit(look, uuid)
    assert worker.submit(look, 'a') and worker.submit(look, 'b') and worker.submit(look, 'a')
    pool.run()
    assert seen == ['a', 'b']
    pool.run()
    assert seen == ['a', 'b', 'a']


def test_who_finds_no_room_is_let_in_later(world):
    pool = Lines()
    worker = world.worker(pool=pool)
    pool.background = lambda *_: False
    assert not worker.submit(worker.wake, 'a')
    del pool.background
    assert worker.submit(worker.wake, 'a') and len(pool.waiting) == 1
