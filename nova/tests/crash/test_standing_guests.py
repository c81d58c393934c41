"""A paused guest gets devices and lets none go: what was attached stays, where its operation fails (VOL-F1)."""

import pytest

from nova import errors
from nova.tests.simulation import cases, invariants
from nova.tests.simulation.cases import interfaces, volumes


def attach_volume(world, uuid):
    world.clients.volume.fail('complete', errors.block.VolumeInvalid(reason='no'), late=True)
    volumes.attach(world, uuid, world.clients.volume.add(project_id='project'))


def attach_interface(world, uuid):
    world.drivers[world.server(uuid).host].faults.fail(
        'attach_interface', errors.virt.DriverFailed(reason='no'), late=True)
    state = interfaces.ON['attach_interface'](world, world.server(uuid))
    world.begin(uuid, cases.flows()['attach_interface'], state)


@pytest.mark.parametrize('attach', [attach_volume, attach_interface])
def test_what_a_paused_guest_does_not_let_go_stays(new_world, attach):
    """Seed 935 of ``tools/simulate --rounds 10``: its undo was tried until it was given up."""
    world = new_world()
    uuid = world.running()
    cases.put(world, uuid, 'paused')
    attach(world, uuid)
    world.settle()
    server = world.server(uuid)
    assert [len(server.block_devices), len(server.network_info.vifs)] == (
        [1, 1] if attach is attach_volume else [0, 2])
    assert (server.vm_state, server.task_state) == ('paused', None)
    invariants.check(world)
