"""Why nothing fits, constraint by constraint."""

from typing import Any

from nova.common import dbkit
from nova.placement.candidates.search import CandidateRequest, RequestGroup, Searcher
from nova.tests.placement_candidates.cloud import Cloud, Stock, rp, uid


def explained(db: dbkit.Database, *groups: RequestGroup, **how: Any) -> dict[tuple[str | None, str], int]:
    entries = Searcher(db).explain(CandidateRequest(list(groups), **how))
    return {(entry['group'], entry['constraint']): entry['remaining'] for entry in entries}


def test_each_constraint_of_a_group(db: dbkit.Database) -> None:
    Cloud(db, rp('a', VCPU=8, traits=('CUSTOM_T',), aggs=('x',)),
          rp('b', VCPU=Stock(8, used=8), traits=('CUSTOM_T',)), rp('c', VCPU=Stock(8, max_unit=1)),
          rp('d', DISK_GB=5))
    why = explained(db, RequestGroup('_1', {'VCPU': 2}))
    assert why['_1', 'providers'] == 4
    assert why['_1', 'VCPU inventory'] == 3
    assert why['_1', 'VCPU:2 unit limits'] == 2
    assert why['_1', 'VCPU:2 free capacity'] == 1
    why = explained(db, RequestGroup(
        '_1', {'VCPU': 2}, [frozenset(['CUSTOM_T'])], frozenset(['CUSTOM_U']), [frozenset([uid('x')])],
        frozenset([uid('x')]), uid('a')))
    assert [why['_1', name] for name in (
        'required CUSTOM_T', 'required !CUSTOM_U', f'member_of {uid("x")}', f'member_of !{uid("x")}',
        f'in_tree {uid("a")}', 'VCPU inventory')] == [2, 2, 1, 0, 0, 0]


def test_what_trees_lack(db: dbkit.Database) -> None:
    Cloud(db, rp('a', VCPU=8, traits=('CUSTOM_T',)), rp('b', DISK_GB=5), rp('c', VCPU=8, DISK_GB=5))
    why = explained(db, RequestGroup('', {'VCPU': 2, 'DISK_GB': 1}, [frozenset(['CUSTOM_T'])]),
                    root_required=frozenset(['CUSTOM_R']))
    assert why['', 'tree has VCPU:2'] == 2
    assert why['', 'tree has DISK_GB:1'] == 1
    assert why['', 'required CUSTOM_T'] == 0
    assert why[None, 'root_required CUSTOM_R'] == 0


def test_trees_with_everything_but_no_combination(db: dbkit.Database) -> None:
    Cloud(db, rp('host'), rp('card', 'host', GPU=8))
    groups = [RequestGroup('_1', {'GPU': 1}), RequestGroup('_2', {'GPU': 1})]
    *_, last = Searcher(db).explain(CandidateRequest(groups, 'isolate'))
    *_, before = Searcher(db).explain(CandidateRequest(groups, 'none'))
    assert (last['group'], last['remaining'], before['remaining']) == (None, 0, 1)
    assert last['constraint'].startswith('combination')


def test_nothing_at_all(db: dbkit.Database) -> None:
    Cloud(db)
    why = explained(db, RequestGroup('', {'VCPU': 1}))
    assert why['', 'providers'] == 0 and set(why.values()) == {0}
