"""Clouds that a reader can follow by hand, with every candidate they must give."""

from typing import Any

import pytest

from nova.common import dbkit
from nova.common.microversion import V
from nova.placement.candidates.search import CandidateRequest, RequestGroup, Searcher
from nova.tests.placement_candidates.cloud import SHARING, Rp, Stock, readable, rp, uid, view_of

Shares = dict[str, dict[str, int]]


def find(db: dbkit.Database, cloud: list[Rp], *groups: RequestGroup, **how: Any) -> list[Shares]:
    found = Searcher(db).find(view_of(cloud), CandidateRequest(list(groups), **how))
    return readable(found, [item.name for item in cloud])


def same(found: list[Shares], *want: Shares) -> bool:
    def key(shares: Shares) -> str:
        return repr(sorted((name, sorted(share.items())) for name, share in shares.items()))
    return sorted(map(key, found)) == sorted(map(key, want))


def group(suffix: str, *required: str, **resources: int) -> RequestGroup:
    return RequestGroup(suffix, resources, [frozenset([name]) for name in required])


def two_cards(free: int = 16) -> list[Rp]:
    """Two cards of two ports, the first card fast; ports 1 and 3 reach network 1, ports 2 and 4 network 2."""
    fast, slow = Stock(1250000000), Stock(125000000)
    vf = Stock(16, used=16 - free)

    def port(number: int, network: int, rate: Stock, *traits: str) -> Rp:
        return rp(f'port{number}', 'host', traits=(f'CUSTOM_NET{network}', *traits), SRIOV_NET_VF=vf,
                  NET_EGRESS_BYTES_SEC=rate)
    return [rp('host', VCPU=16), port(1, 1, fast, 'HW_NIC_ACCEL_SSL'), port(2, 2, fast, 'HW_NIC_ACCEL_SSL'),
            port(3, 1, slow), port(4, 2, slow)]


def test_one_function_on_each_network(db: dbkit.Database) -> None:
    """GRN-S2, first use case: different allocations of one class from different providers."""
    found = find(db, two_cards(), group('1', 'CUSTOM_NET1', SRIOV_NET_VF=1),
                 group('2', 'CUSTOM_NET2', SRIOV_NET_VF=1), group_policy='none')
    one = {'SRIOV_NET_VF': 1}
    assert same(found, {'port1': one, 'port2': one}, {'port1': one, 'port4': one},
                {'port3': one, 'port2': one}, {'port3': one, 'port4': one})


def test_function_and_bandwidth_from_one_port(db: dbkit.Database) -> None:
    """GRN-S2, second use case: a group keeps its classes together."""
    found = find(db, two_cards(), group('1', SRIOV_NET_VF=1, NET_EGRESS_BYTES_SEC=10000))
    both = {'SRIOV_NET_VF': 1, 'NET_EGRESS_BYTES_SEC': 10000}
    assert same(found, *({f'port{number}': both} for number in (1, 2, 3, 4)))


def test_two_groups_with_their_own_traits(db: dbkit.Database) -> None:
    """GRN-S2, third use case: traits bind to their group."""
    found = find(db, two_cards(), group('1', 'CUSTOM_NET1', SRIOV_NET_VF=1, NET_EGRESS_BYTES_SEC=10000),
                 group('2', 'CUSTOM_NET2', 'HW_NIC_ACCEL_SSL', SRIOV_NET_VF=1, NET_EGRESS_BYTES_SEC=20000),
                 group_policy='none')
    first, second = ({'SRIOV_NET_VF': 1, 'NET_EGRESS_BYTES_SEC': rate} for rate in (10000, 20000))
    assert same(found, {'port1': first, 'port2': second}, {'port3': first, 'port2': second})


def test_nearly_full_ports_share_the_load(db: dbkit.Database) -> None:
    """GRN-S2, fourth use case: four functions when each port has two left."""
    groups = [group(str(number), 'CUSTOM_NET1', SRIOV_NET_VF=1) for number in range(4)]
    found = find(db, two_cards(free=2), *groups, group_policy='none')
    two = {'SRIOV_NET_VF': 2}
    assert len(found) == 6 and all(same([item], {'port1': two, 'port3': two}) for item in found)


def test_isolated_groups_never_meet(db: dbkit.Database) -> None:
    """GRN-S1: isolate keeps groups apart, none lets them meet."""
    groups = [group('1', 'CUSTOM_NET1', SRIOV_NET_VF=1), group('2', 'CUSTOM_NET1', SRIOV_NET_VF=1)]
    one = {'SRIOV_NET_VF': 1}
    apart = {'port1': one, 'port3': one}
    assert same(find(db, two_cards(), *groups, group_policy='isolate'), apart, apart)
    assert same(find(db, two_cards(), *groups, group_policy='none'), apart, apart,
                {'port1': {'SRIOV_NET_VF': 2}}, {'port3': {'SRIOV_NET_VF': 2}})


def test_groups_together_stay_within_the_largest_unit(db: dbkit.Database) -> None:
    cloud = [rp('host'), rp('a', 'host', VCPU=Stock(8, max_unit=1)), rp('b', 'host', VCPU=Stock(8, max_unit=2))]
    found = find(db, cloud, group('1', VCPU=1), group('2', VCPU=1), group_policy='none')
    one = {'VCPU': 1}
    assert same(found, {'a': one, 'b': one}, {'a': one, 'b': one}, {'b': {'VCPU': 2}})


SHARED = [rp('cn1', aggs=('A', 'B'), MEMORY_MB=1024, DISK_GB=1000), rp('numa1a', 'cn1', VCPU=8),
          rp('numa1b', 'cn1', VCPU=8),
          rp('cn2', aggs=('A',), MEMORY_MB=1024, DISK_GB=1000), rp('numa2a', 'cn2', aggs=('B',), VCPU=8),
          rp('pool', aggs=('A',), traits=(SHARING,), DISK_GB=1000),
          rp('lone pool', traits=(SHARING,), DISK_GB=1000)]
ALL = group('', VCPU=1, MEMORY_MB=512, DISK_GB=500)


def shared(cpu: str, host: str, disk: str) -> Shares:
    shares: Shares = {}
    for name, cls, amount in ((cpu, 'VCPU', 1), (host, 'MEMORY_MB', 512), (disk, 'DISK_GB', 500)):
        shares.setdefault(name, {})[cls] = amount
    return shares


def test_a_pool_serves_the_trees_of_its_aggregate(db: dbkit.Database) -> None:
    """SHR-S1: local disk or the shared pool, never a pool without a common aggregate."""
    assert same(find(db, SHARED, ALL), *(
        shared(cpu, host, disk) for cpu, host in (('numa1a', 'cn1'), ('numa1b', 'cn1'), ('numa2a', 'cn2'))
        for disk in (host, 'pool')))


def test_membership_of_the_root_counts_only_without_suffix(db: dbkit.Database) -> None:
    of_b = RequestGroup('', ALL.resources, member_of=[frozenset([uid('B')])])
    assert same(find(db, SHARED, of_b), shared('numa1a', 'cn1', 'cn1'), shared('numa1b', 'cn1', 'cn1'))
    assert same(find(db, SHARED, RequestGroup('_1', {'VCPU': 1}, member_of=[frozenset([uid('B')])])),
                {'numa2a': {'VCPU': 1}})


def test_several_memberships_are_of_one_provider(db: dbkit.Database) -> None:
    """Every member_of is met by the provider, or every one by its root; half by each is no match."""
    cloud = [rp('cn', aggs=('B',)), rp('both', 'cn', aggs=('A', 'B'), VCPU=8),
             rp('half', 'cn', aggs=('A',), VCPU=8), rp('top', aggs=('A', 'B')),
             rp('below', 'top', VCPU=8), rp('other', 'top', aggs=('C',), VCPU=8)]

    def members(suffix: str, *names: str) -> list[str]:
        asked = RequestGroup(suffix, {'VCPU': 1}, member_of=[frozenset([uid(name)]) for name in names])
        return sorted(name for share in find(db, cloud, asked) for name in share)
    assert members('', 'A', 'B') == ['below', 'both', 'other']
    assert members('', 'A', 'C') == []
    assert members('', 'B') == ['below', 'both', 'half', 'other']
    assert members('_1', 'A', 'B') == ['both']


