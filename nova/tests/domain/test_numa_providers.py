"""NUMA cells as providers: what is asked of them, and which ones a server has."""

import pytest

from nova.domain import numa, numa_providers
from nova.domain import placement_request as pr
from nova.domain.placement_request import Group

TWO = (numa.Cell(2, 512), numa.Cell(2, 512, pinned=2))


def request(specs=(), **amounts):
    return pr.build({'VCPU': 4, 'MEMORY_MB': 1024, 'DISK_GB': 5, **amounts}, dict(specs))


def test_who_asks_for_no_cells_is_asked_for_as_ever():
    asked = request()
    assert numa_providers.questions(asked, ()) == [asked]


def test_cells_and_hosts_without_them():
    asked = request({'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '2-3'})
    asked.main.required.add('HW_CPU_X86_AVX')
    asked.main.member_of.append(frozenset({'zone'}))
    before = repr(asked)
    on_cells, flat = numa_providers.questions(asked, TWO)
    assert on_cells.params() == [
        ('resources', 'DISK_GB:5'),
        ('required_HOST', 'COMPUTE_NODE,HW_CPU_X86_AVX'), ('member_of_HOST', 'in:zone'),
        ('resources_NUMA0', 'MEMORY_MB:512,VCPU:2'), ('required_NUMA0', 'HW_NUMA_ROOT'),
        ('resources_NUMA1', 'MEMORY_MB:512,PCPU:2'), ('required_NUMA1', 'HW_NUMA_ROOT'),
        ('group_policy', 'isolate'), ('same_subtree', '_HOST,_NUMA0,_NUMA1')]
    assert ('resources', 'DISK_GB:5,MEMORY_MB:1024,PCPU:2,VCPU:2') in flat.params()
    assert ('required', 'HW_CPU_X86_AVX,!HW_NUMA_ROOT') in flat.params()
    assert repr(asked) == before


@pytest.mark.parametrize('specs', [
    {'resources:VCPU': '8'}, {'resources_NUMA0:VCPU': '1'}, {'resources:PCPU': '4'}])
def test_a_flavor_that_says_itself_what_is_asked(specs):
    flat, = numa_providers.questions(request(specs), (numa.Cell(2, 512), numa.Cell(2, 512)))
    assert flat.main.forbidden == {'HW_NUMA_ROOT'}


def test_devices_may_be_of_one_provider():
    asked = request()
    asked.groups['_pci0'] = Group(resources={'CUSTOM_GPU': 1})
    on_cells, _ = numa_providers.questions(asked, (numa.Cell(2, 512), numa.Cell(2, 512)))
    assert ('group_policy', 'none') in on_cells.params()


def held(**parts):
    return {provider: {'resources': amounts} for provider, amounts in parts.items()}


SMALL, LARGE = {'VCPU': 1, 'MEMORY_MB': 256}, {'VCPU': 3, 'MEMORY_MB': 768}


@pytest.mark.parametrize('there, parts, found', [
    (held(a={**LARGE, 'DISK_GB': 1}, b=SMALL), [SMALL, LARGE], ['b', 'a']),
    (held(a=SMALL, b=SMALL), [SMALL, SMALL], ['a', 'b']),
    (held(a=LARGE), [LARGE], ['a']),
    (held(root={'VCPU': 4, 'MEMORY_MB': 1024}), [SMALL, LARGE], None),
    (held(a=SMALL), [SMALL, SMALL], None),
    ({}, [SMALL], None),
])
def test_which_cells_are_held(there, parts, found):
    assert numa_providers.holding(there, parts) == found


@pytest.mark.parametrize('there, asked, old, new, found', [
    (held(root={'VCPU': 1, 'DISK_GB': 1}), {'VCPU': 2, 'DISK_GB': 1}, [], [],
     {'root': {'VCPU': 2, 'DISK_GB': 1}}),
    (held(a={'VCPU': 1}, root={'DISK_GB': 1}), {'VCPU': 2, 'DISK_GB': 1}, [], [],
     {'a': {'VCPU': 2}, 'root': {'DISK_GB': 1}}),
    (held(a={'VCPU': 2}, b={'VCPU': 1}), {'VCPU': 5}, [], [], {'a': {'VCPU': 2}, 'b': {'VCPU': 3}}),
    (held(a={'VCPU': 2}, b={'VCPU': 1}), {'VCPU': 1}, [], [], {'a': {'VCPU': 1}}),
    (held(a={'VCPU': 2}), {'VCPU': 2, 'DISK_GB': 3}, [], [], {'a': {'VCPU': 2}, 'root': {'DISK_GB': 3}}),
    (held(a=LARGE, b=SMALL, root={'DISK_GB': 1}), {'VCPU': 6, 'MEMORY_MB': 1024, 'DISK_GB': 1}, [SMALL, LARGE],
     [{'VCPU': 2, 'MEMORY_MB': 256}, {'VCPU': 4, 'MEMORY_MB': 768}],
     {'b': {'VCPU': 2, 'MEMORY_MB': 256}, 'a': {'VCPU': 4, 'MEMORY_MB': 768}, 'root': {'DISK_GB': 1}}),
    (held(root={'VCPU': 4}), {'VCPU': 6}, [{'VCPU': 2}, {'VCPU': 2}], [{'VCPU': 3}, {'VCPU': 3}],
     {'root': {'VCPU': 6}}),
])
def test_who_grows_stays_where_it_is(there, asked, old, new, found):
    """MIG-S4: a resize on a host that has no room for both."""
    assert numa_providers.grown(there, 'root', asked, old, new) == found


def test_names():
    assert numa_providers.cell_name('node.a', 1) == 'node.a_NUMA1'
    assert numa_providers.is_cell('node.a', 'node.a_NUMA12')
    assert not any(numa_providers.is_cell('node.a', name) for name in (
        'node.a', 'node.a_NUMA', 'node.a_NUMA1_', 'nodexa_NUMA1', 'node.a_NUMA1x'))


def test_mixed_cpus_are_counted_as_what_they_are():
    asked = request({'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '^0'})
    assert asked.amounts() == {'VCPU': 1, 'PCPU': 3, 'MEMORY_MB': 1024, 'DISK_GB': 5}
    with pytest.raises(pr.BadSpec, match='hw:cpu_dedicated_mask'):
        request({'hw:cpu_policy': 'mixed'})
