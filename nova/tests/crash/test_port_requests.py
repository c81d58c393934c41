"""Servers whose port asks for resources, while things break: they hold them of their host; the port says so."""

import pytest

from nova import objects, states
from nova.common import uuids
from nova.domain import port_requests
from nova.domain.provider_tree import Provider, ProviderTree
from nova.objects import LiveMove
from nova.objects import move as kinds
from nova.ops import detach_interface
from nova.ops.evacuate import flow as evacuate
from nova.ops.evacuate.wire import Evacuation
from nova.ops.live_migrate import flow as live
from nova.ops.resize import decide
from nova.ops.shelve import flow as shelve
from nova.ops.shelve import wire
from nova.steps import moves
from nova.tests.simulation import invariants, users
from nova.tests.simulation.cases import resize

BUILD, MOVE, LIVE, DETACH = 17, 35, 34, 7
"""Effects of a build, of a move to its end, of a live migration, and of a detachment: they are counted."""
POLICY, RATE, BANDWIDTH = 'policy', 'NET_PACKET_RATE_KILOPACKET_PER_SEC', 'NET_BW_EGR_KILOBIT_PER_SEC'
ONE, TWO = uuids.generate(), uuids.generate()
FORMS = {
    'one group a port': {'required': [], 'resources': {RATE: 5}},
    'several groups': {'request_groups': [{'id': ONE, 'required': [], 'resources': {RATE: 5}},
                                          {'id': TWO, 'required': [], 'resources': {BANDWIDTH: 7}}],
                       'same_subtree': [ONE, TWO]}}


@pytest.fixture
def form():
    return 'several groups'


@pytest.fixture
def world(form, new_world):
    """One in which each host has an agent with room for the ports of one server, and of no second one."""
    made = new_world()
    api = made.clients.network.api
    api.asks[POLICY] = FORMS[form]
    for host, node in made.nodes.items():
        known = made.clients.placement.providers[node]
        tree = ProviderTree(Provider(node, known.name, inventory=dict(known.inventory),
                                     traits=set(known.traits)))
        made.agents[host] = uuids.generate()
        tree.add(Provider(made.agents[host], f'{host}:agent', node,
                          {RATE: {'total': 5}, BANDWIDTH: {'total': 7}}))
        made.clients.placement.report(tree)
    made.port = api.add_port(made.network, qos_policy_id=POLICY)
    made.count_from_here()
    return made


def wanted(world):
    """What a server with the port is ordered with."""
    claims = port_requests.claims(world.clients.network.api.all_ports[world.port])
    return {'networks': [objects.NetworkRequest(network_id=world.network, port_id=world.port, claims=claims)]}


def check(world, uuid):
    """The server holds what its port asks for of its host, and nobody else does; the port says of whom."""
    invariants.check(world)
    server, port = world.server(uuid), world.clients.network.api.all_ports[world.port]
    claims = port_requests.claims(port)
    agents = {agent: host for host, agent in world.agents.items()}
    given = {consumer: {agents[provider]: part['resources'] for provider, part in held.allocations.items()
                        if provider in agents} for consumer, held in world.clients.placement.consumers.items()}
    asked = {name: amount for claim in claims for name, amount in claim['resources'].items()}
    moving = server.migration_context is not None
    assert given.pop(uuid, {}) == ({server.host: asked} if server.host else {})
    assert all(not each for each in given.values()) or moving
    who = {claim['suffix']: world.agents[server.host] for claim in claims} if server.host else {}
    assert port['binding:profile'] == port_requests.allocation(claims, who)
    assert port['binding:host_id'] == (server.host or '')
    return server


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, BUILD + 1, 3))
def test_a_build_is_killed_at_any_effect(world, number, when):
    world.script.kill(number, when)
    assert check(world, world.running(**wanted(world))).vm_state == states.VM.ACTIVE


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(2, MOVE + 1, 8))
@pytest.mark.parametrize('decision', [decide.ConfirmResize, decide.RevertResize])
def test_a_move_is_killed_at_any_effect(world, number, when, decision):
    """MIG: whichever way it ends."""
    uuid = world.running(**wanted(world))
    world.script.kill(number, when)
    resize.decided(world, uuid, decision)
    check(world, uuid)


def migrate_live(world, uuid):
    server = world.server(uuid)
    world.begin(uuid, live.LiveMigrate, moves.started(
        server, kinds.LIVE, LiveMove, migration=uuids.generate(), ignored=[server.host]))
    world.settle()


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, LIVE + 1, 7))
def test_a_live_migration_is_killed_at_any_effect(world, number, when):
    uuid = world.running(**wanted(world))
    world.script.kill(number, when)
    migrate_live(world, uuid)
    assert check(world, uuid).vm_state == states.VM.ACTIVE


