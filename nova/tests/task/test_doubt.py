"""What may still come when a task has ended is looked for a while later; and only then."""

import pytest

from nova import errors
from nova.objects import task as rows
from nova.task import flow, runner
from nova.tests.task.world import AWAY, BROKEN, EngineDelete, EngineLocal, EngineState, effect


class EngineLook(flow.Flow[EngineState]):
    """Stands for the operation that looks."""

    exclusion = flow.SHARING
    steps = (flow.Step(effect('look')),)


def follower(world, task):
    with world.db.read() as conn:
        found = [one for one in rows.of_instance(conn, world.instance.uuid) if one.flow == EngineLook.name]
    assert all(one.parent == task.uuid for one in found)
    return found


@pytest.fixture
def worker(world):
    return world.worker(after_doubt=EngineLook)


def test_a_task_that_goes_right_is_followed_by_nothing(world, worker):
    task = world.begin(EngineLocal)
    worker.wake(task.uuid)
    assert world.task(task).status == rows.DONE and follower(world, task) == []


def test_one_that_fails_is_followed_after_a_while(world, worker):
    BROKEN['two'] = errors.Internal('no')
    task = world.begin(EngineLocal)
    worker.wake(task.uuid)
    look, = follower(world, task)
    assert (world.task(task).status, look.status) == (rows.UNDONE, rows.READY)
    assert (look.not_before - world.task(task).finished_at).total_seconds() == pytest.approx(runner.LATE, abs=1)
    assert look.deadline > look.not_before


def test_so_is_one_that_had_to_wait_for_a_neighbour(world, worker):
    """What was asked for the first time may have happened, unheard of."""
    AWAY.add('one')
    task = world.begin(EngineLocal)
    worker.wake(task.uuid)
    AWAY.clear()
    worker.wake(task.uuid)
    assert (world.task(task).status, world.task(task).doubt) == (rows.DONE, True)
    assert len(follower(world, task)) == 1


def test_so_is_one_that_was_cancelled(world, worker):
    task = world.begin(EngineLocal)
    delete = world.begin(EngineDelete)
    worker.wake(delete.uuid)
    worker.wake(task.uuid)
    assert world.task(task).status == rows.UNDONE and len(follower(world, task)) == 1


def test_what_looks_is_not_looked_after_itself(world, worker):
    BROKEN['look'] = errors.Internal('no')
    task = world.begin(EngineLook)
    worker.wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    with world.db.read() as conn:
        assert len(rows.of_instance(conn, world.instance.uuid)) == 1


def test_a_server_is_held_by_one(world):
    """Who shares a server can hold it for a time, when nobody else does; and then nobody else may begin."""
    mine, slot = world.begin(EngineLook), flow.Flow.slot()
    other = world.begin(EngineLocal)
    with pytest.raises(errors.task.Occupied):
        world.db.write(lambda conn: rows.take_slot(conn, mine, slot))
    world.worker().wake(other.uuid)
    for _ in range(2):
        world.db.write(lambda conn: rows.take_slot(conn, mine, slot))
    with pytest.raises(errors.task.Busy):
        world.begin(EngineLocal)
    world.worker().wake(mine.uuid)
    world.begin(EngineLocal)
