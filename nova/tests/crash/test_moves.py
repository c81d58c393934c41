"""Moves: hosts that refuse, that stay the same, and that go down while a server is on its way."""

import random

import pytest

from nova import objects
from nova.common import uuids
from nova.domain import provider_tree
from nova.objects import event
from nova.objects import task as rows
from nova.ops import detach_volume, power_sync, remove_late, swap_volume
from nova.ops.live_migrate import flow as live
from nova.ops.resize import decide
from nova.states import VM, Signal
from nova.steps import moves
from nova.task import journal
from nova.tests.simulation import cases, invariants
from nova.tests.simulation.cases import live_migrate, resize, volumes

SAMPLE = 10
"""Moments of one flow at which a host goes down in the default run."""


def held(world, consumer):
    """What a consumer holds, by host."""
    hosts = {uuid: name for name, uuid in world.nodes.items()}
    found = world.clients.placement.consumers.get(consumer)
    return {hosts[provider]: part['resources'] for provider, part in found.allocations.items()} if found else {}


def migration_of(world, uuid):
    with world.raw[world.cell_of(uuid)].read() as conn:
        return objects.Migration.all(conn, instance_uuid=uuid, order=[objects.Migration.table.c.id])[-1]


SMALL = {'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}
LARGE = {'VCPU': 2, 'MEMORY_MB': 1024, 'DISK_GB': 2}


# On the same host --------------------------------------------------------------------------------

def on_the_same_host(world, crowded):
    """A server that was resized where it is, because the scheduler said so or would not."""
    uuid = world.running()
    if crowded:  # not even the larger flavor beside the old one has room
        node = world.nodes[world.server(uuid).host]
        world.clients.placement.claim('other', {'allocations': {node: {'resources': {'VCPU': 2}}}}, 'p', 'u')
    resize.begin(world, uuid, ignored=[], **({} if not crowded else {'wanted_host': world.server(uuid).host}))
    world.settle()
    world.clients.placement.drop('other')
    return uuid


@pytest.mark.parametrize('crowded', [False, True])
@pytest.mark.parametrize('decision', [None, decide.ConfirmResize, decide.RevertResize])
def test_a_server_is_resized_where_it_is(new_world, crowded, decision):
    """MIG-S4 (B 1790204): the host gives the larger of both, class by class, never their sum."""
    world = new_world()
    uuid = on_the_same_host(world, crowded)
    server = world.server(uuid)
    assert (server.vm_state, server.host) == ('resized', 'h1')
    assert held(world, uuid) == {'h1': LARGE}
    assert held(world, migration_of(world, uuid).uuid) == {}
    invariants.check(world)
    if decision is not None:
        world.begin(uuid, decision, decide.move_of(server))
        world.settle()
        assert held(world, uuid) == {'h1': LARGE if decision is decide.ConfirmResize else SMALL}
        invariants.check(world)
    world.delete(uuid)
    world.settle()
    invariants.check(world)


def test_what_the_old_flavor_has_more_is_kept(new_world):
    """MIG-S4: so that the way back is always open."""
    world = new_world()
    uuid = world.running(flavor=resize.larger(world))
    less = objects.Flavor(id=7, flavorid='3', name='less', vcpus=1, memory_mb=512, root_gb=2)
    resize.begin(world, uuid, ignored=[], new_flavor=less, wanted_host='h1')
    world.settle()
    assert held(world, uuid) == {'h1': {**SMALL, 'DISK_GB': 2}}
    assert held(world, migration_of(world, uuid).uuid) == {'h1': {'VCPU': 1, 'MEMORY_MB': 512}}
    invariants.check(world)
    world.begin(uuid, decide.RevertResize, decide.move_of(world.server(uuid)))
    world.settle()
    assert held(world, uuid) == {'h1': LARGE}
    invariants.check(world)


# Hosts that refuse -------------------------------------------------------------------------------

@pytest.mark.parametrize('begin', [resize.begin, live_migrate.live_migrate], ids=['resize', 'live'])
def test_no_host_takes_it(new_world, begin):
    """ALT-S6, ALT-F1: each alternate is tried; then all is as before, and the task says why."""
    world = new_world()
    world.refusing = {'h2'}
    if begin is resize.begin:
        uuid = world.running()
        begin(world, uuid)
    else:
        uuid = begin(world)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == 'active' and held(world, uuid) == {'h1': SMALL}
    task, = [each for each in world.tasks_of(uuid) if each.error]
    assert 'told to' in task.error['message'] and migration_of(world, uuid).status == 'error'


def test_the_next_alternate_takes_it(new_world):
    """ALT-S6 (B 1741125): it is claimed in the cell, without the scheduler; here it is its own host."""
    world = new_world()
    world.refusing = {'h1'}
    uuid = world.running()
    assert world.server(uuid).host == 'h2'
    resize.begin(world, uuid, ignored=[])
    world.settle()
    task, = [each for each in world.tasks_of(uuid) if each.action == 'resize']
    with world.raw['cell1'].read() as conn:
        assert [step.host for step in rows.steps(conn, [task.uuid]) if step.status == 'refused'] == ['h1']
    assert (world.server(uuid).vm_state, world.server(uuid).host) == ('resized', 'h2')
    assert held(world, uuid) == {'h2': LARGE}
    invariants.check(world)


@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_hosts_report_their_inventory_amid_a_move(new_world, decision):
    """MIG-F5 (B 1849165, 1879878, 1896463): what hosts report claims nothing and drops nothing."""
    world = new_world()
    uuid = world.running()

    def report():
        for host in ('h1', 'h2'):
            known = world.clients.placement.providers[world.nodes[host]]
            world.clients.placement.report(provider_tree.ProviderTree(provider_tree.Provider(
                uuid=known.uuid, name=known.name, inventory=known.inventory)))

    def begin(kind=None):
        if kind is None:
            resize.begin(world, uuid)
        else:
            world.begin(uuid, kind, decide.move_of(world.server(uuid)))
        world.settle(between=report)
    begin()
    assert (held(world, uuid), held(world, migration_of(world, uuid).uuid)) == ({'h2': LARGE}, {'h1': SMALL})
    begin(decision)
    assert held(world, uuid) == ({'h2': LARGE} if decision is decide.ConfirmResize else {'h1': SMALL})
    assert held(world, migration_of(world, uuid).uuid) == {}
    invariants.check(world)


# Hosts that shrink -------------------------------------------------------------------------------

def shrunk(new_world):
    """A server that was to be resized, while its host lost all that it had, and the other one would not."""
    world = new_world()
    resize.begin(world, world.running())
    world.settle()
    owned = [each[1] for each in world.script.seen].index('own_source') + 1
    world = new_world()
    world.refusing = {'h2'}
    uuid = world.running()
    resize.begin(world, uuid)
    world.script.do(owned, 'after', lambda: give(world, 0))
    world.settle()
    return world, uuid


def give(world, vcpus):
    """h1 has so many virtual processors from now on, whatever is in use there."""
    world.clients.placement.providers[world.nodes['h1']].inventory['VCPU']['total'] = vcpus


def compared(world, uuid):
    """What the neighbours have of the server was compared with its record."""
    world.begin(uuid, remove_late.RemoveLate)
    world.settle()


def test_the_source_has_shrunk_meanwhile(new_world):
    """MIG-F1, MIG-S5: the way back needs nothing that cannot be had; the migration holds it for the server."""
    world, uuid = shrunk(new_world)
    former = migration_of(world, uuid).uuid
    assert (world.server(uuid).vm_state, world.server(uuid).host) == ('active', 'h1')
    assert (held(world, uuid), held(world, former)) == ({}, {'h1': SMALL})
    compared(world, uuid)
    assert (held(world, uuid), held(world, former)) == ({}, {'h1': SMALL})
    give(world, 4)
    compared(world, uuid)
    assert (held(world, uuid), held(world, former)) == ({'h1': SMALL}, {})
    invariants.check(world)


def test_the_next_move_takes_along_what_the_former_holds(new_world):
    world, uuid = shrunk(new_world)
    give(world, 4)
    world.refusing = set()
    resize.begin(world, uuid)
    world.settle()
    assert (held(world, uuid), held(world, migration_of(world, uuid).uuid)) == ({'h2': LARGE}, {'h1': SMALL})
    invariants.check(world)


def test_a_server_is_deleted_whose_former_move_holds_something(new_world):
    """MIG-F3."""
    world, uuid = shrunk(new_world)
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert not world.clients.placement.consumers


def test_a_resize_is_taken_back_to_a_host_that_has_shrunk(new_world):
    """TSK-S2: beyond the point of no return, too, nothing waits for room that may never come."""
    world = new_world()
    uuid = resize.resized(world)
    give(world, 0)
    world.begin(uuid, decide.RevertResize, decide.move_of(world.server(uuid)))
    world.settle()
    assert (world.server(uuid).vm_state, world.server(uuid).host) == ('active', 'h1')
    give(world, 4)
    compared(world, uuid)
    assert held(world, uuid) == {'h1': SMALL}
    invariants.check(world)


@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
@pytest.mark.parametrize('returns', [False, True])
def test_a_volume_is_detached_before_a_resize_is_decided(new_world, returns, decision):
    """VOL-S4: what the resize remembers of it is forgotten, also when the volume is attached once more."""
    world = new_world()
    uuid = resize.resized(world)
    device, = [each for each in world.server(uuid).block_devices if each.volume_id]
    world.begin(uuid, detach_volume.DetachVolume, detach_volume.DetachState(
        device=device.uuid, volume_id=device.volume_id))
    world.settle()
    invariants.check(world)
    if returns:
        volumes.attach(world, uuid, device.volume_id)
        world.settle()
        invariants.check(world)
    world.begin(uuid, decision, decide.move_of(world.server(uuid)))
    world.settle()
    assert world.server(uuid).vm_state == VM.ACTIVE
    invariants.check(world)


@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_a_volume_is_replaced_before_a_resize_is_decided(new_world, decision):
    world = new_world()
    uuid = resize.resized(world)
    device, = [each for each in world.server(uuid).block_devices if each.volume_id]
    world.begin(uuid, swap_volume.SwapVolume, swap_volume.SwapState(
        device=device.uuid, old=device.volume_id, new=world.clients.volume.begin_migration(device.volume_id),
        trust=world.clients.trust.entrust(world.asking)))
    world.settle()
    invariants.check(world)
    world.begin(uuid, decision, decide.move_of(world.server(uuid)))
    world.settle()
    assert world.server(uuid).vm_state == VM.ACTIVE
    invariants.check(world)


# Hosts that go down ------------------------------------------------------------------------------

def test_a_live_migration_waits_for_ports_on_bridges_of_their_own(new_world):
    """``[compute] live_migration_wait_for_vif_plug``: what was told of them at the source does not count."""
    def told(world, uuid):
        return [event.Event(uuid, event.PLUGGED, vif.id) for vif in world.server(uuid).network_info.vifs]
    world = new_world()
    uuid = world.running()
    info = world.server(uuid).network_info.copy()
    for vif in info.vifs:
        vif.details = {'ovs_hybrid_plug': True}
    world.change(uuid, network_info=info)
    server = world.server(uuid)
    world.raw['cell1'].write(lambda conn: event.store(conn, told(world, uuid)))
    world.begin(uuid, live.LiveMigrate, moves.started(
        server, 'live-migration', objects.LiveMove, migration=uuids.generate(), ignored=[server.host]))
    with pytest.raises(AssertionError, match='vifs_plugged'):
        world.settle(rounds=3)
    assert world.server(uuid).host == 'h1' and uuid in world.drivers['h1'].guests()
    world.raw['cell1'].write(lambda conn: event.store(conn, told(world, uuid)))
    world.settle()
    assert world.server(uuid).host == 'h2'


def test_a_guest_that_has_arrived_when_its_source_dies_is_kept(new_world):
    """VOL-S3, and the pivot that is seen: the flow goes on from the destination."""
    world = new_world()
    uuid = live_migrate.live_migrate(world)
    world.settle()
    arrival, = [number for number, each in enumerate(world.script.seen, 1) if each[3] == 'live_migrate']
    world = new_world()
    uuid = live_migrate.live_migrate(world)
    world.script.do(arrival, 'after', lambda: world.lose('h1'))
    world.settle()
    assert (world.server(uuid).vm_state, world.server(uuid).host) == ('active', 'h2')
    assert migration_of(world, uuid).status == 'completed'
    invariants.check(world)
    world.regain('h1')
    world.settle()
    invariants.check(world)


@pytest.mark.parametrize('how', ['delete', 'abort'])
def test_a_guest_that_has_arrived_is_never_rolled_back(new_world, how):
    """MIG-F2, MIG-F3: the source dies when the guest has just left, and at that moment the user gives it up."""
    world = new_world()
    uuid = live_migrate.live_migrate(world)
    world.settle()
    arrival, = [number for number, each in enumerate(world.script.seen, 1) if each[3] == 'live_migrate']
    world = new_world()
    uuid = live_migrate.live_migrate(world)

    def give_up():
        world.lose('h1')
        if how == 'delete':
            world.delete(uuid)
        else:
            world.raw['cell1'].write(lambda conn: rows.signal(conn, uuid, live.LiveMigrate.name, Signal.ABORT))
    world.script.do(arrival, 'after', give_up)
    world.settle()
    invariants.check(world)
    assert migration_of(world, uuid).status == 'completed'
    if how == 'abort':
        assert (world.server(uuid).vm_state, world.server(uuid).host) == ('active', 'h2')
    world.regain('h1')
    world.settle()
    invariants.check(world)
    assert (world.server(uuid) is None) == (how == 'delete')


def test_a_host_returns_whose_servers_could_not_be_evacuated(new_world):
    """EVA-S1 (B 1764883): nothing there is removed; the guest is where the record says."""
    world = new_world()
    world.refusing = {'h2'}
    uuid = cases.starts()['evacuate'](world)
    world.settle()
    invariants.check(world)
    assert migration_of(world, uuid).status == 'error'
    world.regain('h1')
    world.settle()
    assert uuid in world.drivers['h1'].guests() and held(world, uuid) == {'h1': SMALL}
    invariants.check(world)


def test_a_server_is_deleted_before_its_host_returns(new_world):
    """EVA-S1 (B 1794996): the host removes what is left of it all the same."""
    world = new_world()
    uuid = cases.starts()['evacuate'](world)
    world.settle()
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert uuid in world.drivers['h1'].guests()
    world.regain('h1')
    world.settle()
    assert uuid not in world.drivers['h1'].guests() and not world.clients.placement.consumers
    invariants.check(world)


FLOWS = ('resize', 'migrate', 'live_migrate', 'confirm_resize', 'revert_resize')


def effects(new_world, name):
    world = new_world()
    cases.starts()[name](world)
    world.settle()
    return world.script.count


def lost_at(world, name, number, host):
    """Begin a flow, lose a host around one of its effects, come to rest; then the host returns."""
    uuid = cases.starts()[name](world)
    world.script.do(number, 'after', lambda: world.lose(host))
    world.settle()
    invariants.check(world)
    world.script.reset()
    world.regain(host)
    world.settle()
    if world.server(uuid) is not None:  # what hosts report of their guests brings records up to date
        world.begin(uuid, power_sync.SyncPower)
        world.settle()
    invariants.check(world)
    world.delete(uuid)
    world.settle()
    invariants.check(world)


@pytest.mark.parametrize('name', FLOWS)
@pytest.mark.parametrize('host', ['h1', 'h2'])
def test_a_host_goes_down_on_the_way(new_world, name, host):
    """TSK-S2, MIG-F2 (B 1825537): whichever end it is, and whenever."""
    count = effects(new_world, name)
    for number in sorted(random.Random(count).sample(range(1, count + 1), min(SAMPLE, count))):
        lost_at(new_world(), name, number, host)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('name', FLOWS)
@pytest.mark.parametrize('host', ['h1', 'h2'])
def test_a_host_goes_down_at_every_moment(new_world, name, host):
    for number in range(1, effects(new_world, name) + 1):
        lost_at(new_world(), name, number, host)


# By the clock ------------------------------------------------------------------------------------

def test_a_resize_is_confirmed_when_its_time_has_passed(new_world):
    """TSK-S3: resize_confirm_window; and whoever decides at the same moment wins."""
    world = new_world()
    uuid, other = (resize.resized(world) for _ in range(2))
    cell = world.cell_of(uuid)
    world.begin(other, decide.RevertResize, decide.move_of(world.server(other)))
    tasks = journal.Journal(world.raw[cell])
    assert decide.confirm_due(tasks, 3600.0) == []
    begun = decide.confirm_due(tasks, -1.0)
    assert [task.instance_uuid for task in begun] == [uuid]
    assert decide.confirm_due(tasks, -1.0) == []
    world.settle()
    assert (world.server(uuid).vm_state, world.server(uuid).vcpus) == ('active', 2)
    assert (world.server(other).vm_state, world.server(other).vcpus) == ('active', 1)
    invariants.check(world)
