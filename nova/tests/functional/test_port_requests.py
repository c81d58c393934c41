"""Ports that ask for resources of their host (QoS minima): claimed, bound, moved, given back, by the APIs.

The network service's agents are not here; what they report to Placement is made as they make it: below the node
an agent with a packet rate, below that two bridges with bandwidth, each on a physical network.
"""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import Apart, cloud_of, flavors, user
from nova.tests.functional.ports import make_port, shown
from nova.tests.functional.test_audit import audit
from nova.tests.functional.test_evacuate import dead

RATE, EGRESS, INGRESS = ('NET_PACKET_RATE_KILOPACKET_PER_SEC', 'NET_BW_EGR_KILOBIT_PER_SEC',
                         'NET_BW_IGR_KILOBIT_PER_SEC')
NORMAL = 'CUSTOM_VNIC_TYPE_NORMAL'


class Small(Apart):
    """Two hosts of each cell, whose NUMA cells are in Placement."""

    def options(self, file):
        if file == 'nova':
            return {'DEFAULT': {'allow_resize_to_same_host': 'true'}}
        return {'DEFAULT': {'report_interval': 1}, 'fake': {'numa_cells': 2},
                'compute': {'report_numa_in_placement': 'true'}}


cloud = cloud_of(Small, 4)
admin = user('admin', 'module')


def provider(admin, name, parent, inventories, traits):
    """uuid of a new one."""
    answer = admin.call('POST', '/resource_providers', {'name': name, 'parent_provider_uuid': parent},
                        service='placement')
    assert answer.status_code == 200, answer.text
    uuid = answer.json()['uuid']
    for what, given in (('inventories', {one: {'total': total} for one, total in inventories.items()}),
                        ('traits', sorted(traits))):
        generation = admin.get(f'/resource_providers/{uuid}', service='placement')['generation']
        answer = admin.call('PUT', f'/resource_providers/{uuid}/{what}', {
            'resource_provider_generation': generation, what: given}, service='placement')
        assert answer.status_code == 200, answer.text
    return uuid


@pytest.fixture(scope='module')
def agents(cloud, admin):
    """Providers of each host, by its name: ``agent``, ``physnet1``, ``physnet2``."""
    def roots():
        found = admin.get('/resource_providers', service='placement')['resource_providers']
        known = {each['name']: each['uuid'] for each in found}
        return set(cloud.deployment.hosts) <= set(known) and known
    known = until(roots)
    for trait in (NORMAL, 'CUSTOM_PHYSNET_PHYSNET1', 'CUSTOM_PHYSNET_PHYSNET2'):
        assert admin.call('PUT', f'/traits/{trait}', service='placement').status_code in (201, 204)
    found = {}
    for host in cloud.deployment.hosts:
        agent = provider(admin, f'{host}:Open vSwitch agent', known[host], {RATE: 100}, {NORMAL})
        found[host] = {'agent': agent} | {physnet: provider(
            admin, f'{host}:Open vSwitch agent:br-{physnet}', agent, {EGRESS: 2000, INGRESS: 2000},
            {NORMAL, f'CUSTOM_PHYSNET_{physnet.upper()}'}) for physnet in ('physnet1', 'physnet2')}
    return found


def network(admin, physical, cidr):
    made = admin.call('POST', '/v2.0/networks', {'network': {
        'name': physical, 'provider:network_type': 'vlan', 'provider:physical_network': physical,
        'provider:segmentation_id': 101}}, service='network').json()['network']
    admin.call('POST', '/v2.0/subnets', {'subnet': {
        'network_id': made['id'], 'cidr': cidr, 'ip_version': 4}}, service='network')
    return made['id']


@pytest.fixture(scope='module')
def vlans(admin, agents):
    return network(admin, 'physnet1', '192.168.7.0/24'), network(admin, 'physnet2', '192.168.8.0/24')


@pytest.fixture(scope='module')
def policy(admin):
    """A minimum of bandwidth in both directions, and of packets."""
    made = admin.call('POST', '/v2.0/qos/policies', {'policy': {'name': 'minima'}}, service='network'
                      ).json()['policy']['id']
    for kind, rule in (('bandwidth', {'min_kbps': 1000, 'direction': 'egress'}),
                       ('bandwidth', {'min_kbps': 500, 'direction': 'ingress'}),
                       ('packet_rate', {'min_kpps': 10, 'direction': 'any'})):
        answer = admin.call('POST', f'/v2.0/qos/policies/{made}/minimum_{kind}_rules', {
            f'minimum_{kind}_rule': rule}, service='network')
        assert answer.status_code == 201, answer.text
    return made


def port(admin, network, policy, **values):
    return make_port(admin, network, qos_policy_id=policy, **values)


def booted(admin, *ports, **fields):
    return admin.booted('qos', networks=[{'port': ident} for ident in ports], **fields)


def held(admin, uuid):
    """What a consumer holds of agents and bridges."""
    found = admin.get(f'/allocations/{uuid}', service='placement')['allocations']
    return {ident: each['resources'] for ident, each in found.items()
            if set(each['resources']) & {RATE, EGRESS, INGRESS}}


def host_of(admin, uuid):
    return admin.show(uuid)['OS-EXT-SRV-ATTR:host']


