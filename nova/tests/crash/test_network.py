"""Building on a network whose ports are plugged in late: told, not told, never; and killed anywhere meanwhile.

The ports of `Network` are DOWN when they are bound; an agent on the host plugs them in when it sees the guest.
"""

import pytest

from nova import objects, states
from nova.clients.fake import network as fake_network
from nova.objects import event
from nova.objects import task as rows
from nova.ops.external_events import flow as refresh
from nova.steps import ports
from nova.tests.crash import world as worlds
from nova.tests.simulation import invariants


class Network:
    """What agents and the network service do of themselves.

    Args:
        plugs: the agents plug ports in.
        tells: what Compute is told; None leaves it without a word.
    """

    def __init__(self, world, plugs=True, tells=event.COMPLETED):
        self.world, self.plugs, self.tells = world, plugs, tells
        self.api = world.clients.network.api
        self.api.plugs = False
        self.paused = []
        for driver in world.drivers.values():
            driver.faults.after(self.see)

    def see(self, name, server):
        if name == 'spawn':
            self.paused.append(self.world.drivers[self.world.server(server).host].guests()[server])
            for port in self.api.all_ports.values():
                if port['device_id'] == server:
                    self.reach(port['id'], server)

    def reach(self, port, server):
        if self.plugs:
            fake_network.plug(self.api, port)
        if self.tells:
            told = event.Event(server, event.PLUGGED, port, self.tells)
            self.world.raw[self.world.cell_of(server)].write(lambda conn: event.store(conn, [told]))


def build(world, arrange=lambda script: None, **network):
    """Boot one server; (its record, the network) when all is quiet."""
    made = Network(world, **network)
    uuid, = world.order()
    arrange(world.script)
    world.settle()
    invariants.check(world)
    return world.server(uuid, prefetch=('network_info',)), made


def steps_of(world, uuid):
    task, = world.tasks_of(uuid)
    with world.raw[world.cell_of(uuid)].read() as conn:
        return [row.name for row in rows.steps(conn, [task.uuid]) if row.direction == 'do']


@pytest.fixture
def eager(monkeypatch):
    """The network service is asked at every opportunity."""
    monkeypatch.setattr(ports, 'ASK_SECONDS', 1)


def test_the_guest_runs_when_its_ports_are_plugged_in(new_world):
    world = new_world()
    server, network = build(world)
    assert server.vm_state == states.VM.ACTIVE
    assert network.paused == [states.Power.PAUSED]
    assert [vif.active for vif in server.network_info.vifs] == [True]
    assert steps_of(world, server.uuid)[-3:] == ['spawn', 'vifs_plugged', 'let_run']


def test_ports_that_are_active_at_once_cost_nothing(new_world):
    world = new_world()
    uuid = world.running()
    assert steps_of(world, uuid)[-1] == 'spawn'


def test_an_event_that_is_lost_is_made_up_for(new_world, eager):
    server, _ = build(new_world(), tells=None)
    assert server.vm_state == states.VM.ACTIVE
    assert [vif.active for vif in server.network_info.vifs] == [True]


@pytest.mark.parametrize('fatal', [True, False])
@pytest.mark.parametrize('tells', [None, event.FAILED])
def test_ports_that_are_never_plugged_in(new_world, fatal, tells):
    """Nothing is left of the server on its host, or it runs without."""
    world = new_world()
    world.override('vif_plugging_timeout', 1)
    world.override('vif_plugging_is_fatal', fatal)
    server, _ = build(world, plugs=False, tells=tells)
    task, = world.tasks_of(server.uuid)
    if fatal:
        assert (server.vm_state, server.host, task.status) == (states.VM.ERROR, None, rows.UNDONE)
        assert task.error['type'] == ('vif_plug_failed' if tells else 'vif_plug_timeout')
        assert not world.clients.network.api.all_ports
    else:
        assert server.vm_state == states.VM.ACTIVE
        assert [vif.active for vif in server.network_info.vifs] == [False]


def test_who_does_not_want_to_wait_does_not(new_world):
    world = new_world()
    world.override('vif_plugging_timeout', 0)
    server, network = build(world, plugs=False, tells=None)
    assert (server.vm_state, network.paused) == (states.VM.ACTIVE, [states.Power.RUNNING])


@pytest.mark.parametrize('part', [0, 1, 2])
def test_killed_anywhere(new_world, eager, part):
    """TSK-S2: the wait is in the journal like everything else."""
    build(world := new_world())
    for number in range(1 + part, world.script.count + 1, 6):
        server, _ = build(new_world(), lambda script, number=number: script.kill(number, 'after'))
        assert server.vm_state == states.VM.ACTIVE, number


def test_deleted_while_it_waits(new_world):
    world = new_world()
    Network(world, plugs=False, tells=None)
    uuid, = world.order()
    with pytest.raises(AssertionError, match='vifs_plugged'):
        world.settle(rounds=3)
    assert world.server(uuid).task_state == states.Task.SPAWNING
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None


# Refreshing --------------------------------------------------------------------------------------

def addresses(world, uuid):
    return [ip.address for ip in world.server(uuid, prefetch=('network_info',)).network_info.fixed_ips()]


def change_address(world, uuid, address):
    port, = [port for port in world.clients.network.api.all_ports.values() if port['device_id'] == uuid]
    port['fixed_ips'][0]['ip_address'] = address


def test_a_changed_address_is_noticed(new_world):
    world = new_world()
    uuid = world.running()
    change_address(world, uuid, '10.0.9.9')
    world.begin(uuid, refresh.RefreshNetwork)
    world.settle()
    assert addresses(world, uuid) == ['10.0.9.9']


def test_what_an_operation_wrote_meanwhile_is_not_overwritten(new_world, monkeypatch):
    """The answer is older than what was written while it was on its way: it is asked for again."""
    world = new_world()
    uuid = world.running()
    client, asked = world.clients.network, []
    plain = client.info

    def info(server):
        answer = plain(server)
        asked.append(answer)
        if len(asked) == 1:
            change_address(world, uuid, '10.0.9.9')
            world.change(uuid, network_info=plain(server))
        return answer
    monkeypatch.setattr(client, 'info', info)
    world.begin(uuid, refresh.RefreshNetwork)
    world.settle()
    assert (len(asked), addresses(world, uuid)) == (2, ['10.0.9.9'])


def test_a_server_that_is_gone_is_let_be(new_world):
    world = new_world()
    uuid = world.running()
    world.begin(uuid, refresh.RefreshNetwork)
    world.delete(uuid)
    world.settle()
    invariants.check(world)


def test_lent_ports_forget_what_was_said_of_them(new_world, eager):
    """A user's port may have been plugged in on the host before: that is no news about the next one."""
    world = new_world()
    network = Network(world, plugs=False, tells=None)
    port = network.api.add_port(world.network, worlds.PROJECT)
    uuid, = world.order()

    def borrow(conn):
        spec = objects.RequestSpec.get(conn, instance_uuid=uuid)
        spec.requested_networks = [objects.NetworkRequest(network_id=world.network, port_id=port)]
        spec.save(conn)
    world.raw['api'].write(borrow)
    told = event.Event(uuid, event.PLUGGED, port)
    for cell in ('cell1', 'cell2'):
        world.raw[cell].write(lambda conn: event.store(conn, [told]))
    with pytest.raises(AssertionError, match='vifs_plugged'):
        world.settle(rounds=3)
    network.plugs = True
    network.reach(port, uuid)
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE
