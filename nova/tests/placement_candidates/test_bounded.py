"""Work in proportion to what is asked for, counted in placements tried rather than in time."""

import itertools
import random
from collections import Counter

import pytest

from nova.common import dbkit
from nova.placement.candidates.budget import PATIENCE, PER_PICK
from nova.placement.candidates.search import CandidateRequest, Candidates, RequestGroup, Searcher
from nova.placement.candidates.view import View
from nova.tests.placement_candidates.cloud import SHARING, Rp, rp, uid, view_of


@pytest.fixture
def kind() -> str:
    """The search is handed its forest: no statement is sent."""
    return 'sqlite'


def cards(hosts: int, each: int = 8, units: int = 1) -> View:
    """Hosts with as many cards of so many devices."""
    return view_of([item for host in range(hosts) for item in (
        rp(f'host{host}', VCPU=8),
        *(rp(f'card{host}-{number}', f'host{host}', GPU=units) for number in range(each)))])


def ask(groups: int, policy: str = 'none', limit: int | None = None) -> CandidateRequest:
    return CandidateRequest([RequestGroup(f'_{number}', {'GPU': 1}) for number in range(groups)], policy, limit)


def per_host(found: Candidates) -> Counter[str]:
    view = found.view
    return Counter(view.providers[view.forest.starts[view.forest.tree[pick[0]]]].uuid for pick in found.picks)


@pytest.mark.parametrize('policy', ['none', 'isolate'])
@pytest.mark.parametrize('limit', [1, 10, 100])
def test_eight_groups_over_eight_cards(db: dbkit.Database, policy: str, limit: int) -> None:
    """40,320 candidates in each host; the work is that of `limit`, and hosts take turns."""
    found = Searcher(db).find(cards(40), ask(8, policy, limit))
    assert len(set(found.picks)) == limit
    assert found.tries <= limit * 8 * 8
    shares = per_host(found)
    assert len(shares) == min(limit, 40) and max(shares.values()) - min(shares.values()) <= 1


def test_six_groups_over_cards_with_room_for_all(db: dbkit.Database) -> None:
    """262,144 candidates in each host."""
    found = Searcher(db).find(cards(10, units=6), ask(6, 'none', 50))
    assert len(set(found.picks)) == 50 and found.tries <= 50 * 6
    assert set(per_host(found).values()) == {5}


@pytest.mark.parametrize('policy', ['none', 'isolate'])
def test_one_group_too_many_is_seen_at_once(db: dbkit.Database, policy: str) -> None:
    """Nine groups for eight cards: no candidate, and no walk through 8! dead ends a host."""
    found = Searcher(db).find(cards(20), ask(9, policy, 10))
    assert len(found) == 0 and found.tries == 0


def test_dead_ends_are_left_early(db: dbkit.Database) -> None:
    """A tight host whose last group fits one card only: matching looks ahead instead of trying every order."""
    cloud = [rp('host'), *(rp(f'card{n}', 'host', GPU=1, traits=('CUSTOM_LAST',) if n == 0 else ())
                           for n in range(8)), *(rp(f'bus{n}', 'host', BUS=1) for n in range(8))]
    groups = [RequestGroup(f'_{n}', {'GPU': 1}) for n in range(7)] + [
        RequestGroup('_7', {'GPU': 1}, [frozenset(['CUSTOM_LAST'])])]
    found = Searcher(db).find(view_of(cloud), CandidateRequest(groups, 'isolate', 20))
    assert len(found) == 20 and found.tries <= 20 * 8 * 8


def halves(devices: int, traits: tuple[str, ...] = ()) -> list[Rp]:
    """A host of two NUMA nodes with so many devices each; the n-th has the n-th trait."""
    return [rp('host', DISK_GB=10), *(item for node in range(2) for item in (
        rp(f'numa{node}', 'host', traits=('HW_NUMA_ROOT',), VCPU=8),
        *(rp(f'device{node}-{n}', f'numa{node}', traits=traits[n:n + 1], GPU=1) for n in range(devices))))]


TOPS = {
    'resourceless group by trait': RequestGroup('_N', {}, [frozenset(['HW_NUMA_ROOT'])]),
    'group with processors': RequestGroup('_N', {'VCPU': 1}),
}


