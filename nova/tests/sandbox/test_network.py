"""Network: ports as a compute service uses them, bindings, addresses, and errors by their names."""

import pathlib
import secrets

import httpx
import openstack
import openstack.exceptions as sdk
import pytest
from openstack.connection import Connection

from nova.tests.fixtures.sandbox import Running, running_sandbox

SERVER = '11111111-1111-1111-1111-111111111111'


def error_of(raised: pytest.ExceptionInfo) -> tuple[int, str]:
    answer = raised.value.response
    return answer.status_code, answer.json()['NeutronError']['type']


@pytest.fixture
def lan(running: Running, demo: Connection, nova: Connection):
    network = demo.network.create_network(name='lan')
    demo.network.create_subnet(network_id=network.id, cidr='192.0.2.0/29', ip_version=4, name='lan4')
    yield network
    for port in nova.network.ports(network_id=network.id):
        nova.network.delete_port(port)
    demo.network.delete_network(network)


def test_what_a_compute_service_does(running: Running, demo: Connection, nova: Connection, lan) -> None:
    assert {item.name for item in demo.network.networks()} == {'private', 'public', 'lan'}
    port = demo.network.create_port(network_id=lan.id, device_id=SERVER)
    assert (port.status, port.binding_vif_type) == ('DOWN', None)
    assert port.project_id == running.made.projects['demo']
    bound = nova.network.update_port(port.id, device_owner='compute:nova', binding_host_id='host1',
                                     binding_profile={'a': 1})
    assert (bound.status, bound.binding_vif_type, bound.binding_host_id) == ('ACTIVE', 'ovs', 'host1')
    assert bound.binding_vif_details['bridge_name'] == 'br-int'
    assert bound.revision_number > port.revision_number
    assert [item.id for item in nova.network.ports(device_id=SERVER)] == [port.id]
    assert len(demo.network.get_port(port.id).security_group_ids) == 1
    gone = nova.network.update_port(port.id, device_id='', device_owner='', binding_host_id=None)
    assert (gone.status, gone.binding_vif_type) == ('DOWN', 'unbound')
    nova.network.delete_port(port)
    with pytest.raises(sdk.NotFoundException) as raised:
        nova.network.get_port(port.id)
    assert error_of(raised) == (404, 'PortNotFound')


def test_active_ports_are_announced_once_a_host(tmp_path: pathlib.Path) -> None:
    told: list[tuple[str, str]] = []
    with running_sandbox(tmp_path, on_port_active=lambda port: told.append(
            (port['device_id'], port['binding:host_id']))) as running:
        nova = openstack.connect(**running.cloud('nova'))
        port = nova.network.create_port(network_id=running.made.networks['private'], device_id=SERVER,
                                        device_owner='compute:nova', binding_host_id='host1')
        nova.network.update_port(port, name='named')
        assert told == [(SERVER, 'host1')]
        nova.network.create_port_binding(port, host='host2')
        assert told == [(SERVER, 'host1')]
        nova.network.activate_port_binding(port, host='host2')
        assert told == [(SERVER, 'host1'), (SERVER, 'host2')]


def test_bindings_for_live_migration(running: Running, nova: Connection, lan) -> None:
    port = nova.network.create_port(network_id=lan.id, device_owner='compute:nova', binding_host_id='host1')
    base = f'/ports/{port.id}/bindings'

    def hosts() -> dict[str, str]:
        return {item['host']: item['status'] for item in nova.network.get(base).json()['bindings']}
    made = nova.network.post(base, json={'binding': {'host': 'host2', 'profile': {'migrating_to': 'x'}}})
    assert made.status_code == 201 and made.json()['binding']['vif_type'] == 'ovs'
    assert hosts() == {'host1': 'ACTIVE', 'host2': 'INACTIVE'}
    again = nova.network.post(base, json={'binding': {'host': 'host2'}})
    assert (again.status_code, again.json()['NeutronError']['type']) == (409, 'PortBindingAlreadyExists')
    assert nova.network.put(f'{base}/host2/activate', json={}).json()['binding']['status'] == 'ACTIVE'
    assert hosts() == {'host2': 'ACTIVE', 'host1': 'INACTIVE'}
    found = nova.network.get_port(port.id)
    assert (found.binding_host_id, found.binding_profile) == ('host2', {'migrating_to': 'x'})
    twice = nova.network.put(f'{base}/host2/activate', json={})
    assert (twice.status_code, twice.json()['NeutronError']['type']) == (409, 'PortBindingAlreadyActive')
    assert nova.network.delete(f'{base}/host1').status_code == 204
    missing = nova.network.delete(f'{base}/host1')
    assert (missing.status_code, missing.json()['NeutronError']['type']) == (404, 'PortBindingNotFound')