@pytest.mark.parametrize(('step', 'arrives'), [('prepare_network', False), ('migrate', False),
                                              ('follow_guest', True)])
def test_a_live_migration_fails(world, step, arrives):
    """The server stays, and its port says so; or it has arrived."""
    uuid = world.running(**wanted(world))
    host = world.server(uuid).host
    world.script.fail('live_migrate', step, times=1000 if not arrives else 2)
    migrate_live(world, uuid)
    assert (check(world, uuid).host != host) is arrives


@pytest.mark.parametrize('step', ['own_source', 'switch_to_dest', 'arrive'])
def test_a_move_fails(world, step):
    """The server is where it was, and holds what it held."""
    uuid = world.running(**wanted(world))
    host = world.server(uuid).host
    world.script.fail('resize', step, 'after')
    resize.begin(world, uuid)
    world.settle()
    assert check(world, uuid).host == host


def test_off_a_host_that_is_down(world):
    uuid = world.running(**wanted(world))
    server = world.server(uuid)
    world.lose(server.host)
    world.begin(uuid, evacuate.Evacuate, moves.started(
        server, kinds.EVACUATION, Evacuation, migration=uuids.generate(), ignored=[server.host]))
    world.settle()
    world.regain(server.host)
    world.settle()
    assert check(world, uuid).host != server.host


def test_through_the_shelf(world):
    uuid = world.running(**wanted(world))
    world.override('shelved_offload_time', 0)
    image = uuids.generate()
    world.begin(uuid, shelve.Shelve, wire.ShelveState(image_id=image, trust=users.entrusted(), values={
        'id': image, 'name': 'shelved', 'disk_format': 'raw', 'container_format': 'bare'}))
    world.settle()
    world.conf.clear_override('shelved_offload_time')
    assert check(world, uuid).host is None
    world.begin(uuid, shelve.Unshelve, wire.UnshelveState(offloaded=True, image_id=image))
    world.settle()
    assert check(world, uuid).host is not None


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, DETACH + 1))
def test_what_is_detached_asks_for_nothing(world, number, when):
    """Given back once, wherever the worker dies."""
    uuid = world.running(**wanted(world))
    world.script.kill(number, when)
    world.begin(uuid, detach_interface.DetachInterface, detach_interface.PortState(port=world.port))
    world.settle()
    invariants.check(world)
    held = world.clients.placement.consumers[uuid].allocations
    assert set(held) == {world.nodes[world.server(uuid).host]}
    port = world.clients.network.api.all_ports[world.port]
    assert (port['binding:profile'], port['device_id']) == ({}, '')


def test_a_detachment_has_so_many_effects(world):
    uuid = world.running(**wanted(world))
    world.begin(uuid, detach_interface.DetachInterface, detach_interface.PortState(port=world.port))
    world.settle()
    assert world.script.count == DETACH


def test_what_cannot_be_given_back_is_until_the_server_moves(world, caplog):
    """Where more is in use than there is, Placement may refuse every change."""
    uuid = world.running(**wanted(world))
    source = world.server(uuid).host
    memory = world.clients.placement.providers[world.nodes[source]].inventory['MEMORY_MB']
    before, memory['total'] = memory['total'], 1
    world.begin(uuid, detach_interface.DetachInterface, detach_interface.PortState(port=world.port))
    world.settle()
    assert 'until it moves' in caplog.text
    assert world.agents[source] in world.clients.placement.consumers[uuid].allocations
    memory['total'] = before
    resize.decided(world, uuid, decide.ConfirmResize)
    held = world.clients.placement.consumers[uuid].allocations
    assert set(held) == {world.nodes[world.server(uuid).host]}


@pytest.mark.parametrize('form', FORMS)
def test_there_and_back(world):
    """And nothing of it is left when the server is deleted."""
    uuid, = world.order(**wanted(world))
    world.settle()
    built = world.script.count
    source = check(world, uuid).host
    world.count_from_here()
    resize.decided(world, uuid, decide.ConfirmResize)
    moved = world.script.count
    world.count_from_here()
    migrate_live(world, uuid)
    assert (built, moved, world.script.count) == (BUILD, MOVE, LIVE)
    assert check(world, uuid).host == source
    world.delete(uuid)
    world.settle()
    port = world.clients.network.api.all_ports[world.port]
    assert (port['binding:profile'], port['binding:host_id']) == ({}, '')
    assert not world.clients.placement.consumers
