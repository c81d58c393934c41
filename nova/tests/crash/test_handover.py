"""The hand-over of new servers while cells, and everything above them, are away for as long as they like."""

import contextlib
import datetime

import pytest
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import objects, states
from nova.common import clock
from nova.conductor import periodic
from nova.db import tasks as tables
from nova.objects import instance_action
from nova.objects import task as rows
from nova.tests.crash import world as worlds
from nova.tests.crash.script import Killed
from nova.tests.simulation import invariants


def run_to(world, step):
    """Work the queue off until the schedule task is about to do `step`; then its super-conductor is no more."""
    def stop(flow, name, direction):
        meant(flow, name, direction)
        if (flow, name, direction) == ('schedule', step, 'do'):
            raise Killed
    meant, world.script.at = world.script.at, stop
    while world.queue:
        owner, fn, args = world.queue.popleft()
        world._act(owner, fn, *args)
    world.script.at = meant


def work(world, rounds=20):
    """Work on for a while; what waits for a cell that is away goes on waiting."""
    for _ in range(rounds):
        while world.queue:
            owner, fn, args = world.queue.popleft()
            act(world, owner, fn, *args)
        for worker in world.workers:
            for made in worker.engines.values():
                made.lease.beat()
            for each in list(worker.keepers):
                act(world, worker, each.round)


def act(world, owner, fn, *args):
    with contextlib.suppress(db_exc.DBConnectionError):
        world._act(owner, fn, *args)


def see_to_hand_overs(world):
    periodic.HandOvers(worlds._Cells(world, world.workers[0]))()


def long_ago(world, cell):
    """Everything in the cell was written a day ago."""
    yesterday = clock.utcnow() - datetime.timedelta(days=1)
    world.raw[cell].write(lambda conn: conn.execute(tables.tasks.update().values(created_at=yesterday)))


@pytest.mark.parametrize('step', ['hand_over', 'activate'])
def test_everything_above_the_cells_is_away_for_a_day(new_world, step):
    """What a task owns is not swept because it is old."""
    world = new_world()
    uuid, = world.order()
    run_to(world, step)
    long_ago(world, 'cell1')
    world.restart(world.workers[0])
    see_to_hand_overs(world)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE


def test_a_cell_is_away_when_its_servers_are_to_be_written(new_world):
    """They get hosts of another cell; what may have been written is purged when it is back."""
    world = new_world()
    uuid, = world.order()
    run_to(world, 'write_cells')
    world.away.add('cell1')
    work(world)
    assert world.cell_of(uuid) == 'cell2'
    world.away.clear()
    see_to_hand_overs(world)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE


def test_a_cell_has_just_moved_when_its_servers_are_to_be_written(new_world):
    """Nothing is at the place that this process knows: it looks where the cell is now."""
    world = new_world()
    uuid, = world.order()
    run_to(world, 'write_cells')
    world.known['cell1'] = world.mappings['cell1'].copy()
    world.known['cell1'].database_connection = 'sqlite:///before'
    world.settle()
    assert world.cell_of(uuid) == 'cell1'
    assert world.server(uuid).vm_state == states.VM.ACTIVE


def test_a_write_whose_answer_was_lost_leaves_nothing(new_world):
    """The rows are there, but the cell seemed to be away: the server goes elsewhere, and they go."""
    world = new_world()
    world.order()
    world.settle()
    number = next(number for number, effect in enumerate(world.script.seen, 1) if effect[-1] == 'write cell1')
    world = new_world()

    def lose():
        raise db_exc.DBConnectionError
    world.script.do(number, 'after', lose)
    uuid, = world.order()
    work(world)
    see_to_hand_overs(world)
    world.settle()
    invariants.check(world)
    assert world.cell_of(uuid) == 'cell2'


def test_a_task_that_never_let_its_build_go_is_stood_in_for(new_world):
    """An inert build always has somebody who cares."""
    world = new_world()
    uuid, = world.order()
    run_to(world, 'activate')
    world.raw['api'].write(lambda conn: conn.execute(
        tables.tasks.update().values(status=rows.DONE, finished_at=clock.utcnow())))
    see_to_hand_overs(world)
    world.settle()
    assert world.server(uuid).vm_state == states.VM.ACTIVE


class Refusing(worlds.Watched):
    """A cell0 that takes no server, for a reason that will not pass."""

    def write(self, fn, attempts=20, landed=None):
        raise sa.exc.DataError('INSERT', {}, ValueError('a value that no column holds'))


def test_a_server_that_cell0_never_takes_ends_in_error_where_it_is(new_world):
    """16.4: a fault, an action, and it can be deleted; and then nothing is counted any more."""
    world = new_world()
    world.up.clear()
    world.dbs['cell0'] = Refusing(world.raw['cell0'], world.script, 'write cell0', 'cell0', world.away)
    uuid, = world.order()
    world.settle()
    with world.raw['api'].read() as conn:
        request = objects.BuildRequest.get(conn, instance_uuid=uuid)
    assert (request.instance.vm_state, request.instance.task_state) == ('error', None)
    fault = instance_action.fault_of(world.raw['api'], uuid)
    assert 'There are not enough hosts available.' in fault['message']
    assert [one.action for one in instance_action.list_actions(world.raw['api'], uuid)] == ['create']
    assert world.delete(uuid)
    with world.raw['api'].read() as conn:
        assert objects.InstanceMapping.find(conn, instance_uuid=uuid) is None
        assert objects.RequestSpec.find(conn, instance_uuid=uuid) is None
        assert not rows.of_instance(conn, uuid)