def test_a_host_without_an_agent_fails_to_bind(running: Running, nova: Connection, lan) -> None:
    running.sandbox.ports.no_agent_on.add('lonely')
    port = nova.network.create_port(network_id=lan.id, device_owner='compute:nova', binding_host_id='lonely')
    assert (port.status, port.binding_vif_type) == ('DOWN', 'binding_failed')


def test_ports_that_are_devices(running: Running, nova: Connection, lan) -> None:
    """They are bound on VLANs and flat networks alone, and carry something once their device is named."""
    vlan = nova.network.create_network(
        provider_network_type='vlan', provider_physical_network='physnet1', provider_segmentation_id=7)

    def bound(network: str, vnic_type: str, **profile: str):
        port = nova.network.create_port(
            network_id=network, device_owner='compute:nova', binding_host_id='host1',
            binding_vnic_type=vnic_type, binding_profile=profile)
        return port, (port.binding_vif_type, port.status)
    assert bound(lan.id, 'direct', pci_slot='0000:05:02.0')[1] == ('binding_failed', 'DOWN')
    assert bound(vlan.id, 'direct')[1] == ('hw_veb', 'DOWN')
    port, how = bound(vlan.id, 'macvtap', pci_slot='0000:05:02.0')
    assert how == ('hw_veb', 'ACTIVE') and port.binding_vif_details['vlan'] == '7'
    card = '52:54:00:00:00:02'
    port, how = bound(vlan.id, 'direct-physical', pci_slot='0000:06:00.0', device_mac_address=card)
    assert (how, port.mac_address) == (('hostdev_physical', 'ACTIVE'), card)
    free = nova.network.update_port(port, binding_host_id='', binding_profile={})
    assert free.binding_vif_type == 'unbound' and free.mac_address != card
    for port in nova.network.ports(network_id=vlan.id):
        nova.network.delete_port(port)
    nova.network.delete_network(vlan)


def test_addresses_run_out_and_come_back(demo: Connection, lan) -> None:
    ports = [demo.network.create_port(network_id=lan.id) for _ in range(5)]
    taken = {port.fixed_ips[0]['ip_address'] for port in ports}
    assert taken == {f'192.0.2.{number}' for number in range(2, 7)}
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.create_port(network_id=lan.id)
    assert error_of(raised) == (409, 'IpAddressGenerationFailure')
    demo.network.delete_port(ports[1])
    assert demo.network.create_port(network_id=lan.id).fixed_ips == ports[1].fixed_ips


def test_addresses_as_asked(demo: Connection, lan) -> None:
    port = demo.network.create_port(network_id=lan.id, fixed_ips=[{'ip_address': '192.0.2.5'}])
    assert [item.id for item in demo.network.ports(fixed_ips='ip_address=192.0.2.5')] == [port.id]
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.create_port(network_id=lan.id, fixed_ips=[{'ip_address': '192.0.2.5'}])
    assert error_of(raised) == (409, 'IpAddressAlreadyAllocated')
    with pytest.raises(sdk.BadRequestException) as raised:
        demo.network.create_port(network_id=lan.id, fixed_ips=[{'ip_address': '198.51.100.1'}])
    assert error_of(raised) == (400, 'InvalidIpForNetwork')
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.create_port(network_id=lan.id, mac_address=port.mac_address)
    assert error_of(raised) == (409, 'MacAddressInUse')
    moved = demo.network.update_port(port, fixed_ips=[{'ip_address': '192.0.2.5'}, {'ip_address': '192.0.2.6'}])
    assert [item['ip_address'] for item in moved.fixed_ips] == ['192.0.2.5', '192.0.2.6']
    assert demo.network.create_port(network_id=lan.id, fixed_ips=[]).fixed_ips == []


def test_a_failed_port_takes_no_address(demo: Connection, lan) -> None:
    with pytest.raises(sdk.NotFoundException) as raised:
        demo.network.create_port(network_id=lan.id, security_group_ids=[SERVER],
                                 fixed_ips=[{'ip_address': '192.0.2.5'}])
    assert error_of(raised) == (404, 'SecurityGroupNotFound')
    assert demo.network.create_port(network_id=lan.id, fixed_ips=[{'ip_address': '192.0.2.5'}]).id


