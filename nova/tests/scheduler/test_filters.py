"""Each filter by itself."""

import collections
from typing import Any

import pytest

from nova import conf as nova_conf
from nova.domain import pci
from nova.domain.extra_specs_ops import match
from nova.scheduler import filters
from nova.scheduler.host_state import Aggregate, Flavor, Group, HostState, Wanted


def host(name: str = 'h1', metadata: list[dict[str, str]] | None = None, **values: Any) -> HostState:
    aggregates = tuple(Aggregate(f'a{i}', f'a{i}', frozenset({name}), one)
                       for i, one in enumerate(metadata or []))
    return HostState('node', name, f'{name}.node', 'cell', aggregates=aggregates, **values)


def wanted(extra_specs: dict[str, str] | None = None, **values: Any) -> Wanted:
    return Wanted(values.pop('project_id', 'p'), 'u',
                  Flavor('f', 1, 1, 1, 0, 0, extra_specs or {}), **values)


def passes(name: str, state: HostState, what: Wanted, **options: Any) -> bool:
    configured = nova_conf.new(config_files=[], **{
        f'filter_scheduler.{key}': value for key, value in {'enabled_filters': [name], **options}.items()})
    one, = filters.enabled(configured)
    found = one.filter_all([state], what)
    assert bool(found) == one.host_passes(state, what), 'both ways of asking must agree'
    return bool(found)


NIC = {'vendor_id': '8086', 'product_id': '154c', 'numa_node': 0, 'count': 1, 'resource_class': 'SRIOV_NET_VF',
       'traits': ['CUSTOM_PHYSNET_A'], 'device_type': 'type-VF'}
QEMU = {'supported_instances': [['x86_64', 'qemu', 'hvm']], 'hypervisor_version': 8002001}


