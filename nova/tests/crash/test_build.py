"""Building servers while things break: CEL-S1, CEL-S2, CEL-F1, ALT-S4, ALT-S5, ALT-F1, ALT-F4, CLM-F1."""

import pytest

from nova import errors, objects, states
from nova.objects import task as rows
from nova.tests.compute.cell import Handle
from nova.tests.crash.script import Killed
from nova.tests.simulation import invariants
from nova.virt.fake import driver as fake_driver

EFFECTS = 16
"""Of a build without volumes; test_a_build counts them."""


def test_a_build(new_world):
    world = new_world()
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.script.count == EFFECTS
    server = world.server(uuid)
    assert (server.vm_state, server.host, server.power_state) == ('active', 'h1', 1)
    assert server.launched_at is not None and server.launched_on == 'h1'


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_killed_at_any_effect(new_world, number, when):
    """TSK-S2: whoever dies, the server is built."""
    world = new_world()
    world.script.kill(number, when)
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_deleted_at_any_effect(new_world, number, when):
    """CEL-F1: whichever deletes the build request first decides, and nothing survives."""
    world = new_world()
    uuids = []
    world.script.do(number, when, lambda: world.delete(uuids[0]))
    uuids += world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuids[0]) is None
    assert not world.clients.placement.consumers and not world.clients.network.api.all_ports


@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_deleted_and_killed(new_world, number):
    """A delete comes, and at once the process that was at work dies."""
    world, when = new_world(), 'before' if number % 2 else 'after'
    uuids = []

    def act():
        world.delete(uuids[0])
        raise Killed
    world.script.do(number, when, act)
    uuids += world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuids[0]) is None


@pytest.mark.parametrize('host', ['fits', 'none'])
@pytest.mark.parametrize('end', ['lives', 'dies'])
@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_changed_at_any_effect(new_world, number, when, end, host):
    """What a user is told was changed stays so, wherever the server is kept by then, cell0 included."""
    world = new_world()
    uuids, changed = [], []

    def act():
        changed.append(renamed(world, uuids[0]))
        if end == 'dies':
            raise Killed
    world.script.do(number, when, act)
    if host == 'none':
        world.up.clear()
    uuids += world.order()
    world.settle()
    invariants.check(world)
    server = world.server(uuids[0])
    assert server.vm_state == ('active' if host == 'fits' else 'error')
    if True in changed:
        with world.raw[world.cell_of(uuids[0])].read() as conn:
            server = objects.Instance.get(conn, ('metadata', 'tags'), uuid=uuids[0])
        assert (server.display_name, server.metadata, server.tags) == ('renamed', {'new': 'one'}, ['new'])


def renamed(world, uuid):
    """PUT /servers/{id} as long as it is kept as a build request; whether it was."""
    def change(instance):
        instance.display_name, instance.metadata, instance.tags = 'renamed', {'new': 'one'}, ['new']

    def write(conn):
        if objects.BuildRequest.find(conn, instance_uuid=uuid) is None:
            return False
        objects.BuildRequest.alter(conn, uuid, change)
        return True
    return world.raw['api'].write(write)


def test_a_refused_host_is_followed_by_an_alternate(new_world):
    """ALT-S5: claimed in Placement by the cell; the scheduler is asked once."""
    world = new_world()
    world.refusing.add('h1')
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).host == 'h2'


def test_placement_fails_while_an_alternate_is_claimed(new_world):
    """ALT-F2 (B 1837955): the same end as when none is left, nothing held."""
    world = new_world()
    world.refusing.add('h1')
    world.script.fail('build', 'take_host')
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    server, task = world.server(uuid), world.tasks_of(uuid)[0]
    assert (server.vm_state, server.host) == ('error', None)
    assert (task.action, task.status) == ('create', rows.UNDONE)
    assert ('build', 'take_host', 'do') in {seen[:3] for seen in world.script.seen}