def test_tenants_see_their_own_and_what_is_shared(running: Running, admin: Connection, demo: Connection,
                                                  lan) -> None:
    hidden = admin.network.create_network(name='hidden')
    assert 'hidden' not in {item.name for item in demo.network.networks()}
    with pytest.raises(sdk.NotFoundException) as raised:
        demo.network.create_port(network_id=hidden.id)
    assert error_of(raised) == (404, 'NetworkNotFound')
    foreign = admin.network.create_port(network_id=running.made.networks['private'])
    with pytest.raises(sdk.NotFoundException):
        demo.network.get_port(foreign.id)
    mine = demo.network.create_port(network_id=running.made.networks['private'])
    assert 'binding:host_id' not in demo.network.get(f'/ports/{mine.id}').json()['port']
    with pytest.raises(sdk.ForbiddenException) as raised:
        demo.network.update_port(mine, binding_host_id='host1')
    assert error_of(raised) == (403, 'PolicyNotAuthorized')
    with pytest.raises(sdk.ForbiddenException):
        demo.network.create_network(name='mine', is_shared=True)
    for port in (foreign, mine):
        admin.network.delete_port(port)
    admin.network.delete_network(hidden)


def test_filters_fields_tags_and_paging(demo: Connection, lan) -> None:
    ports = [demo.network.create_port(network_id=lan.id, name=f'p{number}') for number in range(3)]
    demo.network.set_tags(ports[0], ['red', 'big'])
    demo.network.set_tags(ports[1], ['red'])
    assert {item.name for item in demo.network.ports(tags='red')} == {'p0', 'p1'}
    assert {item.name for item in demo.network.ports(tags='red,big')} == {'p0'}
    assert {item.name for item in demo.network.ports(not_tags='red', network_id=lan.id)} == {'p2'}
    paged = demo.network.ports(limit=1, sort_key='name', sort_dir='desc')
    assert [item.name for item in paged] == ['p2', 'p1', 'p0']
    for number, port in enumerate(ports):
        demo.network.update_port(port.id, device_id=f'server{number}')
    several = demo.network.get('/ports?device_id=server0&device_id=server2').json()['ports']
    assert {item['name'] for item in several} == {'p0', 'p2'}
    shown = demo.network.get('/ports', params={'fields': ['id', 'name'], 'network_id': lan.id}).json()['ports']
    assert all(set(item) == {'id', 'name'} for item in shown) and len(shown) == 3


def test_quota_and_security_group_errors(running: Running, admin: Connection, demo: Connection, lan) -> None:
    project = running.made.projects['demo']
    admin.network.update_quota(project, ports=1)
    demo.network.create_port(network_id=lan.id)
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.create_port(network_id=lan.id)
    assert error_of(raised) == (409, 'OverQuota')
    details = demo.network.get(f'/quotas/{project}/details').json()['quota']['port']
    assert details == {'limit': 1, 'used': 1, 'reserved': 0}
    admin.network.delete_quota(project)
    default = demo.network.find_security_group('default')
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.delete_security_group(default)
    assert error_of(raised) == (409, 'SecurityGroupCannotRemoveDefault')
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.create_security_group_rule(security_group_id=default.id, direction='egress',
                                                ethertype='IPv4')
    assert error_of(raised) == (409, 'SecurityGroupRuleExists')
    with pytest.raises(sdk.ConflictException) as raised:
        demo.network.delete_network(lan, ignore_missing=False)
    assert error_of(raised) == (409, 'NetworkInUse')


def test_floating_address(running: Running, demo: Connection, lan) -> None:
    port = demo.network.create_port(network_id=lan.id)
    floating = demo.network.create_ip(floating_network_id=running.made.networks['public'], port_id=port.id)
    assert (floating.status, floating.fixed_ip_address) == ('ACTIVE', port.fixed_ips[0]['ip_address'])
    demo.network.delete_port(port)
    assert demo.network.get_ip(floating.id).port_id is None
    demo.network.delete_ip(floating)


def test_no_token_and_malformed_bodies(running: Running, demo: Connection) -> None:
    answer = httpx.get(f'{running.url}/network/v2.0/networks')
    assert answer.status_code == 401 and f'{running.url}/identity' in answer.headers['WWW-Authenticate']
    for body in ({}, {'port': []}, [], {'port': {'network_id': SERVER, 'colour': 'red'}}):
        assert demo.network.post('/ports', json=body).status_code == 400
    broken = demo.network.post('/ports', data='{', headers={'Content-Type': 'application/json'})
    assert broken.status_code == 400


