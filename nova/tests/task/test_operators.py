"""Stuck tasks are resumed, or abandoned; and what cannot be."""

import pytest

from nova import errors, states
from nova.common import uuids
from nova.db import tasks as tables
from nova.objects import task as rows
from nova.objects import task_lists
from nova.ops.remove_late import RemoveLate
from nova.task import flow, operators, plan
from nova.tests.task import world as worlds

BROKEN = errors.Internal('it is broken')
INTERRUPT = []
"""Called once in the middle of a step."""


def interrupted(h, state):
    INTERRUPT.pop()()


class EngineInterrupted(flow.Flow[worlds.EngineState]):
    steps = (flow.Step(interrupted), flow.Step(worlds.effect('two')))


def stuck(world, worker):
    """A task that could not be undone: its second step failed, and the undo of its first as often as it is
    tried."""
    task = world.begin(worlds.EngineLocal)
    worlds.BROKEN['two'] = BROKEN
    while not world.task(task).ended:
        worlds.BROKEN['un_one'] = BROKEN
        worker.wake(task.uuid)
    worlds.BROKEN.clear()
    assert world.task(task).status == rows.STUCK and world.server().vm_state == 'error'
    return task


def notes(world, task):
    with world.db.read() as conn:
        return [(row.name, row.status, row.detail) for row in rows.steps(conn, [task.uuid])]


def test_a_stuck_task_goes_on(world):
    worker = world.worker()
    task = stuck(world, worker)
    worlds.LOG.clear()
    operators.resume(world.db, task.uuid, 'root')
    again = world.task(task)
    assert (again.status, again.exclusive, again.finished_at, again.tries) == (rows.READY, 'main', None, 0)
    assert again.deadline > world.db.now() and ('one', 'resumed', 'root') in notes(world, task)
    worker.wake(task.uuid)
    ended, server = world.task(task), world.server()
    assert (ended.status, ended.exclusive) == (rows.UNDONE, None) and worlds.LOG == ['un_one']
    assert (server.vm_state, server.task_state) == ('active', None), 'the server is what it was'


def test_one_that_is_stuck_again_can_be_resumed_again(world):
    worker = world.worker()
    task = stuck(world, worker)
    operators.resume(world.db, task.uuid, 'root')
    for _ in range(plan.UNDO_TRIES):
        assert not world.task(task).ended
        worlds.BROKEN['un_one'] = BROKEN
        worker.wake(task.uuid)
    assert world.task(task).status == rows.STUCK
    operators.resume(world.db, task.uuid, 'root')
    worker.wake(task.uuid)
    assert (world.task(task).status, world.server().vm_state) == (rows.UNDONE, 'active')


def test_a_server_that_is_something_else_by_now_stays_it(world):
    worker = world.worker()
    task = stuck(world, worker)
    world.db.write(lambda conn: conn.execute(type(world.instance).table.update().values(vm_state='stopped')))
    operators.resume(world.db, task.uuid, 'root')
    worker.wake(task.uuid)
    assert world.server().vm_state == 'stopped'


def test_one_whose_server_is_busy_is_not_resumed(world):
    worker = world.worker()
    task = stuck(world, worker)
    world.begin(worlds.EngineLocal)
    with pytest.raises(errors.task.NotToBeResumed, match='another operation'):
        operators.resume(world.db, task.uuid, 'root')
    assert world.task(task).status == rows.STUCK


def test_one_that_pauses_goes_on_now(world):
    worker = world.worker(pauses=(3600.0,))
    worlds.AWAY.add('one')
    task = world.begin(worlds.EngineLocal)
    worker.wake(task.uuid)
    worlds.AWAY.clear()
    worker.wake(task.uuid)
    assert (paused := world.task(task)).status == rows.READY and paused.not_before is not None
    operators.resume(world.db, task.uuid, 'root')
    worker.wake(task.uuid)
    assert world.task(task).status == rows.DONE
    with pytest.raises(errors.task.NotToBeResumed, match='has ended'):
        operators.resume(world.db, task.uuid, 'root')