@pytest.mark.parametrize('name,state,what,options,expected', [
    ('AllHostsFilter', host(up=False), wanted(), {}, True),
    ('ComputeFilter', host(), wanted(), {}, True),
    ('ComputeFilter', host(up=False), wanted(), {}, False),
    ('ComputeFilter', host(disabled=True), wanted(), {}, False),
    ('NumInstancesFilter', host(num_instances=2), wanted(), {'max_instances_per_host': 3}, True),
    ('NumInstancesFilter', host(num_instances=3), wanted(), {'max_instances_per_host': 3}, False),
    ('NumInstancesFilter', host(num_instances=3, metadata=[{'max_instances_per_host': '4'}]), wanted(),
     {'max_instances_per_host': 3}, True),
    ('NumInstancesFilter', host(num_instances=3, metadata=[{'max_instances_per_host': '4'},
                                                            {'max_instances_per_host': '2'}]), wanted(), {},
                                                             False),
    ('IoOpsFilter', host(num_io_ops=8), wanted(), {}, False),
    ('IoOpsFilter', host(num_io_ops=7), wanted(), {}, True),
    ('IoOpsFilter', host(num_io_ops=999), wanted(), {'max_io_ops_per_host': -1}, True),
    ('AggregateIoOpsFilter', host(num_io_ops=3, metadata=[{'max_io_ops_per_host': '3'}]), wanted(), {}, False),
    ('AggregateNumInstancesFilter', host(num_instances=1, metadata=[{'max_instances_per_host': '1'}]), wanted(),
     {}, False),
    ('AggregateTypeAffinityFilter', host(), wanted(), {}, True),
    ('AggregateTypeAffinityFilter', host(metadata=[{'instance_type': 'e, f'}]), wanted(), {}, True),
    ('AggregateTypeAffinityFilter', host(metadata=[{'instance_type': 'e'}]), wanted(), {}, False),
    ('MetricsFilter', host(), wanted(), {}, True),
    ('NUMATopologyFilter', host(), wanted(), {}, True),
    ('NUMATopologyFilter', host(), wanted({'hw:numa_nodes': '1'}), {}, False),
    ('NUMATopologyFilter', host(numa_topology={'cells': [{'id': 0, 'cpus': 1, 'memory': 1}]}),
     wanted({'hw:numa_nodes': '1'}), {}, True),
    ('PciPassthroughFilter', host(), wanted(), {}, True),
    ('PciPassthroughFilter', host(), wanted({'pci_passthrough:alias': 'a1:1'}), {}, False),
    ('PciPassthroughFilter', host(pci_stats=[NIC]), wanted(ports=(pci.of_port('direct', 'a'),)), {}, True),
    ('PciPassthroughFilter', host(pci_stats=[NIC]), wanted(ports=(pci.of_port('direct', 'a'),) * 2), {}, False),
    ('PciPassthroughFilter', host(pci_stats=[NIC]), wanted(ports=(pci.of_port('direct', 'b'),)), {}, False),
    ('IsolatedHostsFilter', host(), wanted(image_id='i'), {}, True),
    ('IsolatedHostsFilter', host(), wanted(image_id='i'), {'isolated_images': ['i']}, False),
    ('IsolatedHostsFilter', host(), wanted(image_id='i'), {'isolated_images': ['i'], 'isolated_hosts': ['h1']},
     True),
    ('IsolatedHostsFilter', host(), wanted(image_id='x'), {'isolated_hosts': ['h1']}, False),
    ('IsolatedHostsFilter', host(), wanted(image_id='x'), {
        'isolated_hosts': ['h1'], 'restrict_isolated_hosts_to_isolated_images': False}, True),
    ('AggregateMultiTenancyIsolation', host(metadata=[{'x': 'y'}]), wanted(), {}, True),
    ('AggregateMultiTenancyIsolation', host(metadata=[{'filter_tenant_id': 'q, p'}]), wanted(), {}, True),
    ('AggregateMultiTenancyIsolation', host(metadata=[{'filter_tenant_id7': 'q'}]), wanted(), {}, False),
    ('ComputeCapabilitiesFilter', host(hypervisor_type='QEMU'), wanted(), {}, True),
    ('ComputeCapabilitiesFilter', host(hypervisor_type='QEMU'),
     wanted({'capabilities:hypervisor_type': 's== QEMU'}), {}, True),
    ('ComputeCapabilitiesFilter', host(hypervisor_type='QEMU'),
     wanted({'capabilities:hypervisor_type': 'VMware'}), {}, False),
    ('ComputeCapabilitiesFilter', host(cpu_info={'topology': {'cores': 4}}),
     wanted({'capabilities:cpu_info:topology:cores': '>= 4'}), {}, True),
    ('ComputeCapabilitiesFilter', host(stats={'rack': '7'}),
     wanted({'rack': '7', 'hw:cpu_policy': 'shared'}), {},
     True),
    ('ComputeCapabilitiesFilter', host(), wanted({'rack': '7'}), {}, False),
    ('AggregateInstanceExtraSpecsFilter', host(metadata=[{'ssd': 'true'}]),
     wanted({'aggregate_instance_extra_specs:ssd': 'true', 'hw:cpu_policy': 'shared'}), {}, True),
    ('AggregateInstanceExtraSpecsFilter', host(metadata=[{'ssd': 'no'}, {'ssd': 'yes,true'}]),
     wanted({'ssd': 'true'}), {}, True),
    ('AggregateInstanceExtraSpecsFilter', host(), wanted({'aggregate_instance_extra_specs:ssd': 'true'}), {},
     False),
    ('AggregateImagePropertiesIsolation', host(metadata=[{'os_distro': 'windows,bsd'}]),
     wanted(image={'os_distro': 'bsd'}), {}, True),
    ('AggregateImagePropertiesIsolation', host(metadata=[{'os_distro': 'windows'}]),
     wanted(image={'os_distro': 'bsd'}), {}, False),
    ('AggregateImagePropertiesIsolation', host(metadata=[{'os_distro': 'windows'}]), wanted(), {}, True),
    ('AggregateImagePropertiesIsolation', host(metadata=[{'os_distro': 'windows'}]),
     wanted(image={'os_distro': 'bsd'}), {'aggregate_image_properties_isolation_namespace': 'iso'}, True),
    ('ImagePropertiesFilter', host(), wanted(), {}, True),
    ('ImagePropertiesFilter', host(**QEMU),
     wanted(image={'hw_architecture': 'amd64', 'img_hv_type': 'qemu'}), {},
     True),
    ('ImagePropertiesFilter', host(**QEMU), wanted(image={'hw_architecture': 'aarch64'}), {}, False),
    ('ImagePropertiesFilter', host(**QEMU), wanted(image={'hw_vm_mode': 'xen'}), {}, False),
    ('ImagePropertiesFilter', host(**QEMU), wanted(image={'img_hv_requested_version': '>=8.2,<9'}), {}, True),
    ('ImagePropertiesFilter', host(**QEMU), wanted(image={'img_hv_requested_version': '>=9.0'}), {}, False),
    ('ImagePropertiesFilter', host(**QEMU), wanted(), {'image_properties_default_architecture': 'aarch64'},
     False),
    ('JsonFilter', host(free={'MEMORY_MB': 2048}),
     wanted(scheduler_hints={'query': '["and", [">=", "$free_ram_mb", 1024], ["=", "$host", "h1"]]'}), {},
      True),
    ('JsonFilter', host(free={'MEMORY_MB': 512}),
     wanted(scheduler_hints={'query': ['[">=", "$free_ram_mb", 1024]']}), {}, False),
    ('JsonFilter', host(), wanted(scheduler_hints={'query': '["not", ["in", "$host", "h2", "h3"]]'}), {}, True),
    ('JsonFilter', host(), wanted(scheduler_hints={'query': '["unheard", 1]'}), {}, False),
    ('JsonFilter', host(), wanted(scheduler_hints={'query': 'no json'}), {}, False),
    ('JsonFilter', host(), wanted(), {}, True),
    ('DifferentHostFilter', host(), wanted(scheduler_hints={'different_host': ['x']}, where={'x': 'h1'}),
     {}, False),
    ('DifferentHostFilter', host(), wanted(scheduler_hints={'different_host': 'x'}, where={'x': 'h2'}), {},
     True),
    ('SameHostFilter', host(), wanted(scheduler_hints={'same_host': ['x', 'y']}, where={'y': 'h1'}), {}, True),
    ('SameHostFilter', host(), wanted(scheduler_hints={'same_host': ['x']}), {}, False),
    ('SimpleCIDRAffinityFilter', host(host_ip='192.0.2.77'),
     wanted(scheduler_hints={'build_near_host_ip': '192.0.2.1'}), {}, True),
    ('SimpleCIDRAffinityFilter', host(host_ip='192.0.2.77'),
     wanted(scheduler_hints={'build_near_host_ip': '192.0.2.1', 'cidr': '/28'}), {}, False),
    ('SimpleCIDRAffinityFilter', host(), wanted(scheduler_hints={'build_near_host_ip': '192.0.2.1'}), {},
     False),
    ('ServerGroupAffinityFilter', host(), wanted(group=Group('g', 'affinity')), {}, True),
    ('ServerGroupAffinityFilter', host(),
     wanted(group=Group('g', 'affinity', on_host=collections.Counter(h2=1))), {}, False),
    ('ServerGroupAntiAffinityFilter', host(),
     wanted(group=Group('g', 'anti-affinity', on_host=collections.Counter(h1=1))), {}, False),
    ('ServerGroupAntiAffinityFilter', host(),
     wanted(group=Group('g', 'anti-affinity', {'max_server_per_host': 2}, collections.Counter(h1=1))), {},
      True),
    ('ServerGroupAntiAffinityFilter', host(),
     wanted(group=Group('g', 'soft-anti-affinity', on_host=collections.Counter(h1=1))), {}, True),
])
def test_filter(name: str, state: HostState, what: Wanted, options: dict[str, Any], expected: bool) -> None:
    assert passes(name, state, what, **options) is expected