def check(admin, agents, uuid, **ports):
    """The server holds of its host exactly what its ports ask for, and they say of whom; its host.

    Args:
        ports: by physical network.
    """
    host = host_of(admin, uuid)
    mine = agents[host]
    assert held(admin, uuid) == {mine['agent']: {RATE: 10 * len(ports)}} | {
        mine[physnet]: {EGRESS: 1000, INGRESS: 500} for physnet in ports}
    for physnet, ident in ports.items():
        found = shown(admin, ident)
        bandwidth, packets = found['resource_request']['request_groups']
        assert found['binding:host_id'] == host and found['status'] == 'ACTIVE'
        assert found['binding:profile'] == {'allocation': {
            bandwidth['id']: mine[physnet], packets['id']: mine['agent']}}
    return host


def test_ports_are_served_by_bridges_of_their_networks(cloud, admin, agents, vlans, policy):
    """One of them is detached; then it asks for nothing any more, wherever the server goes."""
    first, second = (port(admin, vlan, policy) for vlan in vlans)
    uuid = booted(admin, first, second)['id']
    check(admin, agents, uuid, physnet1=first, physnet2=second)
    assert admin.call('DELETE', f'/servers/{uuid}/os-interface/{first}').status_code == 202
    until(lambda: shown(admin, first)['binding:profile'] == {})
    host = check(admin, agents, uuid, physnet2=second)
    admin.act(uuid, 'migrate', None, 'VERIFY_RESIZE')
    assert check(admin, agents, uuid, physnet2=second) != host
    admin.act(uuid, 'confirmResize', None, 'ACTIVE')
    admin.delete(uuid)
    assert not held(admin, uuid) and shown(admin, second)['binding:profile'] == {}
    leaks.check(cloud, admin)


def test_beside_numa_cells(cloud, admin, agents, vlans, policy, capsys):
    """Another group each; nothing is found by who compares."""
    ident = port(admin, vlans[0], policy)
    with flavors(admin) as make:
        uuid = booted(admin, ident, flavorRef=make(2, hw__numa_nodes='2'))['id']
        check(admin, agents, uuid, physnet1=ident)
        assert len(admin.get(f'/allocations/{uuid}', service='placement')['allocations']) == 5
        assert audit(cloud, capsys) == (0, [])
        admin.delete(uuid)
    leaks.check(cloud, admin)


def test_claims_follow_the_server(cloud, admin, agents, vlans, policy):
    """There and back, live, through the shelf, and off a host that is dead."""
    ident = port(admin, vlans[0], policy)
    uuid = booted(admin, ident)['id']
    source = check(admin, agents, uuid, physnet1=ident)
    admin.act(uuid, 'migrate', None, 'VERIFY_RESIZE')
    assert check(admin, agents, uuid, physnet1=ident) != source
    admin.act(uuid, 'revertResize', None, 'ACTIVE')
    assert check(admin, agents, uuid, physnet1=ident) == source
    admin.act(uuid, 'os-migrateLive', {'host': None, 'block_migration': 'auto'})
    until(lambda: host_of(admin, uuid) != source)
    admin.wait(uuid, 'ACTIVE')
    dest = check(admin, agents, uuid, physnet1=ident)
    admin.act(uuid, 'shelve', None, 'SHELVED_OFFLOADED')
    assert not held(admin, uuid) and shown(admin, ident)['binding:profile'] == {}
    admin.act(uuid, 'unshelve', None, 'ACTIVE')
    there = check(admin, agents, uuid, physnet1=ident)
    with dead(admin, there):
        answer = admin.call('POST', f'/servers/{uuid}/action', {'evacuate': {}})
        assert answer.status_code == 200
        admin.wait(uuid, 'SHUTOFF')
        assert check(admin, agents, uuid, physnet1=ident) != there
    assert dest != source
    admin.delete(uuid)
    leaks.check(cloud, admin)


def test_what_is_too_much_finds_no_host(cloud, admin, agents, vlans, policy):
    """Four hosts have room for two such ports each; a resize where nothing else is free keeps them."""
    servers = [booted(admin, port(admin, vlans[0], policy))['id'] for _ in range(8)]
    asked = [{'port': port(admin, vlans[0], policy)}]
    late = admin.ended(admin.boot('late', networks=asked).json()['server']['id'])
    assert late['status'] == 'ERROR' and not held(admin, late['id'])
    first, ports = servers[0], {}
    ports['physnet1'], = (each['port_id'] for each in admin.get(f'/servers/{first}/os-interface')[
        'interfaceAttachments'])
    host = check(admin, agents, first, **ports)
    with flavors(admin) as make:
        for decision in ('revertResize', 'confirmResize'):
            admin.act(first, 'resize', {'flavorRef': make(2)}, 'VERIFY_RESIZE')
            assert check(admin, agents, first, **ports) == host
            admin.act(first, decision, None, 'ACTIVE')
            assert check(admin, agents, first, **ports) == host
    for uuid in (*servers, late['id']):
        admin.delete(uuid)
    leaks.check(cloud, admin)


def test_what_cannot_be(cloud, admin, agents, vlans, policy):
    """Before 2.72 there were no such ports; later ones than the server are not claimed for."""
    ident = port(admin, vlans[0], policy)
    uuid = admin.booted('plain')['id']
    attached = {'interfaceAttachment': {'port_id': ident}}
    for said, answer in (
            ('2.72', admin.boot('old', version='2.71', networks=[{'port': ident}])),
            ('when it is made', admin.call('POST', f'/servers/{uuid}/os-interface', attached)),
            ('a device of its host', admin.boot('device', networks=[
                {'port': port(admin, vlans[0], policy, **{'binding:vnic_type': 'direct'})}]))):
        assert answer.status_code == 400 and said in answer.text, answer.text
    admin.delete(uuid)
    leaks.check(cloud, admin)
