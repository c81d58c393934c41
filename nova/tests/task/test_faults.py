"""Whatever is raised is judged: a task never only logs. And what a worker does not own has no effect."""

import types

import pytest
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, objects, states
from nova.conductor import handle
from nova.db import tasks as tables
from nova.objects import instance_action, owed
from nova.objects import task as rows
from nova.task import flow
from nova.tests.task.test_queue import Later
from nova.tests.task.world import (
    BEAT,
    BROKEN,
    LOG,
    EngineDelete,
    EngineHosted,
    EngineLocal,
    EngineState,
    Handle,
    Looks,
    effect,
)

ASKED: list[bool | Exception] = []
"""What the condition of `FaultWait` answers, one after the other."""


def condition(h, state):
    answer = ASKED.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


def fits(state):
    """Does not understand a state in which something was done."""
    return not state.seen or state.colour  # there is no colour


class FaultWait(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('begin'), effect('end')), flow.Wait(condition))


class FaultBeside(flow.Flow[EngineState]):
    """May run beside others of its kind."""

    exclusion = flow.SHARING
    steps = (flow.Step(effect('one')), flow.Step(effect('two')))


class FaultPlan(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('begin'), effect('end')), flow.Step(effect('other'), when=fits))


class FaultLost(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('begin'), effect('end')), flow.Step(effect('skipped'), effect('back'), when=fits),
             flow.Step(effect('last')))


class FaultPivot(flow.Flow[EngineState]):
    ends = states.VM.STOPPED
    steps = (flow.Step(effect('commit'), pivot=True), flow.Step(effect('clean'), at='host'),
             flow.Step(effect('finish')))


ACTS = []
"""What the step of `FaultActing` does."""


def act(h, state):
    ACTS[-1](h)


class FaultActing(flow.Flow[EngineState]):
    action, fails = 'acting', states.VM.ERROR
    steps = (flow.Step(act, effect('unact')),)


class FaultMute(flow.Flow[EngineState]):
    fails = states.VM.ERROR
    steps = (flow.Step(effect('begin'), effect('end')), flow.Step(effect('work'), effect('unwork'), at='host'))


class FaultUnseen(flow.Flow[EngineState]):
    """What its step on a host came to, the host alone can say once it is not heard of."""

    @classmethod
    def unanswered(cls, state, step):
        state.seen = [*state.seen, step]

    steps = (flow.Step(effect('expect'), effect('look'), at='host', awaited=lambda state: 'send' in state.seen),
             flow.Step(effect('send'), at='host'))


def test_a_foreign_error_of_a_condition_fails_the_step(world):
    """4: whoever asks, a wake-up or the keeper."""
    ASKED[:] = [False, KeyError('id'), KeyError('id')]
    task, worker = world.begin(FaultWait), world.worker()
    worker.wake(task.uuid)
    assert world.task(task).status == rows.WAITING
    Looks(worker).round()
    assert (world.task(task).status, LOG, ASKED) == (rows.UNDONE, ['begin', 'end'], [])
    assert instance_action.fault_of(world.db, world.instance.uuid)['message'] == 'KeyError'


def test_a_foreign_error_of_an_undo_uses_up_its_tries(world):
    BROKEN['two'] = errors.Conflict('no')
    task, worker = world.begin(EngineLocal), world.worker()
    for _ in range(20):
        BROKEN['un_two'] = ZeroDivisionError()
        worker.wake(task.uuid)
    assert world.task(task).status == rows.STUCK


def test_a_failure_is_told_as_a_warning(world, caplog):
    """Operators who do not read on at INFO hear of every operation that failed by itself."""
    BROKEN['two'] = errors.Conflict('no')
    failed, worker = world.begin(EngineLocal), world.worker()
    worker.wake(failed.uuid)
    assert world.task(failed).status == rows.UNDONE
    told = [one.levelname for one in caplog.records if f'{failed.uuid} (' in one.getMessage()]
    assert told == ['WARNING']


def test_where_no_way_forward_can_be_found_it_goes_back(world):
    task = world.begin(FaultPlan)
    world.worker().wake(task.uuid)
    found = world.task(task)
    assert (found.status, LOG, found.error['message']) == (rows.UNDONE, ['begin', 'end'], 'AttributeError')


def test_where_no_way_back_can_be_found_it_ends(world):
    """The server is in error, and can be deleted."""
    task, worker = world.begin(FaultLost), world.worker()
    world.db.write(lambda conn: conn.execute(tables.tasks.update().values(
        step='last', state=EngineState(seen=['begin']).to_wire())))
    BROKEN['last'] = errors.Conflict('no')
    worker.wake(task.uuid)
    found = world.task(task)
    assert (found.status, found.exclusive, found.error['message']) == (rows.STUCK, None, 'AttributeError')
    assert (world.server().vm_state, world.server().task_state) == (states.VM.ERROR, None)


