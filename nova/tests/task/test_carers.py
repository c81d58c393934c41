"""Every open task has one worker that cares for it, and what that costs."""

import collections
import dataclasses

from nova import states
from nova.objects import task as rows
from nova.task import carers, flow, keeper
from nova.tests.task.world import (
    BEAT,
    LOG,
    EngineDelete,
    EngineHosted,
    EngineLocal,
    EngineState,
    EngineSuper,
    Looks,
    effect,
)

KNOWS = frozenset({'a/1', 'b/1'})


class CareWait(flow.Flow[EngineState]):
    exclusion = flow.SHARING
    steps = (flow.Wait(lambda h, state: False, timeout=1e6),)
    deadline = 1e6


class CareHosted(flow.Flow[EngineState]):
    exclusion = flow.SHARING
    steps = (flow.Step(effect('work'), at='host', timeout=1e6),)
    deadline = 1e6


def workers(*names, supers=False, knows=KNOWS):
    return [carers.Worker(name, supers, frozenset(knows)) for name in names]


def task(number, runs_at='cell'):
    uuid = f'{number:08d}'
    return rows.Task(
        uuid=uuid, flow='a', flow_version='1', instance_uuid=None, exclusive=None, status=rows.READY, state={},
        context={}, runs_at=runs_at, shard=rows.shard_of(uuid))


def division(living, tasks, key='a/1'):
    """{worker: numbers of its tasks}, each worker judging by itself."""
    found = collections.defaultdict(set)
    for worker in living:
        mine = carers.Carers(worker.uuid)
        mine.meet(living)
        for number, each in enumerate(tasks):
            if mine.cares(each, key):
                assert each.shard in mine.shards(each.runs_at == 'super')
                found[worker.uuid].add(number)
    return found


def test_each_task_has_one_carer_and_shares_are_even():
    shares = division(workers(*'abcdefgh'), [task(n) for n in range(1000)])
    assert sum(map(len, shares.values())) == 1000 == len(set.union(*shares.values()))
    assert all(70 <= len(share) <= 190 for share in shares.values())


def test_only_the_tasks_of_who_goes_change_hands():
    tasks = [task(n) for n in range(500)]
    before, after = division(workers(*'abcd'), tasks), division(workers(*'abc'), tasks)
    assert all(before[name] <= after[name] for name in 'abc')


def test_what_is_above_the_cells_is_for_super_conductors_alone():
    """And they leave the rest to the cell's conductors, as long as there are some."""
    living = [*workers('a', 'b'), *workers('s', 't', supers=True)]
    tasks = [task(n, 'super' if n % 2 else 'cell') for n in range(400)]
    shares = division(living, tasks)
    assert shares['s'] | shares['t'] == set(range(1, 400, 2))
    assert shares['a'] | shares['b'] == set(range(0, 400, 2))
    shares = division(living[2:], tasks)
    assert shares['s'] | shares['t'] == set(range(400))
    assert division(living[:2], tasks[1::2]) == {}


def test_what_some_know_is_theirs_and_what_nobody_knows_is_everybodys():
    living = [*workers('old', knows={'a/1'}), *workers('new', knows={'a/1', 'a/2'})]
    tasks = [task(n) for n in range(200)]
    assert division(living, tasks, 'a/2') == {'new': set(range(200))}
    shares = division(living, tasks, 'a/3')
    assert len(shares) == 2 and shares['old'] | shares['new'] == set(range(200))


def test_a_task_waits_for_who_can_run_it(time, world):
    """Only super-conductors run steps above the cells: theirs is the care for them, whoever else lives."""
    world.begin(EngineSuper)
    cell, above = world.worker(), world.worker(supers=True)
    world.introduce(cell, above)
    Looks(cell).round(3)
    assert LOG == []
    Looks(above).round(2)
    assert LOG[0] == 'above'


def test_who_dies_leaves_its_tasks_to_others(time, world):
    begun = [world.begin(CareWait) for _ in range(20)]
    dead, alive = world.worker(), world.worker()
    world.introduce(dead, alive)
    looks, asked = Looks(alive), set()
    alive.runner.ready = lambda run: asked.add(run.task.uuid)
    for each in begun:
        alive.wake(each.uuid)
    for _ in range(3):
        looks.round()
        time.go(BEAT)
    assert 0 < len(asked) < 20
    looks.round(2)
    assert len(asked) == 20


def test_a_flow_that_another_release_knows_is_left_to_it(time, world):
    """A wake-up may come to anybody; who cannot run it neither ends it nor holds it up."""
    begun = world.begin(EngineLocal)
    world.db.write(lambda conn: conn.execute(rows.tables.tasks.update().values(flow_version='7.0')))
    old, new = world.worker(), world.worker(knows=[*flow.FLOWS, f'{EngineLocal.name}/7.0'])
    world.introduce(old, new)
    old.wake(begun.uuid)
    looks = Looks(old)
    time.go(EngineLocal.deadline + 3600)
    for _ in range(3):
        looks.round()
        new.lease.beat()
        time.go(BEAT)
    assert world.task(begun).status == rows.READY


