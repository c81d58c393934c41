"""Ports that are devices of their host (SR-IOV): scheduled, taken, bound, moved, given back, by the APIs."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import Apart, cloud_of, flavors, user
from nova.tests.functional.ports import make_port, shown

VF, TRAIT = 'SRIOV_NET_VF', 'CUSTOM_PHYSNET_PHYSNET1'


class WithCards(Apart):
    """Two hosts of each cell have a card; those of cell1 have theirs, two functions each, on physnet1."""

    def options(self, file):
        if file == 'nova':
            return {'DEFAULT': {'allow_resize_to_same_host': 'true'},
                    'filter_scheduler': {'pci_in_placement': 'true'}}
        network = 'physnet1' if file == 'cell1' else 'physnet2'
        spec = f'{{"vendor_id": "8086", "physical_network": "{network}"}}'
        return {'DEFAULT': {'report_interval': 1}, 'fake': {'pci_devices': '8086:1572+8086:154c*2'},
                'pci': {'device_spec': spec, 'report_in_placement': 'true'}}


cloud = cloud_of(WithCards, 4)
admin = user('admin', 'module')


@pytest.fixture(scope='module')
def vlan(admin):
    """A network of a VLAN on physnet1."""
    made = admin.call('POST', '/v2.0/networks', {'network': {
        'name': 'vlan', 'provider:network_type': 'vlan', 'provider:physical_network': 'physnet1',
        'provider:segmentation_id': 101}}, service='network').json()['network']
    admin.call('POST', '/v2.0/subnets', {'subnet': {
        'network_id': made['id'], 'cidr': '192.168.7.0/24', 'ip_version': 4}}, service='network')

    def reported():
        path = f'/resource_providers?resources={VF}:2&required={TRAIT}'
        answer = admin.call('GET', path, service='placement')
        return answer.status_code == 200 and len(answer.json()['resource_providers']) == 2
    until(reported)
    return made['id']


def port(admin, network, vnic_type='direct', **values):
    return make_port(admin, network, **{'binding:vnic_type': vnic_type, **values})


def held(admin, uuid):
    found = admin.get(f'/allocations/{uuid}', service='placement')['allocations']
    return sum(each['resources'].get(VF, 0) for each in found.values())


def booted(admin, *ports, **fields):
    return admin.booted('nic', networks=[{'port': ident} for ident in ports], **fields)


def test_a_port_is_a_device_of_its_host(cloud, admin, vlan):
    """Scheduled to the physical network, bound with the device, moved to one of another host, given back."""
    ident = port(admin, vlan)
    server = booted(admin, ident)
    bound, host = shown(admin, ident), server['OS-EXT-SRV-ATTR:host']
    assert cloud.deployment.hosts[host] == 'cell1' and held(admin, server['id']) == 1
    assert (bound['binding:vif_type'], bound['binding:vif_details']['vlan'], bound['status']) == (
        'hw_veb', '101', 'ACTIVE')
    assert bound['binding:profile'] == {
        'pci_vendor_info': '8086:154c', 'pci_slot': '0000:00:02.0', 'physical_network': 'physnet1'}
    admin.act(server['id'], 'migrate', None, 'VERIFY_RESIZE')
    moved = shown(admin, ident)
    assert moved['binding:host_id'] == admin.show(server['id'])['OS-EXT-SRV-ATTR:host'] != host
    assert moved['binding:profile']['pci_slot'] and moved['status'] == 'ACTIVE'
    admin.act(server['id'], 'revertResize', None, 'ACTIVE')
    back = shown(admin, ident)
    assert (back['binding:host_id'], back['binding:profile']) == (host, bound['binding:profile'])
    for action in ('shelve', 'unshelve'):
        admin.act(server['id'], action, None, {'shelve': 'SHELVED_OFFLOADED', 'unshelve': 'ACTIVE'}[action])
        there = shown(admin, ident)
        assert bool(there['binding:profile']) is bool(there['binding:host_id']) is (action == 'unshelve')
        assert held(admin, server['id']) == (1 if action == 'unshelve' else 0)
    admin.act(server['id'], 'rebuild', {'imageRef': admin.image}, 'ACTIVE')
    admin.delete(server['id'])
    given_back = shown(admin, ident)
    assert (given_back['binding:profile'], given_back['binding:vif_type']) == ({}, 'unbound')
    leaks.check(cloud, admin)


def test_devices_run_out(cloud, admin, vlan):
    """Two hosts, two functions each; a resize in place keeps the port where it is."""
    servers = [booted(admin, port(admin, vlan), port(admin, vlan, 'macvtap')) for _ in range(2)]
    assert len({server['OS-EXT-SRV-ATTR:host'] for server in servers}) == 2
    late = port(admin, vlan)
    failed = admin.ended(admin.boot('late', networks=[{'port': late}]).json()['server']['id'])
    assert failed['status'] == 'ERROR'
    first = servers[0]['id']
    before = {ident['port_id']: shown(admin, ident['port_id'])['binding:profile']
              for ident in admin.get(f'/servers/{first}/os-interface')['interfaceAttachments']}
    with flavors(admin) as make:
        admin.act(first, 'resize', {'flavorRef': make(2)}, 'VERIFY_RESIZE')
        admin.act(first, 'confirmResize', None, 'ACTIVE')
    assert admin.show(first)['OS-EXT-SRV-ATTR:host'] == servers[0]['OS-EXT-SRV-ATTR:host']
    assert {ident: shown(admin, ident)['binding:profile'] for ident in before} == before
    ident = next(iter(before))
    assert admin.call('DELETE', f'/servers/{first}/os-interface/{ident}').status_code == 202
    until(lambda: shown(admin, ident)['binding:profile'] == {})
    for server in (first, servers[1]['id'], failed['id']):
        admin.delete(server)
    leaks.check(cloud, admin)


def test_what_cannot_be(cloud, admin, vlan):
    server = booted(admin, port(admin, vlan))
    tunnelled = port(admin, admin.network)
    for said, answer in (
            ('provider:physical_network', admin.boot('tunnel', networks=[{'port': tunnelled}])),
            ('when it is made', admin.call('POST', f'/servers/{server["id"]}/os-interface', {
                'interfaceAttachment': {'port_id': port(admin, vlan)}})),
            ('migrate it cold', admin.call('POST', f'/servers/{server["id"]}/action', {
                'os-migrateLive': {'host': None, 'block_migration': 'auto'}}))):
        assert answer.status_code == 400 and said in answer.text, answer.text
    admin.delete(server['id'])
    leaks.check(cloud, admin)
