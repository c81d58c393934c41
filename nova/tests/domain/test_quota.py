"""What a server counts for."""

import pytest

from nova import objects
from nova.domain import quota
from nova.objects.demand import Demand


@pytest.mark.parametrize(('specs', 'properties', 'found'), [
    ({}, {}, {'VCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 11}),
    ({'hw:cpu_policy': 'dedicated'}, {}, {'PCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 11}),
    ({}, {'hw_cpu_policy': 'dedicated'}, {'PCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 11}),
    ({'resources:VCPU': '0', 'resources1:CUSTOM_GOLD': '3'}, {},
     {'CUSTOM_GOLD': 3, 'MEMORY_MB': 512, 'DISK_GB': 11}),
    ({'resources:VCPU': 'many'}, {}, {'VCPU': 2, 'MEMORY_MB': 512, 'DISK_GB': 11}),
])
def test_resources_of_a_flavor(specs, properties, found):
    flavor = objects.Flavor(flavorid='1', name='m', vcpus=2, memory_mb=512, root_gb=10, swap=1024,
                            extra_specs=specs)
    assert quota.resources(flavor, properties) == found


def test_a_disk_that_is_a_volume_counts_nothing():
    flavor = objects.Flavor(flavorid='1', name='m', vcpus=2, memory_mb=512, root_gb=10)
    assert quota.resources(flavor, {}, volume_backed=True) == {'VCPU': 2, 'MEMORY_MB': 512}


def test_the_larger_in_each_respect():
    assert Demand(1, 512, {'VCPU': 1, 'DISK_GB': 5}).or_more(Demand(2, 256, {'VCPU': 2, 'PCPU': 1})) == Demand(
        2, 512, {'VCPU': 2, 'DISK_GB': 5, 'PCPU': 1})
