"""Queued operations: several may be asked for, they run one at a time and in turn, beside nothing exclusive."""

import collections
import concurrent.futures
import datetime
import random
import threading

import pytest
import sqlalchemy as sa

from nova import errors, objects, states
from nova.common import clock
from nova.db import tasks as tables
from nova.objects import instance_action
from nova.objects import task as rows
from nova.task import flow
from nova.tests.task.world import BROKEN, LOG, EngineDelete, EngineLocal, EngineState, Looks, effect


class QueueTurn(flow.Flow[EngineState]):
    exclusion, action = flow.QUEUED, 'turn'
    steps = (flow.Step(effect('reserve'), effect('unreserve')), flow.Step(effect('attach'), effect('detach')))


class QueueHosted(flow.Flow[EngineState]):
    exclusion = flow.QUEUED
    steps = (flow.Step(effect('plug'), effect('unplug'), at='host'),)


def statuses(world, *tasks):
    return [world.task(task).status for task in tasks]


def test_they_run_in_turn(world):
    """The end of one starts the next, in the order in which they were asked for."""
    first, second, third = (world.begin(QueueTurn) for _ in range(3))
    assert statuses(world, first, second, third) == [rows.READY, rows.QUEUED, rows.QUEUED]
    world.worker().wake(third.uuid)
    assert LOG == []
    world.worker().wake(first.uuid)
    assert LOG == ['reserve', 'attach'] * 3
    assert statuses(world, first, second, third) == [rows.DONE] * 3


def test_the_turn_is_in_the_journal_not_in_a_message(world):
    """TSK-S2: whoever ends a task may be killed in the next moment; the next one is found."""
    first, second = world.begin(QueueTurn), world.begin(QueueTurn)
    killed = world.worker(pool=Later())
    killed.wake(first.uuid)
    killed.lease.leave()
    assert statuses(world, first, second) == [rows.DONE, rows.READY]
    looks = Looks(world.worker())
    looks.round()
    looks.round()
    assert statuses(world, second) == [rows.DONE]


def test_one_that_fails_lets_the_next_one_try(world):
    first, second = world.begin(QueueTurn), world.begin(QueueTurn)
    BROKEN['attach'] = errors.Conflict('no')
    world.worker().wake(first.uuid)
    assert statuses(world, first, second) == [rows.UNDONE, rows.DONE]
    assert LOG == ['reserve', 'attach', 'detach', 'unreserve', 'reserve', 'attach']


def test_nothing_exclusive_begins_beside_them(world):
    first, second = world.begin(QueueTurn), world.begin(QueueTurn)
    with pytest.raises(errors.task.Busy):
        world.begin(EngineLocal)
    world.worker().wake(first.uuid)
    assert statuses(world, second) == [rows.DONE]
    world.begin(EngineLocal)


def test_none_is_taken_on_for_a_server_that_is_being_deleted(world):
    """A deletion has a slot of its own, and looks at its beginning for what has to be undone."""
    world.begin(EngineDelete)
    with pytest.raises(errors.task.Busy, match='being deleted'):
        world.begin(QueueTurn)


def test_none_is_taken_on_beside_an_exclusive_one(world):
    task = world.begin(EngineLocal)
    with pytest.raises(errors.task.Busy):
        world.begin(QueueTurn)
    with world.db.read() as conn:
        assert [found.uuid for found in rows.of_instance(conn, world.instance.uuid)] == [task.uuid]


def test_delete_cancels_those_that_wait_too(world):
    """The running one unwinds, those that wait end without effect, and nobody joins them."""
    first, second, third = (world.begin(QueueHosted) for _ in range(3))
    worker = world.worker()
    worker.wake(first.uuid)
    delete = world.begin(EngineDelete)
    with pytest.raises(errors.task.Busy):
        world.begin(QueueHosted)
    worker.wake(delete.uuid)
    assert world.hosts.calls[-1].direction == 'undo'
    world.answer(worker)
    assert statuses(world, first, second, third, delete) == [rows.UNDONE] * 3 + [rows.DONE]
    assert {call.task for call in world.hosts.calls} == {first.uuid}
    assert LOG == ['erase']


def test_they_show_no_task_state(world):
    first, second = world.begin(QueueHosted), world.begin(QueueHosted)
    assert world.server().task_state is None
    worker = world.worker()
    worker.wake(first.uuid)
    assert world.server().task_state is None
    world.answer(worker)
    world.answer(worker)
    assert statuses(world, first, second) == [rows.DONE] * 2
    assert (world.server().vm_state, world.server().task_state) == ('active', None)
    with pytest.raises(TypeError):
        type('QueueLoud', (flow.Flow,), {
            'State': EngineState, 'exclusion': flow.QUEUED,
            'steps': (flow.Step(effect('loud'), shows=states.Task.PAUSING),)})


def test_one_that_waits_has_no_events_yet(world):
    world.begin(QueueTurn)
    world.begin(QueueTurn)
    listed = instance_action.list_actions(world.db, world.instance.uuid)
    assert [(action.action, action.events) for action in listed][0] == ('turn', ())


