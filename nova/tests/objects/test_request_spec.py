"""Requests for servers as they are kept: while a deployment is upgraded, two releases read them."""

import pytest

from nova import objects, release
from nova.objects import wire


def spec(**request):
    return objects.RequestSpec(
        instance_uuid='6a2b4c1e-5d0f-4a3b-9c8d-7e6f5a4b3c2d', project_id='p', user_id='u', security_groups=[],
        flavor=objects.Flavor(flavorid='1', name='small', vcpus=1, memory_mb=512, root_gb=1),
        image=objects.ImageMeta(id='image', properties=objects.ImageProperties()),
        requested_networks=[objects.NetworkRequest(network_id='n', **request)])


def version(kept):
    request, = kept[wire.DATA]['requested_networks']
    return request[wire.VERSION]


@pytest.mark.parametrize('given', [{}, {'device': None}, {'tag': 'nic'}])
def test_the_release_before_reads_it(given):
    kept = spec(**given).at_rest()
    assert version(kept) == '1.0'
    with release.use(lambda: release.PREVIOUS):
        objects.RequestSpec.from_wire(kept)


@pytest.mark.parametrize(('name', 'value'), [
    ('device', {'vnic_type': 'direct', 'physical_network': 'left', 'trusted': False}),
    ('claims', [{'suffix': 's', 'port': 'p', 'resources': {'X': 1}, 'required': [], 'same_subtree': []}])])
def test_nothing_is_lost_for_that(name, value):
    kept = spec(**{name: value}).at_rest()
    assert version(kept) == '1.2'
    assert getattr(objects.RequestSpec.from_wire(kept).requested_networks[0], name) == value