@pytest.fixture
def minima(admin: Connection):
    """A policy with minima of bandwidth and packet rate, for all projects."""
    policy = admin.network.create_qos_policy(name='minima', shared=True)
    admin.network.create_qos_minimum_bandwidth_rule(policy, min_kbps=1000, direction='egress')
    admin.network.create_qos_minimum_packet_rate_rule(policy, min_kpps=10, direction='any')
    yield policy
    admin.network.delete_qos_policy(policy)


def test_what_ports_ask_of_hosts(running: Running, admin: Connection, demo: Connection, nova: Connection, lan,
                                 minima) -> None:
    """Of its own policy, or else of its network's; bandwidth on a physical network. Users do not see it."""
    port = demo.network.create_port(network_id=lan.id, qos_policy_id=minima.id)
    assert 'resource_request' not in demo.network.get(f'/ports/{port.id}').json()['port']

    def asked(ident: str) -> list[dict]:
        shown = nova.network.get_port(ident).resource_request
        groups = shown['request_groups'] if shown else []
        assert not groups or shown['same_subtree'] == [group['id'] for group in groups]
        assert asked_again(ident) == shown
        return [{key: group[key] for key in ('required', 'resources')} for group in groups]

    def asked_again(ident: str) -> dict | None:
        return next(one.resource_request for one in nova.network.ports() if one.id == ident)
    packets = {'required': ['CUSTOM_VNIC_TYPE_NORMAL'], 'resources': {'NET_PACKET_RATE_KILOPACKET_PER_SEC': 10}}
    bandwidth = {'required': ['CUSTOM_PHYSNET_PHYS_NET1', 'CUSTOM_VNIC_TYPE_NORMAL'],
                 'resources': {'NET_BW_EGR_KILOBIT_PER_SEC': 1000}}
    assert asked(port.id) == [packets]
    admin.network.update_network(lan, provider_physical_network='phys-net1', qos_policy_id=minima.id)
    other = demo.network.create_port(network_id=lan.id)
    assert asked(other.id) == asked(port.id) == [bandwidth, packets]
    router = nova.network.create_port(network_id=lan.id, device_owner='network:dhcp')
    assert asked(router.id) == []
    assert demo.network.get_port(other.id).qos_network_policy_id == minima.id
    demo.network.update_port(port.id, qos_policy_id=None)
    admin.network.update_network(lan, qos_policy_id=None)
    assert asked(other.id) == asked(port.id) == []


def test_policies_are_made_by_administrators(admin: Connection, demo: Connection, lan) -> None:
    with pytest.raises(sdk.ForbiddenException):
        demo.network.create_qos_policy(name='mine')
    policy = admin.network.create_qos_policy(name='theirs')
    with pytest.raises(sdk.NotFoundException) as raised:
        demo.network.create_port(network_id=lan.id, qos_policy_id=policy.id)
    assert error_of(raised) == (404, 'QosPolicyNotFound')
    rule = admin.network.create_qos_minimum_bandwidth_rule(policy, min_kbps=1, direction='ingress')
    with pytest.raises(sdk.ConflictException):
        admin.network.create_qos_minimum_bandwidth_rule(policy, min_kbps=2, direction='ingress')
    with pytest.raises(sdk.BadRequestException):
        admin.network.create_qos_minimum_bandwidth_rule(policy, min_kbps=2, direction='any')
    admin.network.update_qos_minimum_bandwidth_rule(rule, policy, min_kbps=3)
    assert [each['min_kbps'] for each in admin.network.get_qos_policy(policy).rules] == [3]
    port = admin.network.create_port(network_id=lan.id, qos_policy_id=policy.id)
    with pytest.raises(sdk.ConflictException) as raised:
        admin.network.delete_qos_policy(policy)
    assert error_of(raised) == (409, 'QosPolicyInUse')
    admin.network.delete_port(port)
    admin.network.delete_qos_minimum_bandwidth_rule(rule, policy)
    assert list(admin.network.qos_minimum_bandwidth_rules(policy)) == []
    admin.network.delete_qos_policy(policy)


def test_an_address_that_is_taken_is_drawn_again(
        demo: Connection, lan, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Neutron does; among six thousand ports of a network two have drawn the same."""
    drawn = iter([b'abc', b'abc', b'abd'])
    monkeypatch.setattr(secrets, 'token_bytes', lambda _: next(drawn))
    made = [demo.network.create_port(network_id=lan.id).mac_address for _ in range(2)]
    assert made == ['fa:16:3e:61:62:63', 'fa:16:3e:61:62:64']
