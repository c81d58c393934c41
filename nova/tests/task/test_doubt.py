"""What may still come when a task has ended is looked for a while later; and only then."""

import pytest
import sqlalchemy as sa

from nova import context, errors
from nova.common import uuids
from nova.db import tasks as tables
from nova.objects import step as wire
from nova.objects import task as rows
from nova.ops import remove_late
from nova.ops.build import schedule
from nova.ops.build import wire as build
from nova.task import flow, journal, run, runner
from nova.tests.task.world import (
    AWAY,
    BEAT,
    BROKEN,
    EngineDelete,
    EngineHosted,
    EngineLocal,
    EngineState,
    Looks,
    effect,
)


class EngineLook(flow.Flow[EngineState]):
    """Stands for the operation that looks."""

    exclusion = flow.SHARING
    steps = (flow.Step(effect('look')),)


MEANWHILE = []
"""What happens while the step runs, once."""


def sleep(h, state):
    while MEANWHILE:
        MEANWHILE.pop()()


class EngineSleepy(flow.Flow[EngineState]):
    steps = (flow.Step(sleep),)


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


def answer(call):
    return wire.StepResult(task=call.task, step=call.step, attempt=call.attempt, host=call.host, outcome='done')


def looked(world, worker, time, task):
    """Have those who follow a task look now; how many have looked so far."""
    time.go(runner.LATE + 1)
    worker.lease.beat()
    for each in follower(world, task):
        worker.wake(each.uuid)
    assert all(each.ended for each in follower(world, task))
    return len(follower(world, task))


@pytest.mark.parametrize(('cancelled', 'end'), [(False, rows.DONE), (True, rows.UNDONE)])
def test_a_worker_that_was_away_for_long_has_somebody_look_when_he_returns(time, world, worker, cancelled, end):
    """2.10: his one late effect came after the look that followed the task, be it done or turned back."""
    other = world.worker(after_doubt=EngineLook)
    looks = Looks(other)
    task = world.begin(EngineSleepy)

    def taken_over():
        if cancelled:
            world.journal.cancel_holder(world.instance.uuid, None)
        looks.round()
        for _ in range(4):
            time.go(BEAT)
            looks.round()
        assert world.task(task).status == end and looked(world, other, time, task) == 1
    MEANWHILE.append(taken_over)
    worker.wake(task.uuid)
    assert looked(world, worker, time, task) == 2


def test_so_does_a_host_that_answers_when_it_was_given_up(time, world, worker):
    task = world.begin(EngineHosted)
    worker.wake(task.uuid)
    call, = world.hosts.calls
    world.hosts.up = False
    BROKEN['pick'] = errors.Internal('no other host')
    Looks(worker).round(6)
    assert world.task(task).status == rows.UNDONE
    late = answer(call)
    worker.step_done(late)
    assert len(follower(world, task)) == 1, 'it will be looked for anyway'
    assert looked(world, worker, time, task) == 1
    worker.step_done(late)
    assert looked(world, worker, time, task) == 2


def test_an_answer_that_comes_twice_is_no_reason_to_look(time, world, worker):
    task = world.begin(EngineHosted)
    worker.wake(task.uuid)
    call, = world.hosts.calls
    for _ in range(2):
        worker.step_done(answer(call))
    assert world.task(task).status == rows.DONE and follower(world, task) == []


def test_who_says_nothing_any_more_is_found_by_the_comparisons_of_the_next_day(time, world):
    """2.10: three times, whoever compares and how often; a task without doubt is none of its business."""
    worker = world.worker(after_doubt=remove_late.RemoveLate)
    right = world.begin(EngineLocal)
    worker.wake(right.uuid)
    BROKEN['two'] = errors.Internal('no')
    task = world.begin(EngineLocal)
    worker.wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    found = []
    for minute in range(0, 26 * 60, 20):
        found += [minute // 60] * remove_late.begin_later(world.journal)
        assert remove_late.begin_later(world.journal) == 0
        time.go(20 * 60)
    assert found == [1, 4, 20]


def test_so_is_who_says_nothing_any_more_of_a_request_for_servers(time, world):
    """2.10: such a task has no server of its own; what it asked for is in its state."""
    state = build.ScheduleState(servers=[build.Planned(uuid=uuids.generate(), build=uuids.generate())])

    def ended(doubt):
        def write(conn):
            task = journal.insert(conn, schedule.Schedule, state, context.admin())
            conn.execute(tables.tasks.update().where(tables.tasks.c.uuid == task.uuid).values(
                status=rows.UNDONE, doubt=doubt, finished_at=world.db.now()))
            return task.uuid
        return world.db.write(write)
    asked, found = ended(True), []
    ended(False)
    for minute in range(0, 26 * 60, 20):
        found += [minute // 60] * schedule.begin_later(world.journal)
        assert schedule.begin_later(world.journal) == 0
        time.go(20 * 60)
    assert found == [1, 4, 20]
    with world.db.read() as conn:
        looks = conn.execute(sa.select(tables.tasks).where(tables.tasks.c.parent.isnot(None))).all()
    assert [one.flow for one in looks] == ['remove_late_claims'] * 3
    assert {one.parent for one in looks} == {asked}
    assert all(run.state_of(rows.from_row(one)).servers[0].uuid == state.servers[0].uuid for one in looks)


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


def test_a_step_that_its_host_does_not_know_leaves_a_doubt(world, worker):
    """The host may have died with it, amid a request to somebody; one that is told again has it."""
    task = world.begin(EngineHosted)
    worker.wake(task.uuid)
    world.hosts.named.add((task.uuid, world.task(task).attempt))
    Looks(worker, recast=0.0).round()
    assert not world.task(task).doubt
    world.hosts.named.clear()
    Looks(worker, recast=0.0).round()
    assert world.task(task).doubt and len(world.hosts.calls) == 2
    world.answer(worker)
    assert world.task(task).status == rows.DONE and len(follower(world, task)) == 1