def test_what_cannot_be_written_down_fails_the_step(world):
    """The database refuses what a step has learnt: the step is undone."""
    @sa.event.listens_for(world.db.engine, 'before_cursor_execute')
    def refuse(conn, cursor, statement, parameters, *_):
        if statement.startswith('UPDATE instances') and 'unfit' in str(parameters):
            raise db_exc.DBDataError(ValueError('Data too long'))

    ACTS.append(lambda h: setattr(h.run.instance, 'display_name', 'unfit'))
    task = world.begin(FaultActing)
    world.worker().wake(task.uuid)
    sa.event.remove(world.db.engine, 'before_cursor_execute', refuse)
    assert (world.task(task).status, LOG) == (rows.UNDONE, ['unact'])
    assert world.server().display_name == 's'


def test_a_call_that_no_message_can_hold_fails_the_step(world):
    def refuse(ctx, call):
        raise TypeError('not serializable')
    world.hosts.run_step = refuse
    task, worker = world.begin(FaultMute), world.worker()
    worker.wake(task.uuid)
    assert (world.task(task).direction, world.task(task).error['message']) == ('undo', 'TypeError')
    Looks(worker, recast=0.0).round(30)
    assert world.task(task).status == rows.STUCK


class FencedHandle(handle.Conductor):
    """As conductors have it; steps of these tests find its run where they expect it."""

    @property
    def run(self):
        return self._run


@pytest.fixture
def neighbour():
    told = []
    return types.SimpleNamespace(network=types.SimpleNamespace(tell=told.append), told=told)


def fenced(world, neighbour):
    """A worker whose steps run behind the fence."""
    return world.worker(handle=lambda run, engine: FencedHandle(run, engine, None, neighbour))


def test_who_was_taken_over_has_no_further_effect(time, world, neighbour):
    """2: a worker is paused in the middle of a step; another one goes on; then it wakes up."""
    zombie, other = fenced(world, neighbour), fenced(world, neighbour)
    after = []

    def long(h):
        neighbour_before = h.clients.network.tell('first')
        if not after:
            after.append(neighbour_before)
            zombie_sleeps()
        h.clients.network.tell('second')
        h.db.write(lambda conn: conn.execute(tables.tasks.update().values(action='changed')))

    def zombie_sleeps():
        looks = Looks(other)
        for _ in range(4):
            looks.round()
            time.go(BEAT)
        looks.round()

    ACTS.append(long)
    other.lease.enter()
    task = world.begin(FaultActing)
    zombie.wake(task.uuid)
    assert neighbour.told == ['first', 'first', 'second']
    assert (world.task(task).status, world.task(task).attempt) == (rows.DONE, 2)


def test_a_write_compares_who_owns_the_task(time, world, neighbour):
    """Even when the lease is sure: the row says whose it is, in the very transaction."""
    def steal(h):
        world.db.write(lambda conn: conn.execute(tables.tasks.update().values(
            owner='another', attempt=9, generation=99)))
        h.db.write(lambda conn: conn.execute(tables.tasks.update().values(action='changed')))

    ACTS.append(steal)
    worker = fenced(world, neighbour)
    task = world.begin(FaultActing)
    worker.wake(task.uuid)
    found = world.task(task)
    assert (found.action, found.owner, found.status) == ('acting', 'another', rows.RUNNING)


def test_a_worker_that_is_not_sure_of_itself_does_nothing_until_it_is(time, world):
    """Its database was away: nobody has taken its task, so it goes on with it itself."""
    worker = world.worker()
    worker.lease.enter()
    time.go(3 * BEAT)
    task = world.begin(EngineLocal)
    worker.wake(task.uuid)
    assert (LOG, world.task(task).status) == ([], rows.RUNNING)
    Looks(worker).round(2)
    assert (LOG, world.task(task).status) == (['one', 'two'], rows.DONE)


def two_who_care(time, world):
    """Two workers who share the care for tasks, and what has both come round so often."""
    worker, other = world.worker(), world.worker()
    world.introduce(worker, other)
    mine, theirs = Looks(worker), Looks(other)

    def together(rounds):
        for _ in range(rounds):
            theirs.round()
            mine.round()
            time.go(BEAT / 2)
    together(4)
    return worker, other, together


def test_what_a_worker_let_go_is_its_own_while_it_lives(time, world):
    """Whoever cares for the task otherwise sees an owner that lives, and does not take it over."""
    worker, other, together = two_who_care(time, world)
    time.go(3 * BEAT)
    begun = [world.begin(FaultBeside) for _ in range(12)]
    for each in begun:
        worker.wake(each.uuid)
    assert {world.task(each).status for each in begun} == {rows.RUNNING} and LOG == []
    worker.lease.beat()
    other.lease.beat()
    together(4)
    assert {world.task(each).status for each in begun} == {rows.DONE}
    assert LOG == ['one', 'two'] * 12


def test_what_was_adopted_runs_once_in_its_process(time, world):
    """16: the keeper comes round twice before the pool comes to it."""
    pool, inside = Later(), []

    def come_round(run, engine):
        if not inside:
            inside.append(run)
            looks.round(3)
            pool.do_all()
        return Handle(run, engine)
    worker = world.worker(pool=pool, handle=come_round)
    task = world.begin(EngineLocal, status=rows.INERT)
    worker.adopt(task.uuid)
    looks = Looks(worker)
    looks.round(3)
    assert len(pool.work) == 1 and LOG == []
    pool.do_all()
    assert (LOG, world.task(task).status, worker.holds(task.uuid)) == (['one', 'two'], rows.DONE, False)


