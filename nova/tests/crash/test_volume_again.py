"""A volume is attached again as soon as the volume service has it back, while who gave it up is killed.

What is done once more when somebody takes over is done to the device that goes, not to the new one (VOL-S2).
"""

import pytest

from nova import errors, objects
from nova.tests.crash.script import Killed
from nova.tests.simulation import cases, invariants
from nova.tests.simulation.cases import volumes as case


def attach_again(world, uuid, volume):
    """What the API does when it is asked for: device, task, reservation; whether it would."""
    there = objects.BlockDeviceMapping
    with world.raw[world.cell_of(uuid)].read() as conn:
        if there.all(conn, instance_uuid=uuid, volume_id=volume):
            return False
    if world.clients.volume.volumes[volume]['status'] != 'available':
        return False
    case.attach(world, uuid, volume)
    attachment = world.clients.volume.reserve(volume, uuid)

    def keep(conn):
        device, = there.all(conn, instance_uuid=uuid, volume_id=volume)
        assert there.keep_attachment(conn, device.uuid, attachment)
    world.raw[world.cell_of(uuid)].write(keep)
    return True


def begun(world, flow):
    uuid = cases.starts()[flow](world)
    if flow == 'attach_volume':
        world.drivers[world.server(uuid).host].faults.fail(
            'attach_volume', errors.virt.DriverFailed(reason='no'))
    volume, = world.clients.volume.volumes
    return uuid, volume


@pytest.mark.parametrize('flow', ['detach_volume', 'attach_volume'])
def test_a_volume_comes_back_while_it_goes(new_world, flow):
    """Detached, and an attachment that failed, which is undone."""
    world = new_world()
    begun(world, flow)
    world.settle()
    asked = 0
    for number in range(1, world.script.count + 1):
        world = new_world()
        uuid, volume = begun(world, flow)
        again = []

        def act(world=world, uuid=uuid, volume=volume, again=again):
            again.append(attach_again(world, uuid, volume))
            raise Killed
        world.script.do(number, 'after', act)
        world.settle()
        invariants.check(world)
        if again == [True]:
            asked += 1
            assert [one.volume_id for one in world.server(uuid).block_devices] == [volume], number
            assert {one.status for one in world.tasks_of(uuid)[:1]} == {'done'}, number
    assert asked, 'the volume never was free while the operation was open'
