"""What the hosts of a cloud can do, and whether one of them could run a flavor and an image."""

from typing import Any

import pytest

from nova.tests.api.cloud import ADMIN, MEMBER, READER, Cloud

NODE = {'traits': ['COMPUTE_IMAGE_TYPE_RAW', 'COMPUTE_NODE', 'COMPUTE_STORAGE_BUS_VIRTIO', 'HW_CPU_X86_AVX'],
        'most': {'VCPU': 8, 'MEMORY_MB': 8192, 'DISK_GB': 100}}
LARGE = {'traits': ['COMPUTE_NODE', 'COMPUTE_STORAGE_BUS_SCSI'], 'most': {'VCPU': 64, 'MEMORY_MB': 65536}}
CARD = {'traits': ['CUSTOM_FAST'], 'most': {'VGPU': 4}}


@pytest.fixture
def hosts(cloud: Cloud) -> None:
    cloud.host('h1', offers=[NODE])
    cloud.host('h2', 2, zone='east', offers=[LARGE, CARD])
    cloud.host('h3', zone='shut', offers=[{'traits': ['CUSTOM_SHUT'], 'most': {}}], disabled=True)


def test_the_cloud_and_a_zone(cloud: Cloud, hosts: None) -> None:
    seen = cloud.call('GET', '/os-capabilities', '2.1').json['capabilities']
    assert seen['availability_zones'] == ['east', 'nova'] and seen['hosts'] == 2
    assert seen['resources'] == {'DISK_GB': 100, 'MEMORY_MB': 65536, 'VCPU': 64, 'VGPU': 4}
    traits = {one['name']: (one['everywhere'], one['hosts']) for one in seen['traits']}
    assert traits['COMPUTE_NODE'] == (True, 2) and traits['CUSTOM_FAST'] == (False, 1)
    assert 'CUSTOM_SHUT' not in traits, 'disabled hosts are given no servers'
    east = cloud.call('GET', '/os-capabilities?availability_zone=east', headers=READER).json['capabilities']
    assert east['availability_zones'] == ['east'] and 'hosts' not in east
    assert {'name': 'CUSTOM_FAST', 'everywhere': True} in east['traits']
    nowhere = cloud.call('GET', '/os-capabilities?availability_zone=west').json['capabilities']
    assert nowhere == {'availability_zones': [], 'hosts': 0, 'traits': [], 'resources': {}}


def test_image_properties(cloud: Cloud, hosts: None) -> None:
    listed = cloud.call('GET', '/os-capabilities/image-properties', headers=READER).json['image_properties']
    found = {one['name']: one for one in listed}
    assert found['hw_disk_bus']['supported'] == ['scsi', 'virtio'] and 'fdc' in found['hw_disk_bus']['values']
    assert found['hw_architecture']['supported'] == ['x86_64']
    assert found['os_distro'] == {'name': 'os_distro', 'type': 'text', 'values': None, 'supported': None}
    assert found['hw_cpu_cores']['type'] == 'integer'
    path = '/os-capabilities/image-properties/hw_disk_bus'
    assert cloud.call('GET', path).json == {'image_property': found['hw_disk_bus']}
    assert cloud.call('GET', f'{path}?availability_zone=east').json['image_property']['supported'] == ['scsi']
    assert cloud.call('GET', '/os-capabilities/image-properties/nothing').status_code == 404


def test_extra_specs(cloud: Cloud) -> None:
    listed = cloud.call('GET', '/os-capabilities/extra-specs', headers=READER).json['extra_specs']
    found = {one['name']: one for one in listed}
    assert found['hw:cpu_policy']['values'] == ['dedicated', 'mixed', 'shared']
    assert (found['hw:boot_menu']['type'], found['hw:boot_menu']['values']) == ('boolean', None)
    assert all(one['description'] for one in listed)


def ask(cloud: Cloud, headers: Any = None, status: int = 200, **asked: Any) -> Any:
    body = {'validate': {'flavorRef': cloud.flavor().flavorid, **asked}}
    answer = cloud.call('POST', '/os-capabilities/validate', json=body, headers=headers or ADMIN)
    assert answer.status_code == status, answer.text
    return answer.json.get('validation')


