"""Deleting while things break: VOL-F2, CLM-F2, EVA-S1's half that is ours, and the end of soft deletes."""

import datetime

import pytest

from nova import objects, states
from nova.common import clock
from nova.ops.delete import flow, reclaim
from nova.ops.pause import Pause
from nova.task import journal
from nova.tests.crash.script import Killed
from nova.tests.simulation import invariants
from nova.tests.simulation.cases import resize


def volume(world):
    return world.clients.volume.add(project_id='project')


def test_a_server_whose_host_is_down_is_deleted_nevertheless(new_world):
    """CLM-F2: nothing is held for it; its guest waits for the agent's return."""
    world = new_world()
    uuid = world.running(volumes=[volume(world)])
    world.up.discard('h1')
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None and uuid in world.drivers['h1'].guests()


def test_a_host_that_dies_while_it_deletes(new_world):
    world = new_world()
    uuid = world.running()

    def die():
        world.up.discard('h1')
        raise Killed
    world.delete(uuid)
    world.drivers['h1'].faults.after(lambda name, server: die() if name == 'destroy' else None)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None


@pytest.mark.parametrize('number', range(1, 4))
def test_an_operation_is_taken_back_before_the_delete(new_world, number):
    """The delete comes at any moment of a pause."""
    world = new_world()
    uuid = world.running()
    world.script.do(number, 'after', lambda: world.delete(uuid))
    world.begin(uuid, Pause)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None


def test_volumes_that_end_with_the_server(new_world):
    world = new_world()
    kept, gone = volume(world), volume(world)
    uuid = world.running(volumes=[kept, gone])
    device = next(each for each in world.server(uuid).block_devices if each.volume_id == gone)
    device.delete_on_termination = True
    world.raw['cell1'].write(device.save)
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert set(world.clients.volume.volumes) == {kept}


def test_a_soft_delete_ends(new_world):
    world = new_world()
    uuid = world.running()
    world.delete(uuid, flow.SoftDelete)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.SOFT_DELETED
    tasks = journal.Journal(world.raw['cell1'])
    assert reclaim.begin_due(tasks, 60) == []
    world.change(uuid, deleted_at=clock.utcnow() - datetime.timedelta(seconds=61))
    assert [task.flow for task in reclaim.begin_due(tasks, 60)] == ['delete']
    assert reclaim.begin_due(tasks, 60) == []
    world.settle()
    invariants.check(world)
    with world.raw['cell1'].read() as conn:
        assert objects.Instance.get(conn, uuid=uuid, deleted=None).deleted


def test_a_resize_that_has_just_ended_is_confirmed_by_a_soft_delete(new_world):
    """The delete had looked at the server before the resize was done: seed 20053 of ``tools/simulate``."""
    world = new_world()
    uuid = resize.resized(world)
    move = world.server(uuid).migration_context
    world.change(uuid, migration_context=None)
    world.delete(uuid, flow.SoftDelete)
    world.count_from_here()
    world.script.do(2, 'before', lambda: world.change(uuid, migration_context=move))
    world.settle()
    assert world.script.seen[1][:2] == ('soft_delete', 'cancel_holder')
    assert move is not None and world.server(uuid).migration_context is None
    invariants.check(world)