@pytest.mark.parametrize('policy', ['none', 'isolate'])
@pytest.mark.parametrize('top', TOPS.values(), ids=list(TOPS))
def test_one_group_too_many_for_a_subtree(db: dbkit.Database, top: RequestGroup, policy: str) -> None:
    """13 groups in one of two halves of 12 devices: the host has enough, no half has (8! and more by trial)."""
    groups = [RequestGroup(f'_{n}', {'GPU': 1}) for n in range(13)]
    together = frozenset(group.suffix for group in [*groups, top])
    found = Searcher(db).find(view_of(halves(12)), CandidateRequest(
        [*groups, top], policy, 10, same_subtree=[together]))
    assert (len(found), found.tries, found.cut_short) == (0, 0, False)
    fitting = CandidateRequest([*groups[1:], top], policy, 10, same_subtree=[together - {'_0'}])
    some = Searcher(db).find(view_of(halves(12)), fitting)
    assert len(set(some.picks)) == 10 and some.tries <= 10 * 13 * 13


@pytest.mark.parametrize('policy', ['none', 'isolate'])
def test_too_few_devices_for_some_of_the_groups(db: dbkit.Database, policy: str) -> None:
    """Nine `required=in:` groups want eight of twelve devices between them: only a matching sees it."""
    traits = tuple(f'CUSTOM_T{n}' for n in range(8))
    groups = [RequestGroup(f'_{n}', {'GPU': 1}, [frozenset([traits[n % 8], traits[(n + 1) % 8]])])
              for n in range(9)]
    groups.append(TOPS['resourceless group by trait'])
    found = Searcher(db, patience=2_000).find(view_of(halves(12, traits)), CandidateRequest(
        groups, policy, 10, same_subtree=[frozenset(group.suffix for group in groups)]))
    assert (len(found), found.tries, found.cut_short) == (0, 0, False)


def test_a_subtree_for_every_pair(db: dbkit.Database) -> None:
    groups = [RequestGroup(f'_{n}', {'GPU': 1}) for n in range(13)]
    pairs = [frozenset([group.suffix, '_N']) for group in groups]
    found = Searcher(db).find(view_of(halves(12)), CandidateRequest(
        [*groups, TOPS['group with processors']], 'isolate', 10, same_subtree=pairs))
    assert (len(found), found.tries, found.cut_short) == (0, 0, False)


def test_equal_states_are_tried_once(db: dbkit.Database) -> None:
    """Twelve amounts, just as much as four equal providers have, and no way to pack them."""
    amounts = [42, 42, 42, 30, 30, 30, 30, 30, 30, 30, 30, 30]
    cloud = [rp('host'), *(rp(f'numa{n}', 'host', MEMORY_MB=99) for n in range(4))]
    groups = [RequestGroup(f'_{n}', {'MEMORY_MB': amount}) for n, amount in enumerate(amounts)]
    assert sum(amounts) == 4 * 99
    found = Searcher(db).find(view_of(cloud), CandidateRequest(groups, 'none', 10))
    assert (len(found), found.cut_short) == (0, False) and found.tries < 500


def test_traits_of_a_split_group_are_no_search_of_all_subsets(db: dbkit.Database) -> None:
    """Ten classes, nine traits, twelve providers that have one or two: 12^10 ways, few states."""
    classes = {f'CUSTOM_C{n}': 1 for n in range(10)}
    traits = [f'CUSTOM_T{n}' for n in range(9)]
    cloud = [rp('host'), *(rp(f'p{n}', 'host', traits=(traits[n % 9],), **dict.fromkeys(classes, 5))
                           for n in range(12))]
    found = Searcher(db).find(view_of(cloud), CandidateRequest(
        [RequestGroup('', classes, [frozenset([name]) for name in traits])], None, 10))
    assert len(found) == 10 and found.tries < 20_000 and not found.cut_short


def test_more_groups_than_python_nests_calls(db: dbkit.Database) -> None:
    found = Searcher(db).find(view_of([rp('host', VCPU=10_000)]), CandidateRequest(
        [RequestGroup(f'_{n}', {'VCPU': 1}) for n in range(1_500)], 'none', 10))
    assert len(found) == 1 and found.tries == 1_500


def test_trees_with_the_same_pools_are_walked_once(db: dbkit.Database) -> None:
    cloud = [*(rp(f'host{n}', VCPU=8, aggs=('x',)) for n in range(500)),
             *(rp(f'pool{n}', traits=(SHARING,), aggs=('x',), DISK_GB=5) for n in range(3))]
    groups = [RequestGroup(f'_{n}', {'DISK_GB': 1}) for n in range(2)]
    found = Searcher(db).find(view_of(cloud), CandidateRequest(groups, 'isolate', 1000))
    assert len(found) == 6 and found.tries < 100