@pytest.mark.parametrize('member', ['cn1', 'numa1a'])
def test_in_tree_keeps_sharing_providers_out(db: dbkit.Database, member: str) -> None:
    inside = RequestGroup('', ALL.resources, in_tree=uid(member))
    assert same(find(db, SHARED, inside), shared('numa1a', 'cn1', 'cn1'), shared('numa1b', 'cn1', 'cn1'))


def test_in_tree_of_a_pool_for_one_group(db: dbkit.Database) -> None:
    found = find(db, SHARED, group('', VCPU=1), RequestGroup('_1', {'DISK_GB': 10}, in_tree=uid('pool')))
    assert same(found, *({name: {'VCPU': 1}, 'pool': {'DISK_GB': 10}}
                         for name in ('numa1a', 'numa1b', 'numa2a')))


def test_before_nesting_one_provider_a_tree(db: dbkit.Database) -> None:
    """Before 1.29 a tree gives one provider only; a pool may help it."""
    cloud = [rp('flat', VCPU=8, DISK_GB=10), rp('top', aggs=('A',), DISK_GB=10), rp('sub', 'top', VCPU=8),
             rp('pool', aggs=('A',), traits=(SHARING,), DISK_GB=10)]
    found = find(db, cloud, group('', VCPU=1, DISK_GB=1), version=V('1.28'))
    assert same(found, {'flat': {'VCPU': 1, 'DISK_GB': 1}}, {'sub': {'VCPU': 1}, 'pool': {'DISK_GB': 1}})


NUMA = [rp('host', traits=('CUSTOM_LICENSE',)),
        rp('numa0', 'host', traits=('HW_NUMA_ROOT',), VCPU=4),
        rp('fpga0', 'numa0', traits=('CUSTOM_T1',), FPGA=1),
        rp('numa1', 'host', traits=('HW_NUMA_ROOT',), VCPU=4),
        rp('fpga1', 'numa1', traits=('CUSTOM_T1',), FPGA=1),
        rp('fpga2', 'numa1', traits=('CUSTOM_T2',), FPGA=1)]


def test_same_subtree(db: dbkit.Database) -> None:
    found = find(db, NUMA, group('_C', VCPU=1), group('_A', FPGA=1), group_policy='none',
                 same_subtree=[frozenset(['_C', '_A'])])
    assert same(found, *({numa: {'VCPU': 1}, fpga: {'FPGA': 1}}
                         for numa, fpga in (('numa0', 'fpga0'), ('numa1', 'fpga1'), ('numa1', 'fpga2'))))


def test_a_group_without_resources_ties_others_together(db: dbkit.Database) -> None:
    """GRN-S1: legal inside same_subtree from 1.36; shown in mappings, takes nothing."""
    request = CandidateRequest(
        [group('_N', 'HW_NUMA_ROOT'), group('_1', 'CUSTOM_T1', FPGA=1), group('_2', 'CUSTOM_T2', FPGA=1)],
        'none', same_subtree=[frozenset(['_N', '_1', '_2'])])
    found = Searcher(db).find(view_of(NUMA), request)
    names = [item.name for item in NUMA]
    assert readable(found, names) == [{'fpga1': {'FPGA': 1}, 'fpga2': {'FPGA': 1}}]
    assert f'"_N":["{uid("numa1")}"]' in found.to_json(request.version).decode()


def test_root_required(db: dbkit.Database) -> None:
    wanted = group('', VCPU=1)
    assert len(find(db, NUMA, wanted, root_required=frozenset(['CUSTOM_LICENSE']))) == 2
    assert find(db, NUMA, wanted, root_forbidden=frozenset(['CUSTOM_LICENSE'])) == []