def test_every_host_refuses(new_world):
    """ALT-F1: an error with a reason, nothing held."""
    world = new_world()
    world.refusing |= {'h1', 'h2'}
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    server = world.server(uuid)
    assert (server.vm_state, server.host) == ('error', None)
    task, = [task for task in world.tasks_of(uuid) if task.action == 'create']
    assert task.status == rows.UNDONE
    assert 'told to' in task.error['message']


def test_a_host_that_dies_is_followed_by_an_alternate(new_world):
    world = new_world()

    def die():
        world.up.discard('h1')
        raise Killed
    world.script.do(EFFECTS - 1, 'before', die)
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).host == 'h2'


def test_no_host_is_buried_with_a_reason(new_world):
    """CEL-S2, CLM-F1: cell0, an error, a failed create; and it can be deleted."""
    world = new_world()
    world.up.clear()
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.cell_of(uuid) == 'cell0'
    assert world.server(uuid).vm_state == states.VM.ERROR
    task, = [task for task in world.tasks_of(uuid) if task.action == 'create']
    assert task.status == rows.UNDONE
    assert 'There are not enough hosts available.' in task.error['message']
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None


@pytest.mark.parametrize('number', range(1, 9))
def test_killed_while_burying(new_world, number):
    world = new_world()
    world.up.clear()
    world.script.kill(number, 'after')
    uuid, = world.order(count=1)
    world.settle()
    invariants.check(world)
    assert world.cell_of(uuid) == 'cell0'


def test_several_servers_are_placed_together(new_world):
    world = new_world()
    uuids = world.order(count=10)
    world.settle()
    invariants.check(world)
    assert {world.server(uuid).vm_state for uuid in uuids} == {'active'}
    assert {world.cell_of(uuid) for uuid in uuids} == {'cell1', 'cell2'}


def test_several_servers_are_placed_all_or_none(new_world):
    """ALT-F5: the claims of those that would have fitted are gone."""
    world = new_world()
    uuids = world.order(count=17)
    world.settle()
    invariants.check(world)
    assert {world.cell_of(uuid) for uuid in uuids} == {'cell0'}
    assert not world.clients.placement.consumers


def test_one_of_several_is_withdrawn(new_world):
    world = new_world()
    uuids = world.order(count=3)
    assert world.delete(uuids[1])
    world.settle()
    invariants.check(world)
    assert [world.server(uuid) is not None for uuid in uuids] == [True, False, True]
    with world.raw['api'].read() as conn:
        assert objects.RequestSpec.find(conn, instance_uuid=uuids[1]) is None


def test_a_cell_that_fails_while_rows_are_written(new_world):
    """The servers are buried, and what the cell has of them is invisible or gone."""
    world = new_world()
    world.script.fail('schedule', 'write_cells', 'after')
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.cell_of(uuid) == 'cell0'


def with_volumes(world, count=2):
    return [world.clients.volume.add(size=1, project_id='project') for _ in range(count)]


def test_volumes_are_in_use_when_it_runs(new_world):
    world = new_world()
    volumes = with_volumes(world)
    uuid, = world.order(volumes=volumes)
    world.settle()
    invariants.check(world)
    assert {world.clients.volume.volumes[volume]['status'] for volume in volumes} == {'in-use'}
    assert set(world.drivers['h1'].connected) == set(volumes)
    mounted = [one.connector['mountpoint'] for one in world.clients.volume.held.values()]
    assert mounted == ['/dev/vd0', '/dev/vd1']
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert {world.clients.volume.volumes[volume]['status'] for volume in volumes} == {'available'}


def test_volumes_stay_reserved_over_a_refusal(new_world):
    """1784353: the second host attaches what the first one gave up."""
    world = new_world()
    volumes = with_volumes(world)
    world.script.fail('build', 'spawn', times=1)
    uuid, = world.order(volumes=volumes)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).host == 'h2'
    assert {world.clients.volume.volumes[volume]['status'] for volume in volumes} == {'in-use'}
    assert not any(world.drivers['h1'].connected.values())