def packing(hosts: int) -> tuple[View, CandidateRequest]:
    """28 groups of two classes for eight providers that are all but full with them: nobody can tell soon."""
    sizes = random.Random(3)
    groups = [RequestGroup(f'_{n}', {'MEMORY_MB': sizes.randint(20, 34), 'VCPU': sizes.randint(20, 34)})
              for n in range(28)]
    room = {name: -(-sum(group.resources[name] for group in groups) // 8) + 1 for name in ('MEMORY_MB', 'VCPU')}
    cloud = [item for host in range(hosts) for item in (
        rp(f'host{host}', DISK_GB=1), *(rp(f'numa{host}-{n}', f'host{host}', **room) for n in range(8)))]
    return view_of([*cloud, rp('easy', VCPU=1000, MEMORY_MB=1000)]), CandidateRequest(groups, 'none', 10)


def test_a_search_that_is_hard_is_cut_short_and_says_so(db: dbkit.Database) -> None:
    view, request = packing(1)
    found = Searcher(db).find(view, request)
    assert found.cut_short and found.tries <= PATIENCE + PER_PICK


def test_hard_trees_keep_nobody_from_the_easy_one(db: dbkit.Database) -> None:
    """The last of 21 trees has a candidate; those before it have their turns, not all the time there is."""
    view, request = packing(20)
    found = Searcher(db).find(view, request)
    assert found.cut_short and {view.providers[row].uuid for row in found.picks[0]} == {uid('easy')}


def test_the_operators_bound_depth_first_or_breadth_first(db: dbkit.Database) -> None:
    """max_allocation_candidates is used up host by host, or over all hosts in turn."""
    deep = Searcher(db, max_candidates=30).find(cards(3), ask(8))
    wide = Searcher(db, max_candidates=30, strategy='breadth-first').find(cards(3), ask(8))
    assert list(per_host(deep).values()) == [30]
    assert list(per_host(wide).values()) == [10, 10, 10]
    assert max(deep.tries, wide.tries) <= 30 * 8 * 8


def test_a_limit_within_the_bound_is_spread(db: dbkit.Database) -> None:
    found = Searcher(db, max_candidates=100).find(cards(3), ask(8, limit=9))
    assert list(per_host(found).values()) == [3, 3, 3]


def test_random_answers_differ_and_are_spread(db: dbkit.Database) -> None:
    """LIM-S1: a limit takes a random sample when the operator wants it."""
    flat = view_of([rp(f'host{number}', VCPU=8) for number in range(100)])
    request = CandidateRequest([RequestGroup('', {'VCPU': 1})], limit=5)
    searcher = Searcher(db, randomize=True)
    seen = {frozenset(searcher.find(flat, request).picks) for _ in range(20)}
    assert len(seen) > 1 and len(frozenset().union(*seen)) > 20
    fixed = [Searcher(db).find(flat, request).picks for _ in range(3)]
    assert fixed[0] == fixed[1] == fixed[2]
    nested = searcher.find(cards(5), ask(8, limit=10))
    assert set(per_host(nested).values()) == {2}


def test_a_flat_cloud_takes_no_walk(db: dbkit.Database) -> None:
    flat = view_of([rp(f'host{number}', VCPU=8, DISK_GB=8) for number in range(500)])
    found = Searcher(db).find(flat, CandidateRequest([RequestGroup('', {'VCPU': 1, 'DISK_GB': 1})], limit=1000))
    assert found.tries == 0 and len(found) == 500


@pytest.mark.parametrize('policy', ['none', 'isolate'])
def test_one_of_each_tree_takes_no_walk(db: dbkit.Database, policy: str) -> None:
    """What a scheduler asks: no more than there are hosts, each of which has something for every group."""
    cloud = [item for number in range(30) for item in (
        rp(f'host{number}', DISK_GB=10), rp(f'numa{number}', f'host{number}', VCPU=8),
        *(rp(f'device{number}-{n}', f'numa{number}', GPU=1) for n in range(3)))]
    groups = [RequestGroup('', {'DISK_GB': 1}), RequestGroup('_N', {'VCPU': 1}), RequestGroup('_1', {'GPU': 1}),
              *([RequestGroup('_2', {'GPU': 1})] if policy == 'isolate' else [])]
    together = frozenset(group.suffix for group in groups[1:])
    found = Searcher(db).find(view_of(cloud), CandidateRequest(groups, policy, 30, same_subtree=[together]))
    assert found.tries == 0 and len(per_host(found)) == 30


def test_one_group_takes_turns_over_hosts(db: dbkit.Database) -> None:
    found = Searcher(db).find(cards(4), ask(1, limit=6))
    assert sorted(per_host(found).values()) == [1, 1, 2, 2]
    uuids = {found.view.providers[row].uuid for row in itertools.chain(*found.picks)}
    assert len(uuids) == 6 and uid('card0-0') in uuids
