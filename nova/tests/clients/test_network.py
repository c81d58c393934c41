"""Network client: the same promises over the fake Neutron and over the sandbox's."""

from typing import Any

import pytest

from nova import errors
from nova.clients.neutron.client import Client
from nova.common import uuids
from nova.domain import port_requests
from nova.objects.network import NetworkRequest
from nova.tests.clients.conftest import Server, fakes

RATE = 'NET_PACKET_RATE_KILOPACKET_PER_SEC'


def on(network: str, address: str | None = None, tag: str | None = None) -> NetworkRequest:
    return NetworkRequest(network_id=network, address=address, tag=tag)


def with_port(port: str) -> NetworkRequest:
    return NetworkRequest(port_id=port)


def give(there: Any, server: Any, requested: list[NetworkRequest], host: str = 'host1', groups: Any = (),
         key: str = '') -> Any:
    """Ports for a server, made by its user and bound by us."""
    client = there.clients.network
    return client.place(server, client.make(there.user, server, requested, groups, key), requested, host)


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
    give(there, server, [on(network, '10.1.0.50')])
    with pytest.raises(errors.network.FixedIpInUse):
        client.check(there.user, [on(network, '10.1.0.50')], 1)
    with pytest.raises(errors.network.PortInUse):
        client.check(there.user, [with_port(client.ports(server.uuid)[0]['id'])], 1)


def test_allocate_describes_what_the_guest_sees(there: Any, server: Any) -> None:
    network = there.network()
    info = give(there, server, [on(network, '10.1.0.9', tag='nic')])
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
    first, = client.make(there.user, server, [on(network)])
    wanted = [on(network), on(network)]
    both = give(there, server, wanted)
    again = give(there, server, wanted)
    assert len(client.ports(server.uuid)) == 2
    assert first in {vif.id for vif in both.vifs}
    assert [vif.id for vif in again.vifs] == [vif.id for vif in both.vifs]
    assert {port['binding:host_id'] for port in client.ports(server.uuid)} == {'host1'}