def test_what_no_pool_takes_is_left_to_the_keeper(world):
    class Full:
        def background(self, fn, *args):
            return False
    worker = world.worker(pool=Full())
    task = world.begin(EngineLocal, status=rows.INERT)
    worker.adopt(task.uuid)
    assert (world.task(task).status, worker.holds(task.uuid)) == (rows.RUNNING, False)
    worker.lease.leave()
    Looks(world.worker()).round(3)
    assert world.task(task).status == rows.DONE


def test_what_was_adopted_unheard_is_left_to_its_own_keeper(time, world, monkeypatch):
    """The database went away with its answers: who is told of the tasks again finds them past that, and his.
    Those who care for some of them see an owner that lives."""
    worker, _, together = two_who_care(time, world)
    begun = [world.begin(FaultBeside, status=rows.INERT) for _ in range(12)]
    real = worker.journal.adopt

    def unheard(uuid, owner):
        assert real(uuid, owner)
        raise db_exc.DBConnectionError('the connection broke')
    for each in begun:
        with monkeypatch.context() as broken, pytest.raises(db_exc.DBConnectionError):
            broken.setattr(worker.journal, 'adopt', unheard)
            worker.adopt(each.uuid)
        worker.adopt(each.uuid)
    assert {world.task(each).owner for each in begun} == {worker.lease.uuid} and LOG == []
    together(4)
    assert {world.task(each).status for each in begun} == {rows.DONE}
    assert LOG == ['one', 'two'] * 12


def test_a_save_whose_answer_was_lost_is_known_again(world):
    """16: it neither runs the step twice nor takes its own save for another worker's."""
    task, worker = world.begin(EngineLocal), world.worker()
    worker.lease.enter()
    commits = []

    @sa.event.listens_for(world.db.engine, 'commit')
    def lose_each_answer(connection):
        commits.append(1)
        if len(commits) % 2:
            connection.connection.driver_connection.commit()
            raise db_exc.DBConnectionError('the connection broke')
    worker.wake(task.uuid)
    second = world.begin(EngineHosted)
    worker.wake(second.uuid)
    sa.event.remove(world.db.engine, 'commit', lose_each_answer)
    assert (LOG, world.task(task).status) == (['one', 'two', 'pick'], rows.DONE)
    assert (world.task(second).status, len(world.hosts.calls)) == (rows.PARKED, 1)
    with world.db.read() as conn:
        assert len(rows.steps(conn, [task.uuid])) == 2


def test_what_a_host_that_is_down_would_have_to_undo_it_owes(world):
    """8: the debt, and the epoch that tells of it, are in the save that gives the host up."""
    world.db.write(lambda conn: objects.Service.beat(conn, 'h1', 'nova-compute', 1))
    task, worker = world.begin(FaultMute), world.worker()
    worker.wake(task.uuid)
    world.hosts.up = False
    looks = Looks(worker)
    looks.round(4)
    assert world.task(task).status == rows.UNDONE
    with world.db.read() as conn:
        call, = owed.owed_by(conn, 'h1')
        assert objects.Service.get(conn, host='h1', binary='nova-compute').epoch == 2
    assert (call.task, call.step, call.direction, call.attempt) == (task.uuid, 'work', 'undo', 3)
    assert [sent.direction for sent in world.hosts.calls] == ['do']


@pytest.mark.parametrize('ended_by', ['return', 'operator', 'deletion'])
def test_what_only_a_host_knows_that_is_down_is_waited_for(world, ended_by):
    """MIG-S3: until it is back, somebody says that it is dead, or nobody needs to know any more."""
    task, worker = world.begin(FaultUnseen), world.worker()
    worker.wake(task.uuid)
    world.answer(worker)
    world.hosts.up = False
    looks = Looks(worker, recast=0.0)
    looks.round(9)
    found = world.task(task)
    assert (found.status, found.step, found.direction) == (rows.PARKED, 'expect', 'undo')
    if ended_by == 'return':
        world.hosts.up = True
        looks.round(2)
        world.answer(worker)
    elif ended_by == 'operator':
        world.hosts.dead = True
    else:
        world.begin(EngineDelete)
    looks.round(3)
    assert world.task(task).status == rows.UNDONE
    with world.db.read() as conn:
        assert len(owed.owed_by(conn, 'h1')) == (ended_by != 'return')


def test_what_is_past_its_pivot_a_host_that_is_down_owes_too(world):
    task, worker = world.begin(FaultPivot), world.worker()
    worker.wake(task.uuid)
    world.hosts.up = False
    Looks(worker).round(2)
    assert (world.task(task).status, LOG) == (rows.DONE, ['commit', 'finish'])
    with world.db.read() as conn:
        assert [(call.step, call.direction) for call in owed.owed_by(conn, 'h1')] == [('clean', 'do')]
