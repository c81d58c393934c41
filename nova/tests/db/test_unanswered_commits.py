"""Commits that were not answered: the connection broke, and nobody says whether the transaction is there."""

import pytest
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.tests.fixtures import clocks

NOTES = sa.Table('notes', sa.MetaData(), sa.Column('n', sa.Integer))


@pytest.fixture
def db(tmp_path):
    opened = dbkit.Database(f'sqlite:///{tmp_path}/x')
    opened.write(lambda conn: NOTES.create(conn))
    yield opened
    opened.dispose()


def cut(db, *, committed):
    """Have the next commit's answer be lost, the transaction being there or not."""
    @sa.event.listens_for(db.engine, 'commit', once=True)
    def lose(connection):
        if committed:
            connection.connection.driver_connection.commit()
        raise db_exc.DBConnectionError('the connection broke')


def notes(db):
    with db.read() as conn:
        return conn.execute(NOTES.select()).scalars().all()


def note(conn):
    conn.execute(NOTES.insert(), {'n': 1})
    return 'noted'


def is_there(conn):
    return conn.execute(NOTES.select()).first() is not None


@pytest.mark.parametrize('committed', [True, False])
def test_who_can_tell_has_it_there_once(db, committed):
    cut(db, committed=committed)
    assert db.write(note, landed=is_there) == 'noted'
    assert notes(db) == [1]


@pytest.mark.parametrize('committed', [True, False])
def test_who_cannot_tell_is_told(db, committed):
    """A second run would find what the first one wrote, and take it for somebody else's."""
    cut(db, committed=committed)
    with pytest.raises(db_exc.DBConnectionError):
        db.write(note)
    assert notes(db) == [1] * committed


@pytest.mark.parametrize('committed', [True, False])
def test_what_may_be_done_twice_is_done_again(db, committed):
    db.write(note)
    cut(db, committed=committed)
    db.write(lambda conn: conn.execute(NOTES.update().values(n=2)), landed=dbkit.repeatable)
    assert notes(db) == [2]


def test_a_connection_that_breaks_before_its_commit_is_no_question(db):
    tries = []

    def write(conn):
        tries.append(1)
        note(conn)
        if len(tries) == 1:
            raise db_exc.DBConnectionError('the connection broke')
    db.write(write)
    assert notes(db) == [1]


def test_a_write_is_not_begun_again_for_ever(db):
    """A server that hangs is waited for in each try; ten seconds are enough to begin another one in."""
    tries = []
    with clocks.manual() as time:
        def hang(conn):
            tries.append(1)
            time.go(6)
            raise db_exc.DBConnectionError('no answer')
        with pytest.raises(db_exc.DBConnectionError):
            db.write(hang)
    assert len(tries) == 2


@pytest.mark.real
@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_a_servers_clock_is_asked_seldom(lend, kind):
    db = dbkit.Database(lend('cell'))
    with db.counting() as asked:
        first = db.now()
        second = db.write(dbkit.now)
    assert len(asked) == 1 and first <= second and first.tzinfo is None
    with db.read() as conn:
        told = conn.exec_driver_sql(dbkit.ServerClock.QUESTIONS[db.dialect]).scalar_one()
    assert abs((told - db.now()).total_seconds()) < 1
    db.dispose()