@pytest.mark.parametrize('have,asked,expected', [
    (4, '= 3', True), (4, '= 5', False), (4, '== 4', True), (4, '!= 4', False), (4, '<= 3', False),
    ('abc', 's== abc', True), ('abc', 's!= abc', False), ('abc', 's>= abb', True), ('abc', 's< abb', False),
    ('sse avx', '<in> avx', True), ('sse avx', '<all-in> sse avx2', False), ('b', '<or> a <or> b', True),
    ('ab', '<or> a <or> b', False), ('plain', 'plain', True), ('plain', 'other', False), ('word', '>= 3',
     False),
    ('', '', True)])
def test_the_language_of_extra_specs(have: Any, asked: str, expected: bool) -> None:
    assert match(have, asked) is expected


def test_filters_are_found_by_name_and_by_path() -> None:
    names = {one.__name__ for one in filters.all_filters()}
    assert {'ComputeFilter', 'SameHostFilter', 'JsonFilter'} <= names
    found = filters.available([f'{__name__}.host_filter_of_ones_own', 'nova.scheduler.filters.all_filters'])
    assert 'OnesOwn' in found
    with pytest.raises(ValueError, match='NoSuchFilter'):
        filters.enabled(nova_conf.new(config_files=[], **{
            'filter_scheduler.enabled_filters': ['NoSuchFilter']}))
    with pytest.raises(ValueError, match='nowhere'):
        filters.available(['nowhere.at.All'])