@pytest.mark.parametrize('number', range(14, 31))
def test_killed_with_volumes_and_a_refusal(new_world, number):
    world = new_world()
    volumes = with_volumes(world)
    world.script.fail('build', 'spawn', times=1)
    world.script.kill(number, 'after')
    uuid, = world.order(volumes=volumes)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE


def test_a_host_that_binds_no_port_is_followed_by_an_alternate(new_world):
    world = new_world()
    world.clients.network.api.no_agent_on.add('h1')
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).host == 'h2'
    assert [port['binding:host_id'] for port in world.clients.network.api.all_ports.values()] == ['h2']


@pytest.mark.parametrize('number', range(14, 26))
def test_deleted_with_volumes_that_a_host_connects(new_world, number):
    """Cinder reserves nothing that is being connected: the way back does not depend on it."""
    world, uuids = new_world(), []
    volumes = with_volumes(world)
    world.script.do(number, 'after', lambda: world.delete(uuids[0]))
    uuids += world.order(volumes=volumes)
    world.settle()
    invariants.check(world)
    assert world.server(uuids[0]) is None
    assert {world.clients.volume.volumes[volume]['status'] for volume in volumes} == {'available'}
    assert not world.clients.placement.consumers and not world.clients.network.api.all_ports


def test_a_volume_that_is_lost_ends_the_build(new_world):
    """An administrator took it away while a host was at it: an error that says so, and nothing is left."""
    world = new_world()
    volume, = with_volumes(world)[:1]
    world.script.fail('build', 'spawn', times=1)

    def lose(name, args):
        if name == 'disconnect_volume':
            world.clients.volume.held.clear()
            world.clients.volume.volumes[volume]['status'] = 'maintenance'
    for driver in world.drivers.values():
        driver.faults.after(lose)
    uuid, = world.order(volumes=[volume])
    world.settle()
    assert world.server(uuid).vm_state == states.VM.ERROR
    assert not world.clients.placement.consumers and not world.clients.network.api.all_ports


def test_the_users_word_is_gone_before_a_host_is_tried(new_world):
    """Hosts are lent the state of a build: they never see a token, sealed or not."""
    seen = []
    for volumes in (False, True):
        world = new_world()

        def look(call, world=world):
            seen.append(call.state.trust)
        plain = world.host_step
        world.host_step = lambda cell, call, plain=plain, look=look: (look(call), plain(cell, call))
        world.order(volumes=with_volumes(world) if volumes else ())
        world.settle()
    assert len(seen) >= 3 and set(seen) == {None}


def test_nobody_gets_ports_without_the_users_word(new_world):
    world = new_world()
    world.asking = world.context
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ERROR
    assert world.tasks_of(uuid)[0].error['type'] == 'not_entrusted'
    assert not world.clients.network.api.all_ports


def test_what_neutron_refuses_the_user_ends_the_build(new_world):
    """A fixed address on a network that another project shares is its owner's to give."""
    world = new_world()
    world.network = world.clients.network.api.add_network('elsewhere', shared=True)
    plain = objects.NetworkRequest(network_id=world.network)
    chosen = objects.NetworkRequest(network_id=world.network, address='10.0.0.77')
    for request, expected in ((plain, states.VM.ACTIVE), (chosen, states.VM.ERROR)):
        uuid, = world.order(networks=[request])
        world.settle()
        invariants.check(world)
        assert world.server(uuid).vm_state == expected
    assert world.tasks_of(uuid)[0].error['code'] == 403


# Volumes that are made with a server --------------------------------------------------------------

def made_for(world, uuid):
    volumes = world.clients.volume
    return [volumes.show(None, ident) for ident, server in volumes.origins.items()
            if server == uuid and ident in volumes.volumes]