class CareOld(flow.Flow):
    name, State, exclusion = 'careversions', EngineState, flow.SHARING
    steps = (flow.Step(effect('as before')),)


class CareNew(flow.Flow):
    name, version, State, exclusion = 'careversions', '1.10', EngineState, flow.SHARING
    steps = (flow.Step(effect('as now')),)


def test_several_versions_of_a_flow_run_side_by_side(world):
    """Each task by the steps that it was begun with; what begins anew is the newest."""
    assert flow.find('careversions') is CareNew
    assert flow.known('careversions', '1.0') is CareOld and flow.known('careversions', '2.0') is None
    worker = world.worker()
    for begun in (world.begin(CareOld), world.begin(CareNew)):
        worker.wake(begun.uuid)
        assert world.task(begun).status == rows.DONE
    assert LOG == ['as before', 'as now']


def test_a_flow_that_nobody_knows_ends_after_its_time(time, world):
    """UPG: its server is in error, and can be deleted."""
    begun = world.begin(EngineLocal)
    world.db.write(lambda conn: conn.execute(rows.tables.tasks.update().values(flow_version='0.9')))
    looks = Looks(world.worker())
    time.go(EngineLocal.deadline + 599)
    looks.round(3)
    assert world.task(begun).status == rows.READY
    time.go(1)
    looks.round()
    found = world.task(begun)
    assert (found.status, found.exclusive, found.error['type']) == (rows.STUCK, None, 'flow_unknown')
    assert (world.server().vm_state, world.server().task_state) == (states.VM.ERROR, None)
    world.begin(EngineLocal)


def test_or_a_minute_after_it_was_cancelled(time, world):
    begun = world.begin(EngineLocal)
    world.db.write(lambda conn: conn.execute(rows.tables.tasks.update().values(flow_version='0.9')))
    delete, worker = world.begin(EngineDelete), world.worker()
    worker.wake(delete.uuid)
    looks = Looks(worker)
    looks.round(2)
    time.go(keeper.CANCELLED - 1)
    looks.round(2)
    assert world.task(delete).status == rows.WAITING
    time.go(1)
    looks.round(2)
    assert (world.task(begun).status, world.task(delete).status) == (rows.STUCK, rows.DONE)
    assert world.server().vm_state == states.VM.DELETED


def test_what_a_task_remembers_that_cannot_be_read_is_as_good_as_unknown(time, world):
    begun, worker = world.begin(EngineHosted), world.worker()
    worker.wake(begun.uuid)
    world.db.write(lambda conn: conn.execute(rows.tables.tasks.update().values(
        state={'nova_object.name': '?'})))
    world.answer(worker)
    looks = Looks(worker)
    looks.round(2)
    assert world.task(begun).status == rows.PARKED
    time.go(EngineHosted.deadline + 601)
    worker.wake(begun.uuid)
    looks.round(2)
    assert world.task(begun).status == rows.STUCK
    assert world.hosts.cancelled[-1] == ('h1', begun.uuid)


def test_a_step_that_a_beat_names_is_not_sent_again(time, world):
    begun, worker = world.begin(CareHosted), world.worker()
    worker.wake(begun.uuid)
    world.hosts.named.add((begun.uuid, 1))
    looks = Looks(worker)
    for _ in range(100):
        time.go(1)
        looks.round()
    assert len(world.hosts.calls) == 1
    world.hosts.named.clear()
    sent = []
    for second in range(1, 200):
        time.go(1)
        before = len(world.hosts.calls)
        looks.round()
        sent += [second] * (len(world.hosts.calls) - before)
    assert sent == [5, 15, 35, 75, 135, 195]


def test_what_a_thousand_open_tasks_cost_a_second(time, world):
    """The ratchet: 950 steps on hosts whose beats name them, and 50 waits, asked every ten seconds by four
    statements each. A worker more costs three a second: its beat, its look at others, and its reading."""
    first, copies = world.worker(), []
    for kind, count in ((CareHosted, 950), (CareWait, 50)):
        begun = world.begin(kind)
        first.wake(begun.uuid)
        row = dataclasses.asdict(world.task(begun))
        uuids = [f'{kind.name}-{number}' for number in range(1, count)]
        copies += [{**row, 'uuid': uuid, 'shard': rows.shard_of(uuid)} for uuid in uuids]
    world.db.write(lambda conn: conn.execute(rows.tables.tasks.insert(), copies))
    first.lease.leave()
    world.hosts.named = {(task.uuid, task.attempt) for task in world.journal.open_tasks()}

    def cost(count):
        """Statements a second, in ten seconds in which nothing happens."""
        made = [world.worker() for _ in range(count)]
        world.introduce(*made)
        looks = [Looks(worker, asks=keeper.ASKS[-1:]) for worker in made]

        def go(seconds):
            for _ in range(seconds):
                time.go(1)
                for each in looks:
                    each.round()
        go(1)
        with world.db.counting() as seen:
            go(10)
        for worker in made:
            worker.lease.leave()
        return sum(not statement.startswith(('BEGIN', 'PRAGMA')) for statement in seen) / 10
    assert cost(1) <= 3 + 20
    assert cost(8) <= 8 * 3 + 20
