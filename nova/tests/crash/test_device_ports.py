"""Servers whose port is a device of their host, while things break: it is had once, and where the port says."""

import pytest

from nova import objects, states
from nova.domain import pci
from nova.ops.resize import decide
from nova.tests.compute.cell import Handle
from nova.tests.simulation import invariants
from nova.tests.simulation.cases import resize
from nova.virt.driver.inventory import HostDevice

SPECS = pci.device_specs(['{"vendor_id": "8086", "physical_network": "physnet1"}'])
BUILD, MOVE = 18, 35
"""Effects of a build, and of a move to its end; test_there_and_back counts them."""


@pytest.fixture
def world(new_world):
    """One in which each host has two functions of a card."""
    made = new_world()
    api = made.clients.network.api
    api.all_networks[made.network]['provider:physical_network'] = 'physnet1'
    for driver in made.drivers.values():
        driver.devices = tuple(HostDevice(f'0000:05:02.{number}', '8086', '154c', type=pci.FUNCTION,
                                          card='0000:05:00.0').described(SPECS) for number in range(2))
    made.port = api.add_port(made.network, **{'binding:vnic_type': 'direct'})
    return made


def wanted(world):
    """What a server with the port is ordered with."""
    device = {'vnic_type': 'direct', 'physical_network': 'physnet1', 'trusted': False}
    return {'networks': [objects.NetworkRequest(network_id=world.network, port_id=world.port, device=device)]}


def check(world, uuid):
    """Exactly the server's host has given a device, and the port is bound to it."""
    invariants.check(world)
    server, port = world.server(uuid), world.clients.network.api.all_ports[world.port]
    claims = {name: driver.claims.of(Handle(server, world.journals[name])).ports
              for name, driver in world.drivers.items()}
    given = {name: ports[world.port].address for name, ports in claims.items() if ports}
    assert given == {server.host: port['binding:profile']['pci_slot']}
    assert port['binding:host_id'] == server.host
    return server


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, BUILD + 1))
def test_a_build_is_killed_at_any_effect(world, number, when):
    world.script.kill(number, when)
    assert check(world, world.running(**wanted(world))).vm_state == states.VM.ACTIVE


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, MOVE + 1, 6))
@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_a_move_is_killed_at_any_effect(world, number, when, decision):
    """MIG: whichever way it ends."""
    uuid = world.running(**wanted(world))
    world.script.kill(number, when)
    resize.decided(world, uuid, decision)
    check(world, uuid)


def test_there_and_back(world):
    """And nothing of it is left when the server is deleted."""
    uuid, = world.order(**wanted(world))
    world.settle()
    assert world.script.count == BUILD
    source = check(world, uuid).host
    world.count_from_here()
    resize.decided(world, uuid, decide.ConfirmResize)
    assert world.script.count == MOVE
    server = check(world, uuid)
    assert server.host != source
    world.delete(uuid)
    world.settle()
    port = world.clients.network.api.all_ports[world.port]
    assert (port['binding:profile'], port['binding:host_id']) == ({}, '')
    assert not any(journals.servers() for journals in world.journals.values())