def test_what_is_possible(cloud: Cloud, hosts: None) -> None:
    assert ask(cloud) == {'valid': True, 'problems': [], 'possible': True, 'lacking': [], 'hosts': 2,
                          'availability_zones': ['east', 'nova']}
    assert 'hosts' not in ask(cloud, MEMBER)
    fast = ask(cloud, extra_specs={'trait:CUSTOM_FAST': 'required', 'resources:VGPU': '1'})
    assert (fast['possible'], fast['availability_zones']) == (True, ['east'])
    assert ask(cloud, image_properties={'hw_disk_bus': 'scsi'})['availability_zones'] == ['east']
    assert ask(cloud, image_properties={'hw_disk_bus': 'scsi'}, availability_zone='nova')['lacking'] == [
        'trait COMPUTE_STORAGE_BUS_SCSI']
    image = cloud.clients.image.add(disk_format='raw', trait__HW_CPU_X86_AVX='required')
    assert ask(cloud, imageRef=image)['availability_zones'] == ['nova']


@pytest.mark.parametrize(('asked', 'lacks'), [
    ({'extra_specs': {'trait:CUSTOM_SHUT': 'required'}}, ['trait CUSTOM_SHUT']),
    ({'extra_specs': {'trait:COMPUTE_NODE': 'forbidden'}}, ['no trait COMPUTE_NODE']),
    ({'extra_specs': {'resources:VGPU': '5'}}, ['VGPU: 5']),
    ({'extra_specs': {'resources1:VGPU': '1', 'trait1:HW_CPU_X86_AVX': 'required'}},
     ['one provider with VGPU: 1, trait HW_CPU_X86_AVX (group 1)']),
    ({'extra_specs': {'hw:cpu_policy': 'dedicated'}}, ['PCPU: 1']),
    ({'image_properties': {'hw_architecture': 'aarch64'}}, ['hypervisor aarch64 * *']),
    ({'extra_specs': {'trait:HW_CPU_X86_AVX': 'required', 'resources:VCPU': '60'}}, [])])
def test_what_is_not(cloud: Cloud, hosts: None, asked: Any, lacks: list[str]) -> None:
    found = ask(cloud, **asked)
    assert (found['valid'], found['possible'], found['hosts'], found['lacking']) == (True, False, 0, lacks)


@pytest.mark.parametrize(('asked', 'names'), [
    ({'extra_specs': {'hw:cpu_policy': 'sometimes', 'hw:nonsense': '1'}}, ['hw:cpu_policy', 'hw:nonsense']),
    ({'image_properties': {'hw_disk_bus': 'tape'}}, ['hw_disk_bus']),
    ({'image_properties': {'hw_cpu_cores': 'many'}}, ['hw_cpu_cores'])])
def test_what_makes_no_sense(cloud: Cloud, hosts: None, asked: Any, names: list[str]) -> None:
    found = ask(cloud, **asked)
    assert (found['valid'], found['possible'], found['lacking'], found['hosts']) == (False, None, [], None)
    assert [one['name'] for one in found['problems'] if one['reason']] == names


def test_a_flavor(cloud: Cloud, hosts: None) -> None:
    flavor = cloud.flavor().flavorid
    path = f'/os-capabilities/flavors/{flavor}'
    assert cloud.call('GET', path).json['validation']['availability_zones'] == ['east', 'nova']
    assert cloud.call('GET', f'{path}?availability_zone=west').json['validation']['possible'] is False
    assert cloud.call('GET', '/os-capabilities/flavors/none', headers=MEMBER).status_code == 404


def test_odd_questions(cloud: Cloud, hosts: None) -> None:
    ask(cloud, status=400, flavorRef='none')
    ask(cloud, status=400, imageRef='00000000-0000-4000-8000-000000000000')
    ask(cloud, status=400, more=1)
    ask(cloud, status=400, extra_specs={'a': 1})
    assert cloud.call('GET', '/os-capabilities?zone=x', '2.104').status_code == 400


def test_hosts_that_have_not_said_what_they_offer(cloud: Cloud) -> None:
    cloud.host('h1')
    assert ask(cloud)['possible'] is False
    assert cloud.call('GET', '/os-capabilities').json['capabilities']['traits'] == []
