"""Work in proportion to what is asked for, counted in placements tried rather than in time."""

import itertools
from collections import Counter

import pytest

from nova.common import dbkit
from nova.placement.candidates.search import CandidateRequest, Candidates, RequestGroup, Searcher
from nova.placement.candidates.view import View
from nova.tests.placement_candidates.cloud import rp, uid, view_of


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
    assert found.steps <= limit * 8 * 8
    shares = per_host(found)
    assert len(shares) == min(limit, 40) and max(shares.values()) - min(shares.values()) <= 1


def test_six_groups_over_cards_with_room_for_all(db: dbkit.Database) -> None:
    """262,144 candidates in each host."""
    found = Searcher(db).find(cards(10, units=6), ask(6, 'none', 50))
    assert len(set(found.picks)) == 50 and found.steps <= 50 * 6
    assert set(per_host(found).values()) == {5}


@pytest.mark.parametrize('policy', ['none', 'isolate'])
def test_one_group_too_many_is_seen_at_once(db: dbkit.Database, policy: str) -> None:
    """Nine groups for eight cards: no candidate, and no walk through 8! dead ends a host."""
    found = Searcher(db).find(cards(20), ask(9, policy, 10))
    assert len(found) == 0 and found.steps == 0


def test_dead_ends_are_left_early(db: dbkit.Database) -> None:
    """A tight host whose last group fits one card only: matching looks ahead instead of trying every order."""
    cloud = [rp('host'), *(rp(f'card{n}', 'host', GPU=1, traits=('CUSTOM_LAST',) if n == 0 else ())
                           for n in range(8)), *(rp(f'bus{n}', 'host', BUS=1) for n in range(8))]
    groups = [RequestGroup(f'_{n}', {'GPU': 1}) for n in range(7)] + [
        RequestGroup('_7', {'GPU': 1}, [frozenset(['CUSTOM_LAST'])])]
    found = Searcher(db).find(view_of(cloud), CandidateRequest(groups, 'isolate', 20))
    assert len(found) == 20 and found.steps <= 20 * 8 * 8


def test_the_operators_bound_depth_first_or_breadth_first(db: dbkit.Database) -> None:
    """max_allocation_candidates is used up host by host, or over all hosts in turn."""
    deep = Searcher(db, max_candidates=30).find(cards(3), ask(8))
    wide = Searcher(db, max_candidates=30, strategy='breadth-first').find(cards(3), ask(8))
    assert list(per_host(deep).values()) == [30]
    assert list(per_host(wide).values()) == [10, 10, 10]
    assert max(deep.steps, wide.steps) <= 30 * 8 * 8


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
    assert found.steps == 0 and len(found) == 500


def test_one_group_takes_turns_over_hosts(db: dbkit.Database) -> None:
    found = Searcher(db).find(cards(4), ask(1, limit=6))
    assert sorted(per_host(found).values()) == [1, 1, 2, 2]
    uuids = {found.view.providers[row].uuid for row in itertools.chain(*found.picks)}
    assert len(uuids) == 6 and uid('card0-0') in uuids
