"""PCI devices that hosts report to Placement: asked for there, held there, and given back."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import Apart, cloud_of, flavors, user

ALIAS = '{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8", "traits": "fast"}'
SPEC = '{"vendor_id": "10de", "traits": "fast"}'
GPU, TRAIT = 'CUSTOM_PCI_10DE_1EB8', 'CUSTOM_FAST'


class WithDevices(Apart):
    """Two hosts with two devices each, of which one reports them."""

    def options(self, file):
        if file == 'nova':
            return {'DEFAULT': {'allow_resize_to_same_host': 'true'}, 'pci': {'alias': ALIAS},
                    'filter_scheduler': {'pci_in_placement': 'true'}}
        pci = {'alias': ALIAS, 'device_spec': SPEC, 'report_in_placement': str(file == 'cell1').lower()}
        return {'DEFAULT': {'report_interval': 1}, 'pci': pci, 'devices': {'enabled_mdev_types': 'nvidia-35'},
                'fake': {'pci_devices': '10de:1eb8,10de:1eb8', 'mdev_types': 'nvidia-35:1'}}


cloud = cloud_of(WithDevices)
admin = user('admin', 'module')


@pytest.fixture
def flavor(admin):
    """A flavor that asks for as many devices as it is told."""
    with flavors(admin) as make:
        yield lambda count, vcpus=1: make(vcpus, pci_passthrough__alias=f'gpu:{count}')


def held(admin, uuid):
    """Devices that a consumer holds."""
    found = admin.get(f'/allocations/{uuid}', service='placement')['allocations']
    return sum(each['resources'].get(GPU, 0) for each in found.values())


def test_devices_are_asked_for_in_placement(cloud, admin, flavor):
    """Two devices of one provider, one each for two servers or both for one; nobody gets a third."""
    def providers():
        # Nobody has heard of the class before the host reports it.
        path = f'/resource_providers?resources={GPU}:2&required={TRAIT}'
        answer = admin.call('GET', path, service='placement')
        return answer.status_code == 200 and answer.json()['resource_providers']
    found, = until(providers)
    assert found['name'].endswith(f'_{GPU}_{TRAIT}')
    assert found['parent_provider_uuid'] == found['root_provider_uuid']
    one, two, three = flavor(1), flavor(2), flavor(3)
    first, second = admin.booted('first', flavorRef=one), admin.booted('second', flavorRef=one)
    assert held(admin, first['id']) == held(admin, second['id']) == 1
    assert first['OS-EXT-SRV-ATTR:host'] == second['OS-EXT-SRV-ATTR:host'] == 'compute1'
    failed = admin.ended(admin.boot('third', flavorRef=one).json()['server']['id'])
    assert failed['status'] == 'ERROR'
    admin.delete(failed['id'])
    admin.delete(second['id'])
    assert admin.ended(admin.boot('much', flavorRef=three).json()['server']['id'])['status'] == 'ERROR'
    pair = admin.ended(admin.boot('pair', flavorRef=two).json()['server']['id'])
    assert pair['status'] == 'ERROR', 'one of the two is taken'
    admin.delete(first['id'])
    pair = admin.booted('another', flavorRef=two)
    assert held(admin, pair['id']) == 2
    admin.act(pair['id'], 'resize', {'flavorRef': flavor(2, vcpus=2)}, 'VERIFY_RESIZE')
    admin.act(pair['id'], 'confirmResize', None, 'ACTIVE')
    assert held(admin, pair['id']) == 2, 'a resize in place keeps what no flavor counts (MIG-S4)'
    for server in admin.get('/servers')['servers']:
        admin.delete(server['id'])
    leaks.check(cloud, admin)


def test_mediated_devices(cloud, admin):
    """A flavor asks for a vGPU by its class; each of two hosts has one."""
    until(lambda: len(admin.get('/resource_providers?resources=VGPU:1', service='placement')[
        'resource_providers']) == 2)
    with flavors(admin) as make:
        flavor = make(resources__VGPU='1')
        servers = [admin.booted(f'vgpu-{number}', flavorRef=flavor) for number in range(2)]
        assert len({server['OS-EXT-SRV-ATTR:host'] for server in servers}) == 2
        late = admin.ended(admin.boot('late', flavorRef=flavor).json()['server']['id'])
        assert late['status'] == 'ERROR'
        for server in (*servers, late):
            admin.delete(server['id'])
        admin.delete(admin.booted('again', flavorRef=flavor)['id'])
    leaks.check(cloud, admin)
