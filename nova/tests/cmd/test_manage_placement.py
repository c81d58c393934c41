"""nova-manage placement: arguments and exit codes are upstream's."""

import pytest

from nova import errors, objects
from nova.common import uuids

SMALL = {'VCPU': 1, 'MEMORY_MB': 512}


def held(world, consumer):
    return {node: part['resources']
            for node, part in world.neighbours.placement.allocations(consumer).allocations.items()}


def bare(world, **values):
    """A server without allocations."""
    server = world.server(**values)
    world.neighbours.placement.drop(server)
    return server


def heal(world, *argv):
    return world.manage('placement', 'heal_allocations', *argv)


# heal_allocations

def test_what_a_server_lacks_is_made(world):
    server, whole = bare(world), world.server()
    assert heal(world, '--dry-run')[0] == 0 and held(world, server) == {}
    code, said = heal(world, '--verbose')
    assert code == 0 and 'Successfully created' in said and 'Processed 2 instances' in said
    assert held(world, server) == held(world, whole) == {world.node: SMALL}
    assert world.audit() == (0, [])
    assert heal(world)[0] == 4


def test_a_server_or_a_cell_alone(world):
    first, second = bare(world), bare(world)
    assert heal(world, '--instance', second)[0] == 0
    assert (held(world, first), held(world, second)) == ({}, {world.node: SMALL})
    assert heal(world, '--instance', second)[0] == 4
    assert heal(world, '--cell', world.cloud.cells[1].uuid)[0] == 4 and held(world, first) == {}
    assert heal(world, '--cell', world.cloud.cells[0].uuid)[0] == 0 and held(world, first)


def test_so_many_at_a_time(world):
    for _ in range(3):
        bare(world)
    assert heal(world, '--max-count', '2')[0] == 1
    assert heal(world, '--max-count', '4')[0] == 0
    assert heal(world, '--max-count', '4')[0] == 4


def test_what_is_there_is_written_anew_when_that_is_forced(world):
    server = world.server()
    world.neighbours.placement.claim(
        server, {'allocations': {world.node: {'resources': {'VCPU': 3}}}}, 'p', 'u')
    assert heal(world)[0] == 4
    assert heal(world, '--force')[0] == 0 and held(world, server) == {world.node: SMALL}


def test_servers_that_an_operation_changes_are_left_alone(world):
    server = bare(world, task_state='resize_prep')
    code, said = heal(world, '--verbose')
    assert code == 4 and 'operation' in said and held(world, server) == {}


def test_there_is_no_room(world):
    bare(world)
    world.neighbours.placement.providers[world.node].inventory['VCPU']['total'] = 0
    code, said = heal(world)
    assert code == 3 and 'no room' in said


def test_the_node_is_missing(world):
    bare(world)
    world.cell.write(lambda conn: objects.ComputeNode.get(conn, uuid=world.node).destroy(conn))
    assert heal(world)[0] == 2


@pytest.mark.parametrize(('argv', 'code'), [
    (['--max-count', '0'], 127), (['--max-count', 'x'], 127), (['--cell', 'nowhere'], 127),
    (['--instance', 'nothing'], 127), (['--instance', 'x', '--cell', 'y'], 127)])
def test_bad_arguments(world, argv, code):
    assert heal(world, *argv)[0] == code


def test_ports_cannot_be_read(world):
    def refuse(server):
        raise errors.Unavailable('the network service is away')
    server = bare(world)
    world.neighbours.network.ports = refuse
    assert heal(world)[0] == 5
    assert heal(world, '--skip-port-allocations')[0] == 0 and held(world, server)


def test_ports_and_devices_that_cannot_be_healed(world):
    server = bare(world)
    port, = [port for port in world.neighbours.network.api.all_ports.values() if port['device_id'] == server]
    port['resource_request'] = {'resources': {'NET_BW_EGR_KILOBIT_PER_SEC': 1}}
    assert heal(world)[0] == 8 and held(world, server) == {}
    assert heal(world, '--skip-port-allocations')[0] == 0


def test_what_ports_have_claimed_is_not_lost(world):
    """Whoever heals what is there knows of flavors alone."""
    server = world.server()
    port, = [port for port in world.neighbours.network.api.all_ports.values() if port['device_id'] == server]
    port['binding:profile'] = {'allocation': 'bridge'}
    before = held(world, server)
    code, said = heal(world, '--force', '--skip-port-allocations')
    assert code == 8 and port['id'] in said and held(world, server) == before
    port['binding:profile'] = {}
    assert heal(world, '--force', '--skip-port-allocations')[0] == 0


# audit

def test_allocations_of_nobody(world):
    kept, gone, stranger = world.server(), world.server(), uuids.generate()
    world.claim(stranger)
    world.delete(gone)
    code, said = world.manage('placement', 'audit', '--verbose')
    assert code == 3 and gone in said and stranger in said and kept not in said
    assert world.manage('placement', 'audit', '--resource_provider', world.node, '--delete')[0] == 4
    assert (held(world, gone), held(world, stranger), held(world, kept)) == ({}, {}, {world.node: SMALL})
    assert world.manage('placement', 'audit')[0] == 0


def test_what_a_move_needs_is_no_orphan(world):
    server = world.server()
    for status, is_one in (('migrating', False), ('finished', False), ('done', False), ('confirmed', True)):
        move = objects.Migration(uuid=uuids.generate(), instance_uuid=server, migration_type='migration',
                                 status=status, source_compute='other')
        world.cell.write(move.create)
        elsewhere = uuids.generate()
        world.neighbours.placement.host(elsewhere, f'node-{status}', vcpus=4)
        world.cell.write(objects.ComputeNode(
            uuid=elsewhere, host=f'node-{status}', hypervisor_hostname=f'node-{status}',
            hypervisor_type='fake').create)
        world.neighbours.placement.claim(
            move.uuid, {'allocations': {elsewhere: {'resources': SMALL}}}, 'p', 'u')
        assert (move.uuid in world.manage('placement', 'audit', '--verbose')[1]) == is_one, status


@pytest.mark.parametrize('which', ['nonsense', '10000000-0000-4000-8000-00000000ffff'])
def test_no_such_provider(world, which):
    assert world.manage('placement', 'audit', '--resource_provider', which)[0] == 127


def test_nothing_is_an_orphan_while_its_cell_is_away(world):
    world.claim(uuids.generate())
    world.cut_cell2()
    assert world.manage('placement', 'audit', '--delete')[0] == 1
    assert len(world.neighbours.placement.consumers) == 1


# sync_aggregates

def aggregate(world, *hosts):
    made = objects.Aggregate(uuid=uuids.generate(), name=f'a-{len(hosts)}-{uuids.generate()}')

    def write(conn):
        made.create(conn)
        for host in hosts:
            made.add_host(conn, host)
    world.cloud.api.write(write)
    return made.uuid


def mapped(world, *hosts):
    for host in hosts:
        world.cloud.api.write(objects.HostMapping(host=host, cell_id=world.cloud.cells[0].id).create)


def test_hosts_are_in_the_aggregates_that_they_are_in(world):
    mapped(world, 'host1')
    first, second = aggregate(world, 'host1'), aggregate(world, 'host1')
    for _ in range(2):
        code, said = world.manage('placement', 'sync_aggregates', '--verbose')
        assert code == 0 and first in said
        assert world.neighbours.placement.providers[world.node].aggregates == {first, second}


def test_hosts_that_cannot_be_found(world):
    """What can be done is done; the first thing that cannot gives the exit code."""
    mapped(world, 'host1', 'bare', 'lost')
    aggregate(world, 'nowhere')
    whole = aggregate(world, 'host1')
    code, said = world.manage('placement', 'sync_aggregates')
    assert code == 4 and 'nowhere' in said
    assert world.neighbours.placement.providers[world.node].aggregates == {whole}


@pytest.mark.parametrize(('nodes', 'code'), [(0, 5), (1, 6), (2, 1)])
def test_hosts_without_a_provider_of_their_own(world, nodes, code):
    mapped(world, 'odd')
    for number in range(nodes):
        world.cell.write(objects.ComputeNode(uuid=uuids.generate(), host='odd', hypervisor_type='fake',
                                             hypervisor_hostname=f'odd-{number}').create)
    aggregate(world, 'odd')
    assert world.manage('placement', 'sync_aggregates')[0] == code


@pytest.mark.parametrize(('error', 'code'), [(errors.Unavailable('away'), 2), (errors.Conflict('no'), 3)])
def test_placement_refuses_or_is_away(world, error, code):
    def refuse(provider, aggregate):
        raise error
    mapped(world, 'host1')
    aggregate(world, 'host1')
    world.neighbours.placement.add_to_aggregate = refuse
    assert world.manage('placement', 'sync_aggregates')[0] == code
