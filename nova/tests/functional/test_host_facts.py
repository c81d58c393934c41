"""What hosts say of NUMA cells, devices and measurements reaches the filters and weighers that read it."""

import dataclasses

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import Apart, cloud_of, flavors, user

ALIAS = '{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8"}'
SIZE = {'vcpus': 8, 'numa_cells': 2}
HOST = {'DEFAULT': {'report_interval': 1}, 'fake': SIZE,
        'compute': {'cpu_dedicated_set': '1-3,5-7'}, 'pci': {'alias': ALIAS}}
FULLER = {**HOST, 'fake': {**SIZE, 'pci_devices': '10de:1eb8'},
          'pci': {'alias': ALIAS, 'report_in_placement': 'true'}}


@dataclasses.dataclass
class Special(Apart):
    """One host in each of two cells, the second with a device. The scheduler fills hosts that work most first:
    that is the opposite of what the other weighers do."""

    def options(self, file):
        if file == 'nova':
            return {'filter_scheduler': {'enabled_filters': 'ComputeFilter, NUMATopologyFilter, '
                                         'PciPassthroughFilter, MetricsFilter'},
                    'metrics': {'weight_setting': 'cpu.percent=1.0', 'weight_multiplier': '1000000'},
                    'pci': {'alias': ALIAS}}
        return {'cell1': HOST, 'cell2': FULLER}.get(file, {})


cloud = cloud_of(Special)
admin = user('admin', 'module')


@pytest.fixture
def flavor(cloud, admin):
    """A flavor with these CPUs and extra specs."""
    with flavors(admin) as make:
        yield lambda vcpus=2, **specs: make(vcpus, **specs)
    leaks.end(cloud, admin, admin)


def host_of(server):
    return server['OS-EXT-SRV-ATTR:host']


def preview(admin, flavor, **more):
    """Why no host takes a server of the flavor, or which is the best one."""
    answer = admin.call('POST', '/os-scheduling-preview', {'server': {
        'name': 'maybe', 'imageRef': admin.image, 'flavorRef': flavor, 'networks': [{'uuid': admin.network}],
        **more}})
    assert answer.status_code == 200, answer.text
    seen = answer.json()['preview']
    return seen['reason'] or seen['servers'][0]['hosts'][0]['host']


def test_cells_and_dedicated_cpus(admin, flavor):
    """Each host has two cells with three CPUs each that are given away once."""
    pair, trio = (flavor(vcpus, hw__cpu_policy='dedicated') for vcpus in (2, 3))
    wide = flavor(4, hw__cpu_policy='dedicated')
    assert 'NUMATopologyFilter' in preview(admin, wide), 'six are there, but no cell has four'
    assert preview(admin, trio, host='compute1') == 'compute1'
    servers = [admin.booted(flavorRef=pair, host='compute1') for _ in range(2)]
    nodes = [node for one in servers for node in admin.get(f'/servers/{one["id"]}/topology')['nodes']]
    assert {node['host_node'] for node in nodes} == {0, 1}
    assert [node['vcpu_set'] for node in nodes] == [[0, 1], [0, 1]]
    assert {cpu for node in nodes for cpu in node['cpu_pinning'].values()} < {1, 2, 3, 5, 6, 7}
    until(lambda: 'NUMATopologyFilter' in preview(admin, pair, host='compute1'), 60,
          told=lambda: preview(admin, pair, host='compute1'))
    admin.delete(servers[0]['id'])
    until(lambda: preview(admin, pair, host='compute1') == 'compute1', 60)


def test_devices_and_measurements(admin, flavor):
    plain, gpu = flavor(), flavor(pci_passthrough__alias='gpu:1')
    assert preview(admin, plain) == 'compute1', 'who asks for no device leaves the host with one alone'
    assert 'PciPassthroughFilter' in preview(admin, flavor(pci_passthrough__alias='gpu:2'))
    first = admin.booted(flavorRef=gpu)
    assert host_of(first) == 'compute2'
    until(lambda: 'PciPassthroughFilter' in preview(admin, gpu), 60, told=lambda: preview(admin, gpu))
    until(lambda: preview(admin, plain) == 'compute2', 60, told=lambda: preview(admin, plain))
    admin.delete(first['id'])
    until(lambda: preview(admin, gpu) == 'compute2', 60)