def test_volumes_are_made_for_the_project_and_go_with_the_server(new_world):
    """Cinder takes its time; the task waits without a thread."""
    world = new_world()
    world.clients.volume.slowness = 3
    uuids = world.order(count=2, new=['image', 'blank'])
    world.settle()
    invariants.check(world)
    for uuid in uuids:
        found = made_for(world, uuid)
        assert {one['status'] for one in found} == {'in-use'}
        assert {one['os-vol-tenant-attr:tenant_id'] for one in found} == {'project'}
        assert [device.volume_id for device in world.server(uuid).block_devices] == [one['id'] for one in found]
    asked = [{key: each.get(key) for key in ('imageRef', 'size', 'name', 'availability_zone')}
             for each in world.clients.volume.made[:2]]
    assert asked == [{'imageRef': world.image.id, 'size': 1, 'name': '', 'availability_zone': None},
                     {'imageRef': None, 'size': 1, 'name': f'{uuids[0]}-blank-vol', 'availability_zone': None}]
    for uuid in uuids:
        world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert not world.clients.volume.volumes


def test_a_volume_that_is_to_stay_stays(new_world):
    world = new_world()
    uuid = world.running(new=['blank'])
    cell = world.cell_of(uuid)
    with world.raw[cell].read() as conn:
        device, = objects.Instance.get(conn, ('block_devices',), uuid=uuid).block_devices
    device.delete_on_termination = False
    world.raw[cell].write(device.save)
    world.delete(uuid)
    world.settle()
    assert [one['status'] for one in world.clients.volume.volumes.values()] == ['available']


def test_in_the_hosts_zone_where_zones_matter(new_world):
    world = new_world()
    world.override('cross_az_attach', False, 'cinder')
    world.running(new=['blank'])
    assert world.clients.volume.made[0]['availability_zone'] == 'nova'


def failed_build(world, **options):
    """A server that could not be built: why, with nothing left of its volumes."""
    uuid, = world.order(**options)
    world.settle()
    invariants.check(world)
    assert (world.server(uuid).vm_state, made_for(world, uuid)) == ('error', [])
    assert not world.clients.volume.held
    return world.tasks_of(uuid)[0].error


def test_over_the_quota_of_volumes(new_world):
    """The first one, which was made, goes; the fault is the user's to read."""
    world = new_world()
    world.clients.volume.fail('create', errors.block.VolumeLimitExceeded(reason='2 of 2'), times=9,
                              when=lambda args: not args[1].get('imageRef'))
    error = failed_build(world, new=['image', 'blank'])
    assert (error['code'], error['message']) == (403, 'Volume resource quota exceeded: 2 of 2')


def test_a_volume_that_cinder_cannot_make(new_world):
    world = new_world()
    world.clients.volume.after(lambda name, args: name == 'create' and [
        one.update(status='error') for one in world.clients.volume.volumes.values()])
    error = failed_build(world, new=['blank'])
    assert error['type'] == 'volume_not_created' and 'its status is error' in error['message']


def test_a_volume_that_takes_too_long(new_world):
    world = new_world()
    world.override('block_device_allocate_retries', 0)
    world.clients.volume.slowness = 4
    assert 'its status is creating' in failed_build(world, new=['blank'])['message']


def test_a_volume_that_outlasts_its_build(new_world):
    """Cinder deletes none that it still makes: the server in error, holding nothing else, keeps it."""
    world = new_world()
    world.clients.volume.slowness = 50
    world.clients.volume.fail('create', errors.block.VolumeLimitExceeded(reason='full'), times=9,
                              when=lambda args: not args[1].get('imageRef'))
    uuid, = world.order(new=['image', 'blank'])
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == 'error' and len(world.clients.volume.volumes) == 1
    assert world.tasks_of(uuid)[0].error['type'] == 'volume_limit_exceeded'
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert not world.clients.volume.volumes