class OnesOwn(filters.BaseHostFilter):
    """A filter of somebody else's."""


def host_filter_of_ones_own() -> list[type[filters.BaseHostFilter]]:
    return [OnesOwn]


POOLS = [{'vendor_id': '8086', 'product_id': '0001', 'count': 1},
         {'vendor_id': '8086', 'product_id': '0002', 'count': 2, 'resource_class': 'CUSTOM_NIC',
          'traits': ['CUSTOM_FAST']}]


@pytest.mark.parametrize(('asked', 'enough'), [
    ('a:1', True), ('a', True), ('a:2', False), ('any:3', True), ('any:4', False), ('a:1,any:2', True),
    ('a:1,any:3', False), ('unknown:1', False), ('fast:2', True), ('fast:3', False),
    ('faster:1', False), ('a:x', False)])
def test_pci_devices(asked: str, enough: bool) -> None:
    alias = ['{"name": "a", "vendor_id": "8086", "product_id": "0001"}', '{"name": "any", "vendor_id": "8086"}',
             '{"name": "fast", "resource_class": "nic", "traits": "fast"}',
             '{"name": "faster", "resource_class": "nic", "traits": "fast, faster"}']
    configured = nova_conf.new(config_files=[], **{
        'pci.alias': alias, 'filter_scheduler.enabled_filters': ['PciPassthroughFilter']})
    one, = filters.enabled(configured)
    assert one.host_passes(host(pci_stats=POOLS), wanted({'pci_passthrough:alias': asked})) is enough


def test_metrics_that_have_a_weight_have_to_be_measured() -> None:
    configured = nova_conf.new(config_files=[], **{
        'metrics.weight_setting': ['load=-1'], 'filter_scheduler.enabled_filters': ['MetricsFilter']})
    one, = filters.enabled(configured)
    assert not one.host_passes(host(), wanted())
    assert one.host_passes(host(metrics=[{'name': 'load', 'value': 1}]), wanted())


def test_a_filter_without_a_judgement_is_none() -> None:
    class Empty(filters.BaseHostFilter):
        pass
    with pytest.raises(TypeError):
        Empty(nova_conf.new(config_files=[]))  # type: ignore[abstract]


FIELD = {
    'AggregateImagePropertiesIsolation', 'AggregateInstanceExtraSpecsFilter', 'AggregateIoOpsFilter',
    'AggregateMultiTenancyIsolation', 'AggregateNumInstancesFilter', 'AggregateTypeAffinityFilter',
    'AllHostsFilter',
    'ComputeCapabilitiesFilter', 'ComputeFilter', 'DifferentHostFilter', 'ImagePropertiesFilter', 'IoOpsFilter',
    'IsolatedHostsFilter', 'JsonFilter', 'MetricsFilter', 'NUMATopologyFilter', 'NumInstancesFilter',
    'PciPassthroughFilter', 'SameHostFilter', 'ServerGroupAffinityFilter', 'ServerGroupAntiAffinityFilter',
    'SimpleCIDRAffinityFilter'}


def test_the_field_knows_each_by_its_name() -> None:
    assert {one.__name__ for one in filters.all_filters()} == FIELD
