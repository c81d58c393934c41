"""Extra specs as 2.86 judges them."""

import pytest

from nova import errors
from nova.domain import flavor_specs
from nova.domain.spec_catalog import catalog

GOOD = {
    'hw:cpu_policy': 'dedicated', 'hw:numa_cpus.0': '0-3,5', 'hw:numa_mem.12': '512',
    'hw:cpu_realtime_mask': '^0-1',
    'hw:mem_page_size': '2MB', 'hw:pmu': 'yes', 'quota:cpu_period': '1000', 'quota:cpu_quota': '-1',
    'resources:VCPU': '0', 'resources1:CUSTOM_X': '2', 'resources_NET1:SRIOV_NET_VF': '1',
    'trait:HW_CPU_X86_AVX2': 'required', 'trait_NET1:CUSTOM_FAST': 'forbidden', 'group_policy': 'isolate',
    'capabilities:hypervisor_type': 's== QEMU', 'aggregate_instance_extra_specs:ssd': 'true',
    'pci_passthrough:alias': 'gpu:1,nic:2', 'quota:disk_read_iops_sec': '10', 'os:secure_boot': 'required',
    'my_own': 'anything', 'our:own': 'anything', 'hwx:cpu_policy': 'anything',
}
BAD = {
    'hw:cpu_policy': 'sometimes', 'hw:numa_cpus.0': 'a', 'hw:numa_mem.0': '0', 'hw:mem_page_size': 'huge',
    'hw:pmu': 'perhaps', 'quota:cpu_period': '999', 'quota:cpu_shares': '1.5', 'resources:VCPU': '-1',
    'trait:HW_CPU_X86_AVX2': 'maybe', 'group_policy': 'some', 'pci_passthrough:alias': 'gpu',
    'hw:no_such_thing': 'x', 'quota:nothing': '1', 'resources:vcpu': '1', 'hw:numa_cpus.x': '1',
}


@pytest.mark.parametrize('name', sorted(GOOD))
def test_good(name: str) -> None:
    flavor_specs.check(name, GOOD[name])


@pytest.mark.parametrize('name', sorted(BAD))
def test_bad(name: str) -> None:
    with pytest.raises(errors.Invalid, match=name.replace('.', r'\.')):
        flavor_specs.check(name, BAD[name])


def test_the_first_wrong_one_is_named() -> None:
    flavor_specs.check_all(GOOD)
    with pytest.raises(errors.Invalid, match='hw:pmu'):
        flavor_specs.check_all({**GOOD, 'hw:pmu': 'perhaps'})


def test_every_known_one_is_declared_once_and_explained() -> None:
    names = [spec.name for spec in catalog()]
    assert len(names) == len(set(names)) > 80
    assert all(spec.help.endswith('.') for spec in catalog())
