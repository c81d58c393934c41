"""Network client: the same promises over the fake Neutron and over the sandbox's."""

from typing import Any

import pytest

from nova import errors
from nova.clients import fake
from nova.common import uuids
from nova.objects.network import NetworkRequest
from nova.tests.clients.conftest import Server


def on(network: str, address: str | None = None, tag: str | None = None) -> NetworkRequest:
    return NetworkRequest(network_id=network, address=address, tag=tag)


def with_port(port: str) -> NetworkRequest:
    return NetworkRequest(port_id=port)


def test_as_many_servers_as_get_their_ports(there: Any) -> None:
    network = there.network()
    checked = there.clients.network.check(there.user, [on(network), on(network)], 1)
    room = there.clients.network.api.port_room(there.user)
    assert there.clients.network.fitting(there.user, checked, 3) == 3
    if room is not None:
        assert there.clients.network.fitting(there.user, checked, room) == room // 2


def test_a_user_who_names_no_network_gets_the_only_one(there: Any) -> None:
    check = there.clients.network.check
    network = there.network()
    if there.kind == 'fake':
        assert [one.network_id for one in check(there.user, [], 1)] == [network]
    there.network()
    with pytest.raises(errors.network.NetworkAmbiguous):
        check(there.user, [], 1)
    with pytest.raises(errors.network.NetworkAmbiguous):
        check(there.user, [on('auto')], 1)
    assert check(there.user, [on('none')], 1)[0].network_id == 'none'


def test_networks_and_ports_must_be_there(there: Any) -> None:
    check, network = there.clients.network.check, there.network()
    assert check(there.user, [on(network)], 1)[0].network_id == network
    with pytest.raises(errors.network.NetworkNotFound):
        check(there.user, [on(uuids.generate())], 1)
    with pytest.raises(errors.network.NetworkNotFound):
        check(there.stranger, [on(network)], 1)
    with pytest.raises(errors.network.PortNotFound):
        check(there.user, [with_port(uuids.generate())], 1)
    with pytest.raises(errors.network.NetworkNeedsSubnet):
        check(there.user, [on(there.network(cidr=None))], 1)
    port = there.port(network)
    request = check(there.user, [with_port(port)], 1)[0]
    assert (request.port_id, request.network_id) == (port, network)