def test_a_turn_that_does_not_come_in_time_is_no_more(world):
    """TSK-S3; and the slot stays with the one that has it."""
    first, second, third = (world.begin(QueueHosted) for _ in range(3))
    worker = world.worker()
    worker.wake(first.uuid)
    world.db.write(lambda conn: conn.execute(tables.tasks.update().where(
        tables.tasks.c.uuid == second.uuid).values(deadline=clock.utcnow() - datetime.timedelta(seconds=1))))
    Looks(worker).round()
    assert statuses(world, first, second, third) == [rows.PARKED, rows.UNDONE, rows.QUEUED]
    assert world.task(second).error['type'] == 'deadline_passed'
    world.answer(worker)
    assert statuses(world, first, second, third) == [rows.DONE, rows.UNDONE, rows.PARKED]


def test_a_holder_cannot_end_unseen_while_another_joins(world):
    """The moment between finding a holder and waiting behind it: who would end it waits till that is done."""
    first = world.begin(QueueTurn)
    ends = threading.Thread(target=world.worker().wake, args=(first.uuid,))

    def judge(conn):
        ends.start()
        ends.join(0.5)
        return objects.Instance.get(conn, uuid=world.instance.uuid)
    second = world.journal.begin(QueueTurn, EngineState(), world.context, instance_uuid=world.instance.uuid,
                                 guard=judge)
    ends.join()
    assert statuses(world, first, second) == [rows.DONE] * 2


def test_other_operations_pay_nothing(world):
    """The ratchet: an exclusive task of two steps, from the request to its end."""
    worker = world.worker()
    worker.lease.enter()
    with world.db.counting() as seen:
        worker.wake(world.begin(EngineLocal).uuid)
    kinds = collections.Counter(statement.split()[0] for statement in seen)
    assert (kinds['INSERT'], kinds['UPDATE']) == (3, 5) and kinds['SELECT'] <= 7
    assert 'SAVEPOINT' not in kinds


class Later:
    """A pool whose work its owner does when he comes to it."""

    def __init__(self):
        self.work = collections.deque()

    def background(self, fn, *args):
        self.work.append((fn, args))

    def do_all(self):
        while self.work:
            fn, args = self.work.popleft()
            fn(*args)


INSIDE: list[str] = []
RAN: list[str] = []
GUARD = threading.Lock()


def pass_through(h, state):
    """An effect that nobody else may be in, on pain of being noticed."""
    task = h.run.task
    with GUARD:
        INSIDE.append(task.uuid)
        alone = len(INSIDE) == 1
        if task.queued and task.uuid not in RAN:
            RAN.append(task.uuid)
    threading.Event().wait(random.random() / 500)
    with GUARD:
        INSIDE.remove(task.uuid)
    assert alone, 'two operations at once'


class QueuePassing(flow.Flow[EngineState]):
    exclusion = flow.QUEUED
    steps = (flow.Step(pass_through),)


class ExclusivePassing(flow.Flow[EngineState]):
    steps = (flow.Step(pass_through),)


@pytest.mark.parametrize('seed', [1, 2])
def test_many_at_once(world, seed):
    """Whatever is asked for at the same time: one runs at a time, queued ones in the order of their rows, and
    every one that was taken on ends."""
    INSIDE.clear()
    RAN.clear()
    taken, refused = [], []

    def user(number):
        chance, pool = random.Random(seed * 100 + number), Later()
        worker = world.worker(pool=pool)
        for _ in range(6):
            kind = chance.choice([QueuePassing, QueuePassing, QueuePassing, ExclusivePassing])
            try:
                task = world.begin(kind)
            except errors.task.Busy:
                refused.append(kind)
            else:
                taken.append(task.uuid)
                # One that is alone and rests would have all others refused.
                if kind is ExclusivePassing or chance.random() < 0.9:
                    worker.wake(task.uuid)
            pool.do_all()
        return Looks(worker), pool

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        workers = list(pool.map(user, range(8)))
    for _ in range(200):
        for looks, later in workers:
            looks.round()
            later.do_all()
        if not world.journal.open_tasks():
            break
    with world.db.read() as conn:
        found = {task.uuid: task for task in rows.of_instance(conn, world.instance.uuid)}
        order = list(conn.execute(sa.select(tables.tasks.c.uuid).where(
            tables.tasks.c.queued.is_(True)).order_by(tables.tasks.c.id)).scalars())
    assert set(found) == set(taken) and order
    assert {(task.status, task.exclusive) for task in found.values()} == {(rows.DONE, None)}
    assert order == RAN
    assert refused or len(taken) == 48


def test_a_delete_among_many(world):
    """A delete comes while others queue up: nothing runs after it, and every task ends."""
    def begin(number):
        try:
            return world.begin(EngineDelete if number == 5 else QueueTurn)
        except errors.Conflict:
            return None

    def judged(conn):
        found = objects.Instance.get(conn, uuid=world.instance.uuid)
        if found.task_state is not None:
            raise errors.Conflict('busy')
        return found
    begin_queued = world.journal.begin

    def guarded(flow_class, *args, **options):
        if flow_class is QueueTurn:
            options['guard'] = judged
        return begin_queued(flow_class, *args, **options)
    world.journal.begin = guarded
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        begun = [task for task in pool.map(begin, range(12)) if task is not None]
    looks = [Looks(world.worker()) for _ in range(2)]
    for _ in range(100):
        for each in looks:
            each.round()
        if not world.journal.open_tasks():
            break
    delete, = [task for task in begun if task.flow == EngineDelete.name]
    assert world.task(delete).status == rows.DONE and LOG[-1] == 'erase'
    assert set(statuses(world, *begun)) <= {rows.DONE, rows.UNDONE}
    assert all(world.task(task).exclusive is None for task in begun)
