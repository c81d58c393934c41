"""Never stale, and cheap to bring up to date: two searchers, several threads, another process."""

import concurrent.futures
import gc
import multiprocessing
import tracemalloc
import weakref
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import hypothesis
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.common.microversion import V
from nova.placement.candidates.frozen import WORTH_FREEZING
from nova.placement.candidates.search import CandidateRequest, RequestGroup, Searcher
from nova.placement.candidates.snapshot import Snapshot
from nova.placement.db import models
from nova.tests.fixtures import databases
from nova.tests.placement_candidates import strategies
from nova.tests.placement_candidates.cloud import Cloud, Rp, Stock, rp, uid

ONE_CPU = CandidateRequest([RequestGroup('', {'VCPU': 1})])


def found(searcher: Searcher, request: CandidateRequest = ONE_CPU) -> Any:
    return orjson.loads(searcher.search(request).to_json(V('1.39')))


def hosts(searcher: Searcher, request: CandidateRequest = ONE_CPU) -> set[str]:
    result = searcher.search(request)
    return {result.view.providers[row].uuid for (row,) in result.picks}


def grow(cloud: Cloud) -> None:
    cloud.add(rp('new', VCPU=4))


def nest(cloud: Cloud) -> None:
    cloud.add(rp('child', 'b', VCPU=4))


CHANGES: dict[str, Callable[[Cloud], None]] = {
    'provider': grow,
    'child': nest,
    'deletion': lambda cloud: cloud.remove('c'),
    'deletion and creation': lambda cloud: (cloud.remove('c'), cloud.add(rp('c', VCPU=2)))[1],
    'claim': lambda cloud: cloud.use('a', 'VCPU', 7),
    'inventory': lambda cloud: cloud.change(rp('a', VCPU=Stock(8, ratio=2.0), DISK_GB=5)),
    'no inventory': lambda cloud: cloud.change(rp('a')),
    'traits': lambda cloud: cloud.change(rp('a', VCPU=8, traits=('CUSTOM_T', 'CUSTOM_U'))),
    'aggregates': lambda cloud: cloud.change(rp('a', VCPU=8, aggs=('x', 'y'))),
    'parent': lambda cloud: cloud.move('a', 'b'),
    'class name': lambda cloud: cloud.rename_class('DISK_GB', 'CUSTOM_DISK'),
}


@pytest.mark.parametrize('change', CHANGES.values(), ids=list(CHANGES))
def test_what_one_worker_wrote_the_next_read_of_another_sees(
        db: dbkit.Database, url: str, change: Callable[[Cloud], None]) -> None:
    cloud = Cloud(db, rp('a', VCPU=8, traits=('CUSTOM_T',)), rp('b', VCPU=8), rp('c', VCPU=8, DISK_GB=3))
    other = dbkit.Database(url)
    mine, theirs = Searcher(db), Searcher(other)
    before = found(mine)
    assert found(theirs) == before
    change(cloud)
    after = found(theirs)
    assert after != before
    assert after == found(mine) == found(Searcher(db))
    other.dispose()


def test_a_full_host_disappears_and_comes_back(db: dbkit.Database) -> None:
    cloud = Cloud(db, rp('a', VCPU=8), rp('b', VCPU=8))
    searcher = Searcher(db)
    assert hosts(searcher) == {uid('a'), uid('b')}
    cloud.use('a', 'VCPU', 8)
    assert hosts(searcher) == {uid('b')}
    cloud.change(rp('a', VCPU=8))
    assert hosts(searcher) == {uid('a'), uid('b')}


def test_a_deletion_that_commits_after_a_younger_one(db: dbkit.Database) -> None:
    """The highest tombstone stays, the sum of versions stays, and still the change is seen."""
    cloud = Cloud(db, rp('a', VCPU=1), rp('b', VCPU=1), rp('c', VCPU=1))
    stones = models.provider_tombstones
    searcher = Searcher(db)
    db.write(lambda connection: connection.execute(stones.insert().values(id=100, provider_id=0, uuid='x')))
    assert len(hosts(searcher)) == 3
    cloud.remove('a')
    db.write(lambda connection: connection.execute(stones.update().where(stones.c.id == 101).values(id=99)))
    cloud.add(rp('d', VCPU=1))
    assert hosts(searcher) == {uid('b'), uid('c'), uid('d')}