def test_taken_ports_and_addresses_are_refused(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    client.allocate(server, [on(network, '10.1.0.50')], 'host1')
    with pytest.raises(errors.network.FixedIpInUse):
        client.check(there.user, [on(network, '10.1.0.50')], 1)
    with pytest.raises(errors.network.PortInUse):
        client.check(there.user, [with_port(client.ports(server.uuid)[0]['id'])], 1)


def test_allocate_describes_what_the_guest_sees(there: Any, server: Any) -> None:
    network = there.network()
    info = there.clients.network.allocate(server, [on(network, '10.1.0.9', tag='nic')], 'host1')
    vif, = info.vifs
    port, = there.clients.network.ports(server.uuid)
    assert (vif.id, vif.address, vif.tag, vif.type) == (port['id'], port['mac_address'], 'nic', 'ovs')
    assert (vif.active, vif.made_by_us, vif.devname) == (True, True, f'tap{port["id"]}'[:14])
    assert [ip.address for ip in vif.fixed_ips()] == ['10.1.0.9']
    subnet, = vif.network.subnets
    assert (subnet.cidr, subnet.gateway, subnet.version) == ('10.1.0.0/24', '10.1.0.1', 4)
    assert (vif.network.id, vif.network.bridge) == (network, 'br-int')
    assert port['binding:host_id'] == 'host1'
    assert port['device_owner'] == 'compute:nova'
    assert port['project_id'] == there.user.project_id


def test_allocate_again_makes_nothing_new(there: Any, server: Any) -> None:
    """A crash after the first of two ports: the next attempt keeps it and makes the other."""
    client, network = there.clients.network, there.network()
    first = client.allocate(server, [on(network)], None)
    wanted = [on(network), on(network)]
    both = client.allocate(server, wanted, 'host1')
    again = client.allocate(server, wanted, 'host1')
    assert len(client.ports(server.uuid)) == 2
    assert first.vifs[0].id in {vif.id for vif in both.vifs}
    assert [vif.id for vif in again.vifs] == [vif.id for vif in both.vifs]
    assert {port['binding:host_id'] for port in client.ports(server.uuid)} == {'host1'}


def test_release_deletes_ours_and_gives_back_the_users(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    mine = there.port(network)
    requested = [with_port(mine), on(network)]
    info = client.allocate(server, requested, 'host1')
    assert [vif.made_by_us for vif in info.vifs] == [False, True]
    for _ in range(2):
        client.release(server, requested)
    assert client.ports(server.uuid) == []
    left = client.api.port(mine)
    assert (left['device_id'], left['device_owner'], left['binding:host_id']) == ('', '', '')
    with pytest.raises(errors.network.PortNotFound):
        client.api.port(info.vifs[1].id)


def test_a_port_of_another_server_is_not_taken(there: Any, server: Any) -> None:
    client, port = there.clients.network, there.port(there.network())
    client.allocate(server, [with_port(port)], 'host1')
    other = type(server)(server.project_id)
    with pytest.raises(errors.network.PortInUse):
        client.allocate(other, [with_port(port)], 'host1')


def test_release_of_one_port(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    info = client.allocate(server, [on(network), on(network)], 'host1')
    for _ in range(2):
        client.release_port(server, info.vifs[0].id)
    assert [port['id'] for port in client.ports(server.uuid)] == [info.vifs[1].id]


def test_bind_and_unbind(there: Any, server: Any) -> None:
    client = there.clients.network
    server.network_info = client.allocate(server, [on(there.network(), tag='nic')], 'host1')
    for _ in range(2):
        info = client.bind(server, 'host2')
    assert [port['binding:host_id'] for port in client.ports(server.uuid)] == ['host2']
    assert info.vifs[0].tag == 'nic'
    for _ in range(2):
        client.unbind(server)
    port, = client.ports(server.uuid)
    assert (port['binding:host_id'], port['device_id']) == ('', server.uuid)
    assert client.info(server).vifs[0].type == 'unbound'


def test_two_bindings_during_a_live_migration(there: Any, server: Any) -> None:
    client = there.clients.network
    client.allocate(server, [on(there.network())], 'host1')
    port, = client.ports(server.uuid)

    def bound() -> dict[str, str]:
        return {one['host']: one['status'] for one in client.api.bindings(port['id'])}

    for _ in range(2):
        client.prebind(server, 'host2')
    assert bound() == {'host1': 'ACTIVE', 'host2': 'INACTIVE'}
    client.drop_bindings(server, 'host1')
    assert bound() == {'host1': 'ACTIVE', 'host2': 'INACTIVE'}, 'the active binding must stay'
    for _ in range(2):
        client.activate(server, 'host2')
    assert bound() == {'host2': 'ACTIVE', 'host1': 'INACTIVE'}
    for _ in range(2):
        client.drop_bindings(server, 'host1')
    assert bound() == {'host2': 'ACTIVE'}


def test_security_groups_by_name_and_id(there: Any, server: Any) -> None:
    client, web, db = there.clients.network, there.group('web'), there.group('db')
    assert client.security_groups(there.user, ['default']) == []
    assert client.security_groups(there.user, ['web', db, 'web']) == [web, db]
    with pytest.raises(errors.network.SecurityGroupNotFound):
        client.security_groups(there.user, ['nowhere'])
    client.allocate(server, [on(there.network())], 'host1', [web])
    assert client.ports(server.uuid)[0]['security_groups'] == [web]
    for _ in range(2):
        client.set_security_groups(server.uuid, [web, db])
    assert set(client.ports(server.uuid)[0]['security_groups']) == {web, db}
    there.group('web')
    with pytest.raises(errors.network.SecurityGroupAmbiguous):
        client.security_groups(there.user, ['web'])


def test_no_network_wanted_makes_no_port(there: Any, server: Any) -> None:
    assert there.clients.network.allocate(server, [on('none')], 'host1').vifs == []
    assert there.clients.network.ports(server.uuid) == []


def test_a_host_without_agent_fails_the_binding(there: Any, server: Any, request: Any) -> None:
    if there.kind == 'fake':
        there.clients.network.api.no_agent_on.add('deaf')
    else:
        running = request.getfixturevalue('sandbox')
        running.sandbox.ports.no_agent_on.add('deaf')
    with pytest.raises(errors.network.PortBindingFailed):
        there.clients.network.allocate(server, [on(there.network())], 'deaf')


def test_an_answer_that_is_lost_leaves_one_port(there: Any, server: Any, request: Any) -> None:
    """The port was made, the answer never came: the step fails, and its repetition finds the port."""
    client, network = there.clients.network, there.network()
    if there.kind == 'fake':
        client.fail('create_port', errors.network.NetworkServiceFailed(), late=True)
    else:
        request.getfixturevalue('sandbox').faults.add('network', 'POST', '/v2.0/ports$', after=True, drop=True)
    with pytest.raises(errors.network.NetworkServiceFailed):
        client.allocate(server, [on(network)], 'host1')
    assert len(client.allocate(server, [on(network)], 'host1').vifs) == 1
    assert len(client.ports(server.uuid)) == 1


def attach_again(client: Any, network: str, server: Any) -> None:
    server.network_info = client.allocate(server, [on(network)], 'host1')
    one = client.allocate(server, [on(network)], 'host1', key='task-1')
    again = client.allocate(server, [on(network)], 'host1', key='task-1')
    assert [vif.id for vif in one.vifs] == [vif.id for vif in again.vifs]
    assert {port['id'] for port in client.ports(server.uuid)} == {
        server.network_info.vifs[0].id, one.vifs[0].id}
    client.release(server, [])
    assert client.ports(server.uuid) == []


def test_one_more_port_on_the_same_network(there: Any, server: Any) -> None:
    """An attach that is repeated finds its own port, not the one that the server had before."""
    attach_again(there.clients.network, there.network(), server)


def test_a_neutron_without_tags_is_as_good() -> None:
    fakes = fake.build()
    fakes.network.api.aliases = frozenset()
    mine, server = fakes.network.api.add_port(fakes.network.api.add_network()), Server('project')
    attach_again(fakes.network, fakes.network.api.add_network(), server)
    server.network_info = fakes.network.allocate(server, [with_port(mine)], 'host1')
    fakes.network.release(server)
    assert fakes.network.api.port(mine)['device_id'] == ''


def test_a_crash_between_two_ports_leaves_one_and_is_mended() -> None:
    """Hooks fire around every request, so a crash may come after the first port."""
    fakes, server = fake.build(), Server('project')
    network = fakes.network.api.add_network()

    class Crash(BaseException):
        pass

    def crash(name: str, args: Any) -> None:
        if name == 'create_port':
            raise Crash
    fakes.network.after(crash)
    wanted = [on(network), on(network)]
    with pytest.raises(Crash):
        fakes.network.allocate(server, wanted, 'host1')
    assert len(fakes.network.ports(server.uuid)) == 1
    fakes.network.clear()
    assert len(fakes.network.allocate(server, wanted, 'host1').vifs) == 2
    assert len(fakes.network.ports(server.uuid)) == 2