def test_release_deletes_ours_and_gives_back_the_users(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    mine = there.port(network)
    requested = [with_port(mine), on(network)]
    info = give(there, server, requested)
    assert [vif.made_by_us for vif in info.vifs] == [False, True]
    for _ in range(2):
        client.release(server, requested)
    assert client.ports(server.uuid) == []
    left = client.api.port(mine)
    assert (left['device_id'], left['device_owner'], left['binding:host_id']) == ('', '', '')
    with pytest.raises(errors.network.PortNotFound):
        client.api.port(info.vifs[1].id)


class Starting:
    """A Neutron that has just started: its first list of ports lacks those of other projects."""

    def __init__(self, api: Any) -> None:
        self._api, self._asked = api, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def ports(self, *arguments: Any, **filters: Any) -> Any:
        asked, self._asked = self._asked, True
        return self._api.ports(*arguments, **filters) if asked else []


def test_a_list_that_lacks_ports(there: Any, server: Any) -> None:
    """What the server is known to have is neither forgotten nor left behind."""
    network = there.network()
    server.network_info = give(there, server, [on(network), on(network)])
    known = [vif.id for vif in server.network_info.vifs]
    assert [vif.id for vif in Client(Starting(there.clients.network.api)).info(server).vifs] == known
    Client(Starting(there.clients.network.api)).release_port(server, known[0])
    assert [port['id'] for port in there.clients.network.ports(server.uuid)] == known[1:]
    Client(Starting(there.clients.network.api)).release(server)
    assert there.clients.network.ports(server.uuid) == []
    for ident in known:
        with pytest.raises(errors.network.PortNotFound):
            there.clients.network.api.port(ident)


def test_a_port_of_another_server_is_not_taken(there: Any, server: Any) -> None:
    port = there.port(there.network())
    give(there, server, [with_port(port)])
    other = type(server)(server.project_id)
    with pytest.raises(errors.network.PortInUse):
        give(there, other, [with_port(port)])


def test_release_of_one_port(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    info = give(there, server, [on(network), on(network)])
    for _ in range(2):
        client.release_port(server, info.vifs[0].id)
    assert [port['id'] for port in client.ports(server.uuid)] == [info.vifs[1].id]


def test_bind_and_unbind(there: Any, server: Any) -> None:
    client = there.clients.network
    server.network_info = give(there, server, [on(there.network(), tag='nic')])
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
    give(there, server, [on(there.network())])
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
    give(there, server, [on(there.network())], groups=[web])
    assert client.ports(server.uuid)[0]['security_groups'] == [web]
    for _ in range(2):
        client.set_security_groups(server.uuid, [web, db])
    assert set(client.ports(server.uuid)[0]['security_groups']) == {web, db}
    there.group('web')
    with pytest.raises(errors.network.SecurityGroupAmbiguous):
        client.security_groups(there.user, ['web'])


def test_no_network_wanted_makes_no_port(there: Any, server: Any) -> None:
    assert give(there, server, [on('none')]).vifs == []
    assert there.clients.network.ports(server.uuid) == []


def test_a_host_without_agent_fails_the_binding(there: Any, server: Any, request: Any) -> None:
    if there.kind == 'fake':
        there.clients.network.api.no_agent_on.add('deaf')
    else:
        running = request.getfixturevalue('sandbox')
        running.sandbox.ports.no_agent_on.add('deaf')
    with pytest.raises(errors.network.PortBindingFailed):
        give(there, server, [on(there.network())], 'deaf')


def test_an_answer_that_is_lost_leaves_one_port(there: Any, server: Any, request: Any) -> None:
    """The port was made, the answer never came: the step fails, and its repetition finds the port."""
    client, network = there.clients.network, there.network()
    if there.kind == 'fake':
        client.fail('create_port', errors.network.NetworkServiceFailed(), late=True)
    else:
        request.getfixturevalue('sandbox').faults.add('network', 'POST', '/v2.0/ports$', after=True, drop=True)
    with pytest.raises(errors.network.NetworkServiceFailed):
        give(there, server, [on(network)])
    assert len(give(there, server, [on(network)]).vifs) == 1
    assert len(client.ports(server.uuid)) == 1


def attach_again(there: Any, network: str, server: Any) -> None:
    client = there.clients.network
    server.network_info = give(there, server, [on(network)])
    one = give(there, server, [on(network)], key='task-1')
    again = give(there, server, [on(network)], key='task-1')
    assert [vif.id for vif in one.vifs] == [vif.id for vif in again.vifs]
    assert {port['id'] for port in client.ports(server.uuid)} == {
        server.network_info.vifs[0].id, one.vifs[0].id}
    client.release(server, [])
    assert client.ports(server.uuid) == []


def test_one_more_port_on_the_same_network(there: Any, server: Any) -> None:
    """An attach that is repeated finds its own port, not the one that the server had before."""
    attach_again(there, there.network(), server)


def test_a_neutron_without_tags_is_as_good() -> None:
    there = fakes()
    client, server = there.clients.network, Server('project')
    client.api.aliases = frozenset()
    attach_again(there, there.network(), server)
    mine = there.port(there.network())
    server.network_info = give(there, server, [with_port(mine)])
    client.release(server)
    assert client.api.port(mine)['device_id'] == ''


def test_a_crash_between_two_ports_leaves_one_and_is_mended() -> None:
    """Hooks fire around every request, so a crash may come after the first port."""
    there, server = fakes(), Server('project')
    client, network = there.clients.network, there.network()

    class Crash(BaseException):
        pass

    def crash(name: str, args: Any) -> None:
        if name == 'create_port':
            raise Crash
    client.after(crash)
    wanted = [on(network), on(network)]
    with pytest.raises(Crash):
        give(there, server, wanted)
    assert len(client.ports(server.uuid)) == 1
    client.clear()
    assert len(give(there, server, wanted).vifs) == 2
    assert len(client.ports(server.uuid)) == 2


# On whose authority ------------------------------------------------------------------------------

def test_a_user_gets_no_address_that_neutron_refuses_him(there: Any, server: Any) -> None:
    """On a shared network its owner says who has which address; Compute is no way round that."""
    network = there.network(shared=True, project='elsewhere')
    assert there.clients.network.make(there.user, server, [on(network)])
    with pytest.raises(errors.Forbidden):
        there.clients.network.make(there.user, Server(server.project_id), [on(network, '10.1.0.77')])


def test_the_owner_of_a_network_chooses_addresses(there: Any, server: Any) -> None:
    assert there.clients.network.make(there.user, server, [on(there.network(), '10.1.0.77')])


def test_what_a_user_does_not_see_is_not_got_by_booting(there: Any, server: Any) -> None:
    client = there.clients.network
    network = there.network()
    port, group = there.port(network), there.group('web')
    stranger, theirs = there.stranger, Server(there.stranger.project_id)
    with pytest.raises(errors.network.NetworkNotFound):
        client.make(stranger, theirs, [on(network)])
    with pytest.raises(errors.network.PortNotFound):
        client.make(stranger, theirs, [with_port(port)])
    shared = there.network(shared=True)
    with pytest.raises(errors.network.SecurityGroupNotFound):
        client.make(stranger, theirs, [on(shared)], [group])
    assert client.ports(theirs.uuid) == []


def test_a_port_of_another_project_is_for_nobody_else(there: Any) -> None:
    """An administrator sees it; his servers do not get it."""
    port = there.port(there.network())
    with pytest.raises(errors.network.PortNotUsable) as caught:
        there.clients.network.check(there.admin, [with_port(port)], 1)
    assert caught.value.status == 400
    with pytest.raises(errors.network.PortNotUsable):
        there.clients.network.make(there.admin, Server(there.admin.project_id), [with_port(port)])


def test_users_do_not_bind_ports(there: Any, server: Any) -> None:
    """Where a port is bound is the service's to say."""
    body = {'network_id': there.network(), 'project_id': server.project_id, 'binding:host_id': 'host1'}
    with pytest.raises(errors.Forbidden):
        there.clients.network.api.create_port(body, there.user)


def test_a_port_keeps_its_place_on_the_next_host(there: Any, server: Any) -> None:
    """An alternate takes over what was made for the server; nobody is asked for the user's word again."""
    client = there.clients.network
    wanted = [on(there.network(), tag='nic')]
    ports = client.make(there.user, server, wanted)
    for host in ('host1', 'host2', 'host2'):
        info = client.place(server, ports, wanted, host)
    assert [(vif.id, vif.tag) for vif in info.vifs] == [(ports[0], 'nic')]
    shown, = client.ports(server.uuid)
    assert (shown['binding:host_id'], shown['device_owner']) == ('host2', 'compute:nova')


def test_the_groups_of_a_server(there: Any, server: Any) -> None:
    client, web = there.clients.network, there.group('of-a-server')
    assert client.groups_of(there.user, server.uuid) == ([], {})
    client.make(there.user, server, [on(there.network())], [web])
    found, known = client.groups_of(there.user, server.uuid)
    assert [group['id'] for group in found] == [web] and web in known
    assert client.groups_of(there.stranger, server.uuid)[0] == [], 'they are shown to who may see them'


# What ports ask of hosts -------------------------------------------------------------------------

class Counting:
    """An `Api` that counts what is asked with our own credentials, port by port."""

    def __init__(self, api: Any) -> None:
        self._api, self.looked_up = api, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def port(self, port_id: str, context: Any = None) -> Any:
        self.looked_up += context is None
        return self._api.port(port_id, context)


def test_what_a_port_asks_for_is_looked_up_for_its_user(there: Any) -> None:
    """He is not shown it; an administrator is. A Neutron without groups has one a port."""
    client, network, policy = there.clients.network, there.network(), there.policy(5)
    port = there.port(network, policy)
    assert 'resource_request' not in client.api.port(port, there.user)
    assert all('resource_request' not in each for each in client.api.ports(there.user))
    plain, asking = client.check(there.user, [on(network), with_port(port)], 1)
    claim, = asking.claims
    group = client.api.port(port)['resource_request'].get('request_groups', [{'id': port}])[0]['id']
    assert claim == {'suffix': group, 'port': port, 'resources': {RATE: 5},
                     'required': ['CUSTOM_VNIC_TYPE_NORMAL'],
                     'same_subtree': [group] if there.kind == 'sandbox' else []}
    assert plain.claims == []


def allocation(there: Any, port: str, provider: str, group: str) -> dict[str, Any]:
    return {'allocation': provider if there.kind == 'fake' else {group: provider}}


def test_a_port_says_who_serves_it(there: Any, server: Any) -> None:
    """Bound, moved, prepared elsewhere, unbound and given back; what others say in its profile stays."""
    client, network = there.clients.network, there.network()
    port = there.port(network, there.policy(5))
    client.api.update_port(port, {'binding:profile': {'trusted': 'true'}})
    asked = client.check(there.user, [with_port(port)], 1)
    group = asked[0].claims[0]['suffix']

    def said(host: str) -> Any:
        found = next(one for one in client.api.bindings(port) if one['host'] == host)
        return found['profile']
    info = client.place(server, client.make(there.user, server, asked), asked, 'host1', {group: 'one'})
    assert said('host1') == {'trusted': 'true', **allocation(there, port, 'one', group)}
    assert port_requests.served(info) == {group: 'one'}
    client.bind(server, 'host2', {group: 'two'})
    assert said('host2') == {'trusted': 'true', **allocation(there, port, 'two', group)}
    client.bind(server, 'host2', {group: 'three'})
    for _ in range(2):
        client.prebind(server, 'host3', {group: 'four'})
    assert said('host2') == {'trusted': 'true', **allocation(there, port, 'three', group)}
    client.activate(server, 'host3', {group: 'four'})
    client.drop_bindings(server, 'host2')
    assert said('host3') == {'trusted': 'true', **allocation(there, port, 'four', group)}
    client.unbind(server)
    assert client.api.port(port)['binding:profile'] == {'trusted': 'true'}
    client.activate(server, 'host1', {group: 'one'})
    assert said('host1') == {'trusted': 'true', **allocation(there, port, 'one', group)}
    client.release_port(server, port)
    assert client.api.port(port)['binding:profile'] == {}


def test_a_port_that_is_a_device_asks_for_nothing(there: Any) -> None:
    """Which card of the host would serve it, nobody could say."""
    port = there.port(there.network(), there.policy(5))
    there.clients.network.api.update_port(port, {'binding:vnic_type': 'direct'})
    api = there.clients.network.api

    class Physical(Counting):
        def networks(self, context: Any = None, **filters: Any) -> Any:
            return [{**one, 'provider:physical_network': 'physnet1'}
                    for one in api.networks(context, **filters)]
    with pytest.raises(errors.network.PortAsksResources, match='device'):
        Client(Physical(api)).check(there.user, [with_port(port)], 1)


def test_a_port_that_asks_for_none_is_looked_up_where_it_may(there: Any) -> None:
    """A policy may have no minimum; without a policy nothing more is asked of Neutron."""
    network, counting = there.network(), Counting(there.clients.network.api)
    client = Client(counting)
    for port, looked_up in ((there.port(network), 0), (there.port(network, there.policy(0)), 1)):
        assert client.check(there.user, [with_port(port)], 1)[0].claims == []
        assert counting.looked_up == looked_up


def test_a_port_of_a_network_with_a_minimum_is_not_made(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    there.set_policy(network, there.policy(5))
    for _ in range(2):
        with pytest.raises(errors.network.PortAsksResources):
            client.make(there.user, server, [on(network)], key='task')
        assert client.ports(server.uuid) == []


def test_a_minimum_that_comes_later_is_seen_when_the_port_is_bound(there: Any, server: Any) -> None:
    client, network = there.clients.network, there.network()
    ports = client.make(there.user, server, [on(network)])
    if there.kind == 'fake':
        there.clients.network.api.all_ports[ports[0]]['resource_request'] = {'resources': {'X': 1}}
    else:
        there.set_policy(network, there.policy(5))
    with pytest.raises(errors.network.PortAsksResources):
        client.place(server, ports, [on(network)], 'host1')


def test_what_a_port_asks_for_has_to_be_shown_to_us(there: Any) -> None:
    """A Neutron that hides it from our own credentials is not taken to say that there is nothing."""
    class Hiding(Counting):
        def port(self, port_id: str, context: Any = None) -> Any:
            return {key: value for key, value in super().port(port_id, context).items()
                    if key != 'resource_request'}

    port = there.port(there.network(), there.policy(5))
    with pytest.raises(errors.network.NetworkServiceFailed):
        Client(Hiding(there.clients.network.api)).check(there.user, [with_port(port)], 1)


def test_what_is_done_for_the_first_time_is_not_looked_for(
        there: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repetition looks, and finds what the first call made."""
    client, network, looks = there.clients.network, there.network(), []
    ports = client.api.ports

    def look(*args: Any, **filters: Any) -> Any:
        looks.append(filters)
        return ports(*args, **filters)
    monkeypatch.setattr(client.api, 'ports', look)
    made = client.make(there.user, server, [on(network)], key='k', again=False)
    assert looks == []
    assert client.make(there.user, server, [on(network)], key='k') == made
    assert looks == [{'device_id': server.uuid}]