def _answer(url: str, pipe: Connection) -> None:
    database = dbkit.Database(url)
    searcher = Searcher(database)
    while pipe.recv():
        pipe.send(hosts(searcher))
    database.dispose()


def test_another_process_is_never_behind(db: dbkit.Database, url: str) -> None:
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=1) for number in range(20)))
    context = multiprocessing.get_context('spawn')
    pipe, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(url, theirs), daemon=True)
    process.start()
    left = {uid(f'h{number}') for number in range(20)}
    for number in range(20):
        pipe.send(True)
        assert pipe.poll(60) and pipe.recv() == left
        cloud.use(f'h{number}', 'VCPU', 1)
        left.remove(uid(f'h{number}'))
    pipe.send(True)
    assert pipe.poll(60) and pipe.recv() == set()
    pipe.send(False)
    process.join(60)
    assert process.exitcode == 0


def test_threads_that_write_and_read_at_once(db: dbkit.Database) -> None:
    """Each thread fills its own hosts and must not find them again."""
    cloud = Cloud(db, *(rp(f'{thread}-{number}', VCPU=1) for thread in range(4) for number in range(8)))
    searcher = Searcher(db)

    def run(thread: int) -> int:
        seen_again = 0
        for number in range(8):
            name = f'{thread}-{number}'
            cloud.use(name, 'VCPU', 1)
            seen_again += uid(name) in hosts(searcher)
        return seen_again
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [0, 0, 0, 0]
    assert hosts(searcher) == set()


def test_an_unchanged_cloud_costs_one_statement(db: dbkit.Database) -> None:
    Cloud(db, rp('a', VCPU=8))
    searcher = Searcher(db)
    searcher.search(ONE_CPU)
    with db.counting() as statements:
        searcher.search(ONE_CPU)
    assert len([text for text in statements if text != 'BEGIN']) == 1


def test_a_claim_reads_and_replaces_one_provider(db: dbkit.Database) -> None:
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=8, DISK_GB=8, traits=('CUSTOM_T',)) for number in range(300)))
    snapshot = Snapshot(db)
    before = snapshot.fresh()
    cloud.use('h7', 'VCPU', 1)
    after = snapshot.fresh()
    replaced = [old.uuid for old, new in zip(before.providers, after.providers, strict=True) if old is not new]
    assert replaced == [uid('h7')]
    assert after.forest is before.forest
    assert after.traits['CUSTOM_T'] is before.traits['CUSTOM_T']
    assert after.columns['DISK_GB'] is before.columns['DISK_GB']
    assert before.providers[after.rows[after.providers[7].id]].inventories['VCPU'].used == 0


def test_a_load_that_fails_leaves_the_snapshot_as_it_was(db: dbkit.Database) -> None:
    cloud = Cloud(db, rp('a', VCPU=8))
    searcher = Searcher(db)
    assert hosts(searcher) == {uid('a')}
    cloud.rename_class('VCPU', 'CUSTOM_CPU')

    def fail(conn: sa.Connection, cursor: object, statement: str, *_: object) -> None:
        if 'inventories' in statement:
            raise ConnectionError('gone')
    sa.event.listen(db.engine, 'before_cursor_execute', fail)
    with pytest.raises(db_exc.DBError):
        searcher.search(ONE_CPU)
    sa.event.remove(db.engine, 'before_cursor_execute', fail)
    assert hosts(searcher) == set()
    assert hosts(searcher, CandidateRequest([RequestGroup('', {'CUSTOM_CPU': 1})])) == {uid('a')}


def test_memory_is_reported_and_does_not_grow_with_searches(db: dbkit.Database) -> None:
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=8, traits=('CUSTOM_T',), aggs=('x',)) for number in range(50)))
    searcher = Searcher(db)
    found(searcher)
    first = searcher.memory()
    counts = ('providers', 'trees', 'inventories', 'traits', 'aggregates')
    assert {key: first[key] for key in counts} == dict.fromkeys(counts, 50)
    assert first['array_bytes'] > 50 * 40 and first['json_bytes'] > 50 * 100
    for number in range(5):
        cloud.use('h1', 'VCPU', 1)
        found(searcher, CandidateRequest([RequestGroup('', {'VCPU': 1})], limit=number + 1))
    found(searcher)
    assert abs(searcher.memory()['json_bytes'] - first['json_bytes']) <= 2
    assert searcher.memory()['array_bytes'] == first['array_bytes']