def test_a_delete_that_comes_while_volumes_are_made(new_world):
    """Cinder deletes none that it still makes: the server goes, and the volume as soon as it can be."""
    world = new_world()
    world.clients.volume.slowness = 12
    uuids = []
    world.clients.volume.after(lambda name, args: name == 'create' and world.delete(uuids[0]))
    uuids += world.order(new=['blank'])
    world.settle()
    invariants.check(world)
    assert world.server(uuids[0]) is None and not world.clients.volume.volumes


def test_a_request_that_arrives_twice_leaves_one_volume(new_world):
    """The sender died, the request did not: its volume came up after a second one had been asked for."""
    world = new_world()
    world.clients.volume.slowness = 3

    def late(name, args):
        if name == 'create' and len(world.clients.volume.volumes) == 1:
            twin = world.clients.volume.add(metadata=dict(args[1]['metadata']))
            world.clients.volume.origins[twin] = uuid
    world.clients.volume.after(late)
    uuid, = world.order(new=['blank'])
    world.settle()
    invariants.check(world)
    volume, = made_for(world, uuid)
    assert not volume['metadata'], 'the record knows it: what carries the tags now has come late'


@pytest.mark.parametrize('number', range(10, 26))
def test_killed_while_volumes_are_made(new_world, number):
    world = new_world()
    world.clients.volume.slowness = 2
    world.script.kill(number, 'after')
    uuid, = world.order(new=['image', 'blank'])
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE
    assert len(world.clients.volume.made) == 2


# Files -------------------------------------------------------------------------------------------

def test_files_reach_the_guest_on_whichever_host(new_world):
    world = new_world()
    world.script.fail('build', 'spawn', times=1)
    uuid, = world.order(files=[('/etc/motd', b'hello'), ('/root/key', b'\x00\xff')])
    world.settle()
    invariants.check(world)
    assert world.drivers['h2'].files[uuid] == {'/etc/motd': b'hello', '/root/key': b'\x00\xff'}
    assert uuid not in world.drivers['h1'].files


class Attentive(fake_driver.FakeDriver):
    """Remembers what it read in the record of the server that it spawned."""

    def spawn(self, h, *args, **kwargs):
        self.read = h.instance.user_data, h.instance.config_drive
        return super().spawn(h, *args, **kwargs)


def test_user_data_and_config_drive_reach_the_host(new_world):
    world = new_world()
    world.drivers['h1'] = Attentive('h1')
    world.order(user_data='IyE=', config_drive=True)
    world.settle()
    assert world.drivers['h1'].read == ('IyE=', True)


def test_files_of_a_server_without_a_host_are_forgotten(new_world):
    world = new_world()
    world.up.clear()
    world.order(files=[('/etc/motd', b'hello')], new=['blank'])
    world.settle()
    invariants.check(world)
    assert not world.clients.volume.made


# The watchers are watched: each invariant notices what it is for ----------------------------------

def _leak_claim(world, uuid):
    world.clients.placement.drop(uuid)


def _leak_port(world, uuid):
    world.clients.network.api.all_ports.popitem()


def _lose_guest(world, uuid):
    world.drivers['h1'].destroy(Handle(world.server(uuid)))


def _hang(world, uuid):
    world.change(uuid, task_state='pausing')


def _forget_mapping(world, uuid):
    mapping = world.mapping(uuid)
    world.raw['api'].write(mapping.destroy)


def _uncount(world, uuid):
    world.raw['api'].write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, uuid))


def _leak_volume(world, uuid):
    world.clients.volume.origins[world.clients.volume.add()] = uuid


@pytest.mark.parametrize('damage', [
    _leak_claim, _leak_port, _leak_volume, _lose_guest, _hang, _forget_mapping, _uncount])
def test_damage_is_noticed(new_world, damage):
    world = new_world()
    uuid = world.running()
    invariants.check(world)
    damage(world, uuid)
    with pytest.raises(AssertionError):
        invariants.check(world)
