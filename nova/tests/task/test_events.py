"""What others announce, and operations that wait for it: stored first, whoever was earlier."""

import datetime

import pytest
import sqlalchemy as sa

from nova import conf as nova_conf
from nova import errors
from nova.common import clock
from nova.conductor import periodic
from nova.db import tasks as tables
from nova.objects import event
from nova.objects import task as rows
from nova.task import flow
from nova.tests.task.world import BROKEN, LOG, EngineLocal, EngineState, Looks, effect


def announced(h, state):
    """Whether the port has been announced; an announcement of a failure is one."""
    task = h.run.task
    with h.engine.journal.db.read() as conn:
        told = event.last_words(conn, task.instance_uuid, event.PLUGGED)
    if told.get('port') == event.FAILED:
        raise errors.Conflict('not plugged')
    return 'port' in told


class WaitForPort(flow.Flow[EngineState]):
    steps = (flow.Step(effect('bind'), effect('unbind')), flow.Wait(announced), flow.Step(effect('use')))


class HiddenWait(flow.Flow[EngineState]):
    exclusion = flow.SHARING
    steps = (flow.Step(effect('peek')),)


def tell(world, status=event.COMPLETED, tag='port'):
    told = event.Event(world.instance.uuid, event.PLUGGED, tag, status)
    world.db.write(lambda conn: event.store(conn, [told]))


def test_an_event_before_the_wait_counts(world):
    task = world.begin(WaitForPort)
    tell(world)
    world.worker().wake(task.uuid)
    assert LOG == ['bind', 'use']


def test_an_event_during_the_wait_wakes_it_or_is_found(world):
    """The wake-up is a courtesy: without it the keeper asks."""
    task, worker = world.begin(WaitForPort), world.worker()
    worker.wake(task.uuid)
    assert (world.task(task).status, LOG) == (rows.WAITING, ['bind'])
    looks = Looks(worker)
    looks.round()
    assert world.task(task).status == rows.WAITING
    tell(world)
    with world.db.read() as conn:
        assert rows.waiting_on(conn, [world.instance.uuid, 'other']) == [task.uuid]
    looks.round()
    assert world.task(task).status == rows.DONE


@pytest.mark.parametrize('asks', ['keeper', 'wake-up'])
def test_a_condition_that_cannot_come_true_fails_the_step(world, asks):
    task, worker = world.begin(WaitForPort), world.worker()
    worker.wake(task.uuid)
    tell(world, event.FAILED)
    if asks == 'keeper':
        Looks(worker).round()
    else:
        worker.wake(task.uuid)
    assert world.task(task).status == rows.UNDONE
    assert (world.task(task).error['message'], LOG) == ('not plugged', ['bind', 'unbind'])


def test_a_parts_events_are_forgotten_apart(world):
    tell(world)
    tell(world, tag='other')
    world.db.write(lambda conn: event.forget(conn, world.instance.uuid, ['port']))
    with world.db.read() as conn:
        assert event.last_words(conn, world.instance.uuid, event.PLUGGED) == {'other': 'completed'}
    world.db.write(lambda conn: event.forget(conn, world.instance.uuid))
    with world.db.read() as conn:
        assert event.last_words(conn, world.instance.uuid, event.PLUGGED) == {}


def test_events_and_unseen_tasks_are_not_kept_for_long(world):
    """What users can ask about is."""
    seen, hidden, failed = (world.begin(kind) for kind in (EngineLocal, HiddenWait, HiddenWait))
    BROKEN['peek'] = errors.Conflict('no')
    for task in (seen, hidden, failed):
        world.worker().wake(task.uuid)
    open_one = world.begin(HiddenWait)
    tell(world)
    retention = periodic.Retention(lambda: world.db, nova_conf.new(config_files=[]))
    retention()
    with world.db.read() as conn:
        assert len(rows.of_instance(conn, world.instance.uuid)) == 4
    long_ago = clock.utcnow() - datetime.timedelta(days=2)

    def age(conn):
        conn.execute(tables.tasks.update().where(tables.tasks.c.finished_at.is_not(None)).values(
            finished_at=long_ago))
        conn.execute(tables.events.update().values(created_at=long_ago))
    world.db.write(age)
    retention()
    with world.db.read() as conn:
        assert {task.uuid for task in rows.of_instance(conn, world.instance.uuid)} == {seen.uuid, open_one.uuid}
        assert conn.execute(sa.select(sa.func.count()).select_from(tables.events)).scalar() == 0
