"""Each weigher by itself, and their sum."""

import collections
from typing import Any

import pytest

from nova import conf as nova_conf
from nova import errors
from nova.scheduler import ranking, weights
from nova.scheduler.host_state import Aggregate, Flavor, Group, HostState, Wanted

WANTED = Wanted('p', 'u', Flavor('f', 1, 1, 1, 0, 0, {}))


def host(name: str, cell: str = 'c1', metadata: dict[str, str] | None = None, **values: Any) -> HostState:
    aggregates = (Aggregate('a', 'a', frozenset(), metadata),) if metadata else ()
    return HostState(name, name, name, cell, aggregates=aggregates, **values)


def order(hosts: list[HostState], weigher: str | None = None, wanted: Wanted = WANTED,
 **options: Any) -> list[str]:
    classes = [weigher] if weigher else ['nova.scheduler.weights.all_weighers']
    configured = nova_conf.new(config_files=[], **{
        f'filter_scheduler.{key}': value for key, value in {'weight_classes': classes, **options}.items()})
    return [one.host for one in ranking.Ranking(weights.enabled(configured), hosts, wanted)]


@pytest.mark.parametrize('path,option,less,more', [
    ('ram.RAMWeigher', 'ram', {'free': {'MEMORY_MB': 1}}, {'free': {'MEMORY_MB': 9}}),
    ('cpu.CPUWeigher', 'cpu', {'free': {'VCPU': 1}}, {'free': {'VCPU': 9}}),
    ('disk.DiskWeigher', 'disk', {'free': {'DISK_GB': 1}}, {'free': {'DISK_GB': 9}}),
    ('io_ops.IoOpsWeigher', 'io_ops', {'num_io_ops': 9}, {'num_io_ops': 1}),
    ('hypervisor_version.HypervisorVersionWeigher', 'hypervisor_version', {'hypervisor_version': 1},
     {'hypervisor_version': 2}),
    ('build_failure.BuildFailureWeigher', 'build_failure', {'failed_builds': 3}, {}),
    ('pci.PCIWeigher', 'pci', {'free': {'CUSTOM_PCI_8086_1572': 2}}, {}),
])
def test_weigher(path: str, option: str, less: dict[str, Any], more: dict[str, Any]) -> None:
    hosts = [host('less', **less), host('more', **more)]
    path = f'nova.scheduler.weights.{path}'
    assert order(hosts, path) == ['more', 'less']
    turned = -1.0 if option != 'io_ops' else 1.0
    assert order(hosts, path, **{f'{option}_weight_multiplier': turned}) == ['less', 'more']
    assert order(hosts, path, **{f'{option}_weight_multiplier': 0.0}) == ['less', 'more']
    mine = [host('less', metadata={f'{option}_weight_multiplier': str(turned)}, **less),
            host('more', metadata={f'{option}_weight_multiplier': str(turned)}, **more)]
    assert order(mine, path) == ['less', 'more'], 'an aggregate sets its own'


def test_number_of_servers_counts_only_where_configured() -> None:
    hosts = [host('few', num_instances=1), host('many', num_instances=5)]
    assert order(hosts) == ['few', 'many']
    assert order(hosts, num_instances_weight_multiplier=1.0) == ['many', 'few']


def test_groups_and_cells() -> None:
    hosts = [host('h1'), host('h2', cell='c2')]
    near = Wanted('p', 'u', WANTED.flavor,
     group=Group('g', 'soft-affinity', {}, collections.Counter(h2=2)))
    far = Wanted('p', 'u', WANTED.flavor,
                 group=Group('g', 'soft-anti-affinity', {}, collections.Counter(h1=2)))
    move = Wanted('p', 'u', WANTED.flavor, from_cell='c2')
    for wanted in (near, far, move):
        assert order(hosts, wanted=wanted) == ['h2', 'h1']


def test_amounts_are_stretched_so_that_units_do_not_matter() -> None:
    """A host with a little more of two things beats one with a lot more of one."""
    one = host('one', free={'MEMORY_MB': 1000000, 'VCPU': 1, 'DISK_GB': 1})
    two = host('two', free={'MEMORY_MB': 1, 'VCPU': 2, 'DISK_GB': 2})
    assert order([one, two]) == ['two', 'one']


def test_a_multiplier_that_is_no_number_does_not_count() -> None:
    state = host('h', metadata={'ram_weight_multiplier': 'lots'})
    assert state.multiplier('ram', 2.5) == 2.5


def test_weighers_are_found() -> None:
    assert order([]) == []
    with pytest.raises(ValueError, match='nowhere'):
        order([host('h')], 'nowhere.at.All')


def test_metrics() -> None:
    hosts = [host('a', metrics=[{'name': 'load', 'value': 9}]),
             host('b', metrics=[{'name': 'load', 'value': 1}])]
    configured = nova_conf.new(config_files=[], **{
        'metrics.weight_setting': ['load=-1.0'],
        'filter_scheduler.weight_classes': ['nova.scheduler.weights.metrics.MetricsWeigher']})
    weighers = weights.enabled(configured)
    assert [one.host for one in ranking.Ranking(weighers, hosts, WANTED)] == ['b', 'a']
    with pytest.raises(errors.Internal, match='load'):
        ranking.Ranking(weighers, [*hosts, host('c')], WANTED)
    configured.set_override('required', False, 'metrics')
    assert [one.host for one in ranking.Ranking(weighers, [host('c'), *hosts], WANTED)] == ['b', 'a', 'c']


def test_like_images_come_together() -> None:
    wanted = Wanted('p', 'u', Flavor('f', 1, 1, 1, 0, 0, {}),
                    image={'os_distro': 'x', 'hw_disk_bus': 'y'})
    hosts = [host('a', stats={'image_properties': {'hw_disk_bus=y': 3}}),
             host('b', stats={'image_properties': {'os_distro=x': 2}})]
    path = 'nova.scheduler.weights.image_props.ImagePropertiesWeigher'
    assert order(hosts, path, wanted, image_props_weight_multiplier=1.0) == ['a', 'b']
    only = {'image_props_weight_multiplier': 1.0, 'image_props_weight_setting': ['os_distro=2']}
    assert order(hosts, path, wanted, **only) == ['b', 'a']


def test_the_field_knows_each_by_its_name() -> None:
    assert {one.__name__ for one in weights.all_weighers()} == {
        'BuildFailureWeigher', 'CPUWeigher', 'CrossCellWeigher', 'DiskWeigher', 'HypervisorVersionWeigher',
        'ImagePropertiesWeigher', 'IoOpsWeigher', 'MetricsWeigher', 'NumInstancesWeigher', 'PCIWeigher',
        'RAMWeigher', 'ServerGroupSoftAffinityWeigher', 'ServerGroupSoftAntiAffinityWeigher'}
