"""Server groups, also when several requests for the same group meet."""

import threading
from typing import Any

import pytest

from nova import objects
from nova.common import uuids
from nova.domain import numa_providers
from nova.domain.provider_tree import Provider


def request(cloud: Any, group: Any, *servers: str) -> objects.SelectRequest:
    return objects.SelectRequest(spec=cloud.spec(scheduler_hints={'group': [group.uuid]}),
                                 instance_uuids=list(servers))


def host_of(found: objects.Selections) -> str | None:
    return found.choices[0].selections[0].service_host if found.choices[0].selections else None


def three_hosts(cloud: Any) -> None:
    for number in range(3):
        cloud.host(f'h{number}', vcpus=16)


def test_affinity_follows_the_first(cloud: Any) -> None:
    three_hosts(cloud)
    group = cloud.group('affinity', [cloud.server('h1')])
    assert host_of(cloud.selector().select(request(cloud, group, uuids.generate()))) == 'h1'


def test_anti_affinity_avoids_the_others_up_to_its_rule(cloud: Any) -> None:
    three_hosts(cloud)
    members = [cloud.server('h0'), cloud.server('h1')]
    group = cloud.group('anti-affinity', members)
    assert host_of(cloud.selector().select(request(cloud, group, uuids.generate()))) == 'h2'
    more = [*members, cloud.server('h0'), cloud.server('h2')]
    two = cloud.group('anti-affinity', more, max_server_per_host=2)
    assert host_of(cloud.selector().select(request(cloud, two, uuids.generate()))) in ('h1', 'h2')


def test_a_burst_keeps_the_policy_within_itself(cloud: Any) -> None:
    three_hosts(cloud)
    servers = [uuids.generate() for _ in range(3)]
    found = cloud.selector().select(request(cloud, cloud.group('anti-affinity', servers), *servers))
    hosts = {choice.selections[0].service_host for choice in found.choices}
    assert not any(one.service_host in hosts for choice in found.choices for one in choice.selections[1:]), (
        'an alternate would bring two of them together')
    assert {choice.selections[0].service_host for choice in found.choices} == {'h0', 'h1', 'h2'}
    servers = [uuids.generate() for _ in range(4)]
    assert cloud.selector().select(request(cloud, cloud.group('anti-affinity', servers), *servers)).reason
    found = cloud.selector().select(request(cloud, cloud.group('affinity', servers), *servers))
    assert len({choice.selections[0].service_host for choice in found.choices}) == 1


def test_a_server_that_moves_is_not_in_its_own_way(cloud: Any) -> None:
    three_hosts(cloud)
    server = cloud.server('h1')
    group = cloud.group('anti-affinity', [server])
    found = cloud.selector().select(objects.SelectRequest(
        spec=cloud.spec(scheduler_hints={'group': group.uuid}, force_hosts=['h1']), instance_uuids=[server]))
    assert host_of(found) == 'h1'
    group = cloud.group('affinity', [server])
    spec = cloud.spec(scheduler_hints={'group': group.uuid}, ignore_hosts=['h1'])
    assert host_of(cloud.selector().select(objects.SelectRequest(spec=spec, instance_uuids=[server]))) != 'h1'


def test_a_member_that_holds_of_cells_alone_counts(cloud: Any) -> None:
    """Its root disk is a volume, and it is on its way to a host that reports its NUMA cells."""
    three_hosts(cloud)
    server, cell = uuids.generate(), numa_providers.cell_uuid('h9', 'h9.node', 0)
    child = Provider(cell, 'h9.node_NUMA0', None, {'VCPU': {'total': 4}, 'MEMORY_MB': {'total': 1024}})
    cloud.host('h9', vcpus=1, memory=1, numa_topology={'cells': [{'id': 0}]}, children=(child,))
    held = {cell: {'resources': {'VCPU': 1, 'MEMORY_MB': 512}}}
    assert cloud.placement.claim(server, {'allocations': held}, 'p', 'u')
    selector, group = cloud.selector(), cloud.group('affinity', [server])
    assert host_of(selector.select(request(cloud, group, uuids.generate()))) == 'h9'


def test_soft_policies_prefer(cloud: Any) -> None:
    cloud.host('h0', vcpus=16)
    cloud.host('h1', vcpus=16)
    near = cloud.group('soft-affinity', [cloud.server('h1')])
    far = cloud.group('soft-anti-affinity', [cloud.server('h0')])
    assert host_of(cloud.selector().select(request(cloud, near, uuids.generate()))) == 'h1'
    cloud.placement.consumers.clear()
    assert host_of(cloud.selector().select(request(cloud, far, uuids.generate()))) == 'h1'


@pytest.mark.parametrize('policy,hosts', [('affinity', 1), ('anti-affinity', 3)])
@pytest.mark.parametrize('schedulers', [1, 3])
def test_the_policy_holds_for_requests_at_the_same_time(cloud: Any, policy: str, hosts: int,
                                                        schedulers: int) -> None:
    """No late check on a host, so no up-call (CEL-S3): the scheduler itself makes it exact."""
    three_hosts(cloud)
    servers = [uuids.generate() for _ in range(3)]
    group = cloud.group(policy, servers)
    selectors = [cloud.selector() for _ in range(schedulers)]
    start, found = threading.Barrier(3), []

    def work(number: int) -> None:
        start.wait()
        found.append(host_of(selectors[number % schedulers].select(request(cloud, group, servers[number]))))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    placed = [host for host in found if host]
    assert len(set(placed)) == (hosts if policy == 'affinity' else len(placed))
    assert len(placed) == 3
    assert len(cloud.placement.consumers) == 3


def test_a_group_that_is_gone_does_not_count(cloud: Any) -> None:
    cloud.host('h1')
    spec = cloud.spec(scheduler_hints={'group': uuids.generate()})
    found = cloud.selector().select(objects.SelectRequest(spec=spec, instance_uuids=[uuids.generate()]))
    assert host_of(found) == 'h1'