def test_what_a_provider_takes_in_memory(db: dbkit.Database) -> None:
    """The figure of the contributor's page: 2 KiB a provider at most, which does not grow with claims."""
    count = 500
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=8, DISK_GB=3, traits=('CUSTOM_T',), aggs=('x',))
                        for number in range(count)))
    Snapshot(db).fresh()
    snapshot = Snapshot(db)
    tracemalloc.start()
    try:
        snapshot.fresh()
        loaded, _ = tracemalloc.get_traced_memory()
        for number in range(20):
            cloud.use(f'h{number}', 'VCPU', 1)
            snapshot.fresh()
        later, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert loaded / count <= 2048
    assert later / count <= 2048 * 1.25


class Knot:
    """Garbage that only the collector can see."""

    def __init__(self) -> None:
        self.me = self


def test_garbage_is_not_kept_for_ever_by_freezing(db: dbkit.Database) -> None:
    """What another thread had in hand while a large snapshot was loaded is gone after the next load."""
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=8, DISK_GB=3) for number in range(WORTH_FREEZING)))
    knot = Knot()
    lost = weakref.ref(knot)
    snapshot = Snapshot(db)
    snapshot.fresh()
    del knot
    cloud.rename_class('DISK_GB', 'CUSTOM_DISK')
    snapshot.fresh()
    assert lost() is None


def test_providers_loaded_one_by_one_are_frozen_too(db: dbkit.Database) -> None:
    cloud = Cloud(db, *(rp(f'h{number}', VCPU=8) for number in range(WORTH_FREEZING)))
    snapshot = Snapshot(db)
    snapshot.fresh()
    for turn in range(4):
        for number in range(100):
            cloud.use(f'h{turn * 100 + number}', 'VCPU', 1)
        view = snapshot.fresh()
    mine = {id(provider) for provider in view.providers}
    assert sum(id(thing) in mine for thing in gc.get_objects()) <= WORTH_FREEZING / 4


@hypothesis.settings(max_examples=25, deadline=None, phases=[hypothesis.Phase.generate],
                     suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(data=st.data())
def test_any_history_gives_the_same_view_as_a_fresh_load(kind: str, supply: databases.Supply,
                                                         data: st.DataObject) -> None:
    forest = data.draw(strategies.forests())
    url = supply.take(kind, 'bare placement')
    db = dbkit.Database(url)
    cloud, names = Cloud(db, *forest), [item.name for item in forest]
    parents = {item.parent for item in forest}
    searcher = Searcher(db)
    requests = [data.draw(strategies.requests(forest)) for _ in range(3)]
    for step in range(data.draw(st.integers(1, 5))):
        name = data.draw(st.sampled_from(names))
        match data.draw(st.sampled_from(['change', 'add', 'move', 'remove'])):
            case 'add':
                names.append(f'new{step}')
                cloud.add(Rp(f'new{step}', name, {'VCPU': Stock(5)}))
                parents.add(name)
            case 'move' if name not in parents:
                top = data.draw(st.sampled_from([None, *(other for other in names if other != name)]))
                cloud.move(name, top)
                parents.add(top)
            case 'remove' if name not in parents and len(names) > 1:
                cloud.remove(name)
                names.remove(name)
            case _:
                cloud.change(Rp(name, None, data.draw(st.dictionaries(
                    st.sampled_from(strategies.CLASSES), strategies.stocks)),
                    data.draw(st.frozensets(st.sampled_from(strategies.TRAITS))),
                    data.draw(strategies.subsets_of_aggs)))
        fresh = Searcher(db)
        for request in requests:
            assert found(searcher, request) == found(fresh, request)
    db.dispose()
    supply.give_back(kind, 'bare placement', url)
