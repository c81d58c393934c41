"""Servers on NUMA cells that Placement has given them, while things break: each is where it is counted."""

import pytest

from nova import objects, states
from nova.domain import numa_providers
from nova.domain.provider_tree import Provider, ProviderTree
from nova.ops.resize import decide
from nova.tests.compute.cell import Handle
from nova.tests.simulation import invariants
from nova.tests.simulation.cases import resize
from nova.virt.driver.inventory import HostCell

BUILD, MOVE = 16, 35
"""Effects of a build, and of a move to its end; test_there_and_back counts them."""
SPECS = {'hw:numa_nodes': '1'}


@pytest.fixture
def world(new_world):
    """One in which each host has two cells, of which the scheduler gives the one that no host begins with."""
    made = new_world()
    for host, driver in made.drivers.items():
        driver.cells = (HostCell(0, 2048, frozenset({0, 1})), HostCell(1, 2048, frozenset({2, 3})))
        tree = ProviderTree(Provider(made.nodes[host], host, inventory={'DISK_GB': {'total': 40}}))
        for number in range(2):
            tree.add(Provider(
                numa_providers.cell_uuid(host, host, number), numa_providers.cell_name(host, number),
                made.nodes[host], {'VCPU': {'total': 2}, 'MEMORY_MB': {'total': 2048}}, is_part=True))
        made.clients.placement.report(tree)
        made.cpus_of[host] = numa_providers.cell_uuid(host, host, 1)
    made.count_from_here()
    return made


def flavor(world, vcpus):
    name = f'cell-{vcpus}'
    made = objects.Flavor(flavorid=name, name=name, vcpus=vcpus, memory_mb=512 * vcpus, root_gb=1,
                          extra_specs=SPECS)
    world.raw['api'].write(made.create)
    return made


def wanted(world):
    """What a server with a cell is ordered with."""
    return {'flavor': flavor(world, 1)}


def check(world, uuid):
    """Exactly the server's host has given a cell, and it is the one that the server holds."""
    invariants.check(world)
    server = world.server(uuid)
    claims = {name: driver.claims.of(Handle(server, world.journals[name])).cells
              for name, driver in world.drivers.items()}
    given = {name: [cell.node for cell in cells] for name, cells in claims.items() if cells}
    assert given == {server.host: [1]}
    part = world.clients.placement.consumers[uuid].allocations[world.cpus_of[server.host]]['resources']
    cell, = claims[server.host]
    assert part == {'VCPU': len(cell.cpus), 'MEMORY_MB': cell.memory_mb}
    return server


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, BUILD + 1, 3))
def test_a_build_is_killed_at_any_effect(world, number, when):
    world.script.kill(number, when)
    assert check(world, world.running(**wanted(world))).vm_state == states.VM.ACTIVE


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(4, MOVE + 1, 9))
@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_a_move_is_killed_at_any_effect(world, number, when, decision):
    """MIG: whichever way it ends."""
    uuid = world.running(**wanted(world))
    world.script.kill(number, when)
    resize.decided(world, uuid, decision, new_flavor=flavor(world, 2))
    check(world, uuid)


def test_there_and_back(world):
    """And nothing of it is left when the server is deleted."""
    uuid, = world.order(**wanted(world))
    world.settle()
    assert world.script.count == BUILD
    source = check(world, uuid).host
    world.count_from_here()
    resize.decided(world, uuid, decide.ConfirmResize, new_flavor=flavor(world, 2))
    assert world.script.count == MOVE
    server = check(world, uuid)
    assert server.host != source
    world.delete(uuid)
    world.settle()
    assert not any(journals.servers() for journals in world.journals.values())


@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_a_server_is_resized_where_it_is(world, decision):
    """MIG-S4: on its cell, although that has no room for both."""
    uuid, = world.order(**wanted(world))
    world.settle()
    host = world.server(uuid).host
    resize.begin(world, uuid, new_flavor=flavor(world, 2), ignored=[], wanted_host=host)
    world.settle()
    assert check(world, uuid).host == host
    world.begin(uuid, decision, decide.move_of(world.server(uuid)))
    world.settle()
    assert check(world, uuid).host == host