def test_one_that_goes_on_need_not_be_resumed(world):
    worker = world.worker()
    task = world.begin(worlds.EngineHosted)
    worker.wake(task.uuid)
    with pytest.raises(errors.task.NotToBeResumed, match='it goes on: it is parked'):
        operators.resume(world.db, task.uuid, 'root')


def test_one_of_which_nothing_is_known_any_more_is_not_resumed(world):
    worker = world.worker()
    task = world.begin(worlds.EngineLocal)
    worker.condemn(task.uuid, BROKEN)
    with pytest.raises(errors.task.NotToBeResumed, match='abandon it'):
        operators.resume(world.db, task.uuid, 'root')
    operators.abandon(world.db, task.uuid, 'root', 'hopeless')
    assert world.task(task).status == rows.ABANDONED


@pytest.mark.parametrize('decide', [operators.resume, operators.abandon])
def test_there_is_no_such_task(world, decide):
    more = () if decide is operators.resume else ('because',)
    with pytest.raises(errors.task.TaskNotFound):
        decide(world.db, uuids.generate(), 'root', *more)


def test_a_stuck_task_is_abandoned(world):
    worker = world.worker()
    task = stuck(world, worker)
    left = operators.abandon(world.db, task.uuid, 'root', 'the disk is gone')
    ended = world.task(task)
    assert (ended.status, ended.error['abandoned_by']) == (rows.ABANDONED, 'root')
    assert left == ['Step one was done and is not undone.', 'Step one (undo) may be done in part.']
    assert ('one', 'abandoned', 'root: the disk is gone') in notes(world, task)
    with world.db.read() as conn:
        assert task_lists.unfinished(conn, 10) == []
        assert len(task_lists.unfinished(conn, 10, ended=True)) == 1
    for decide in (lambda: operators.abandon(world.db, task.uuid, 'root', 'again'),
                   lambda: operators.resume(world.db, task.uuid, 'root')):
        with pytest.raises(errors.Conflict, match='it is abandoned'):
            decide()


def test_an_open_task_is_abandoned_when_it_is_said_twice(world):
    worker = world.worker()
    task = world.begin(worlds.EngineHosted)
    worker.wake(task.uuid)
    with pytest.raises(errors.task.NotToBeAbandoned, match='--force'):
        operators.abandon(world.db, task.uuid, 'root', 'no patience')
    left = operators.abandon(world.db, task.uuid, 'root', 'no patience', force=True)
    ended, server = world.task(task), world.server()
    assert (ended.status, ended.exclusive, ended.error['type']) == (rows.ABANDONED, None, 'abandoned')
    assert (server.vm_state, server.task_state) == ('error', None)
    assert 'Step spawn (do) may be done in part on host h1.' in left
    world.answer(worker)
    assert world.task(task).status == rows.ABANDONED, 'what its host answers counts no more'
    with world.db.read() as conn:
        assert rows.not_begun(conn, RemoveLate.name, [world.instance.uuid]), 'and what it leaves is looked for'
    world.begin(worlds.EngineLocal)


def test_whoever_runs_it_loses_it(world):
    """A worker that is in a step of it when it is abandoned writes nothing more."""
    worker = world.worker()
    task = world.begin(EngineInterrupted)
    INTERRUPT.append(lambda: operators.abandon(world.db, task.uuid, 'root', 'now', force=True))
    worker.wake(task.uuid)
    assert world.task(task).status == rows.ABANDONED and 'two' not in worlds.LOG


def test_a_stuck_server_says_what_it_was(world):
    task = stuck(world, world.worker())
    assert world.task(task).error['vm_state'] == states.VM.ACTIVE


def test_one_that_is_resumed_is_in_doubt(world):
    """What it asks for may have been asked for before, even where it was ended by its row alone."""
    worker = world.worker()
    task = stuck(world, worker)
    world.db.write(lambda conn: conn.execute(tables.tasks.update().values(doubt=False)))
    assert operators.resume(world.db, task.uuid, 'root').uuid == task.uuid
    assert world.task(task).doubt
