"""What is old is dropped in every database, a little at a time, by all its conductors together."""

import datetime
import types

import pytest
import sqlalchemy as sa

from nova import conf as nova_conf
from nova.common import dbkit
from nova.conductor import periodic
from nova.db import tasks as tables
from nova.objects import event
from nova.objects import task as rows
from nova.tests.fixtures import databases

TASKS, STEPS, EVENTS = tables.tasks, tables.task_steps, tables.events
YEAR, WEEK, HOUR = (datetime.timedelta(days) for days in (365, 7, 1 / 24))


@pytest.fixture(params=['api', 'cell'])
def db(request, lend):
    return dbkit.Database(lend(request.param))


@pytest.fixture
def retention(db, monkeypatch):
    monkeypatch.setattr(periodic.Retention, 'BATCH', 10)
    return periodic.Retention(lambda: db, nova_conf.new(config_files=[]))


def add(db, age, count, steps=0, **values):
    """Tasks that ended so long ago."""
    with db.read() as conn:
        there = conn.execute(sa.select(sa.func.count()).select_from(TASKS)).scalar_one()
    ended = db.now() - age
    made = [{'uuid': f'task {number}', 'flow': 'build', 'flow_version': '1', 'status': 'done',
             'action': 'create', 'finished_at': ended + datetime.timedelta(seconds=number // 2), **values}
            for number in range(there, there + count)]
    db.write(lambda conn: dbkit.insert(conn, TASKS, made))
    db.write(lambda conn: dbkit.insert(conn, STEPS, [
        {'task_uuid': task['uuid'], 'name': f'step {number}', 'direction': 'do', 'status': 'done'}
        for task in made for number in range(steps)]))
    return [task['uuid'] for task in made]


def left(db, column=TASKS.c.uuid):
    with db.read() as conn:
        return sorted(conn.execute(sa.select(column)).scalars())


def calls(retention):
    """How often it has to be called until there is nothing more to do."""
    count = 1
    while retention() is not None:
        count += 1
        assert count < 100
    return count


def test_old_tasks_go_with_their_steps_in_small_transactions(db, retention):
    add(db, YEAR, 35, steps=2)
    kept = add(db, WEEK, 5, steps=1)
    unfinished = add(db, YEAR, 1, finished_at=None)
    with db.counting() as seen:
        assert calls(retention) == 5
    assert left(db) == sorted(kept + unfinished) and left(db, STEPS.c.task_uuid) == sorted(kept)
    assert len([text for text in seen if text.startswith('DELETE FROM tasks')]) == 4


def test_tasks_that_nobody_sees_go_after_a_day(db, retention):
    add(db, WEEK, 15, action=None)
    kept = add(db, HOUR, 3, action=None) + add(db, WEEK, 3)
    calls(retention)
    assert left(db) == sorted(kept)


def test_what_has_to_be_kept_is_passed_over_once(db, retention, monkeypatch):
    """A look reads a bounded number of tasks, however many there are, and the next hour none of them again."""
    monkeypatch.setattr(rows, 'LOOK', 10)
    kept = add(db, WEEK, 40) + add(db, YEAR, 25, flow=rows.RESIZE)
    assert calls(retention) == 8, 'seven looks for what nobody sees, and the end'
    assert calls(retention) == 1
    add(db, WEEK - HOUR, 1, action=None)
    assert calls(retention) == 2
    assert left(db) == sorted(kept)


def test_once_a_day_it_begins_with_the_first_one(db, retention):
    """A task that was held when it was passed over, or came from a backup, is found later."""
    kept = add(db, WEEK, 2)
    calls(retention)
    add(db, YEAR / 2, 1, action=None)
    add(db, WEEK + HOUR, 1, action=None)
    calls(retention)
    assert len(left(db)) == 3, 'what is older than the last one that it looked at waits'
    retention._since -= retention.AGAIN
    calls(retention)
    assert left(db) == kept


def test_a_task_that_goes_on_is_not_dropped(db, retention):
    """Somebody takes up a stuck operation between the look and the transaction's own."""
    add(db, YEAR, 1, status=rows.STUCK)
    taken, = left(db)
    add(db, YEAR, 1)
    sa.event.listen(db.engine, 'after_cursor_execute', once := Once(taken))
    calls(retention)
    assert once.done and left(db) == [taken]


class Once:
    """Has an operation go on after it was first looked at, in the same transaction."""

    def __init__(self, task):
        self.task, self.done = task, False

    def __call__(self, conn, cursor, statement, *_):
        if not self.done and statement.startswith('SELECT tasks.id, tasks.uuid, tasks.finished_at'):
            self.done = True
            conn.execute(TASKS.update().where(TASKS.c.uuid == self.task).values(
                status='ready', finished_at=None))


def test_events_go_after_a_day_in_small_transactions(db, retention):
    now = db.now()
    db.write(lambda conn: dbkit.insert(conn, EVENTS, [
        {'instance_uuid': f'server {number}', 'name': 'n', 'tag': '', 'status': 'completed',
         'created_at': now - (WEEK if number < 25 else HOUR)} for number in range(30)]))
    with db.counting() as seen:
        assert calls(retention) == 3
    assert len(left(db, EVENTS.c.id)) == 5
    assert len([text for text in seen if text.startswith('DELETE FROM events')]) == 3


def test_it_rests_for_as_long_as_it_has_worked(db, retention, monkeypatch):
    add(db, YEAR, 11)
    times = iter([100.0, 100.25, 200.0, 203.0, 300.0])
    monkeypatch.setattr(periodic, 'clock', types.SimpleNamespace(monotonic=lambda: next(times)))
    assert (retention(), retention(), retention()) == (0.25, 3.0, None)


@pytest.mark.real
@pytest.mark.parametrize('kind', databases.KINDS[1:], indirect=True)
def test_conductors_share_the_work(db, retention):
    """What one holds the other passes over, without waiting."""
    add(db, YEAR, 20, steps=1)
    kept, now = add(db, HOUR, 300, steps=1), db.now()
    db.write(lambda conn: dbkit.insert(conn, EVENTS, [
        {'instance_uuid': f'server {number}', 'name': 'n', 'tag': '', 'status': 'completed',
         'created_at': now - (WEEK if number < 20 else HOUR)} for number in range(320)]))
    with db.engine.connect() as conn, conn.begin() as transaction:
        assert rows.prune(conn, now - WEEK, 10).dropped == event.prune(conn, now - HOUR * 2, 10) == 10
        calls(retention)
        transaction.commit()
    assert left(db) == left(db, STEPS.c.task_uuid) == sorted(kept) and len(left(db, EVENTS.c.id)) == 300
