"""A database that cannot be reached is told in one way, whichever it is; a write outlives its connection."""

import contextlib
import socket

import pytest
from oslo_db import exception as db_exc

from nova.common import dbkit, dbpool
from nova.tests.fixtures import clocks, databases

_OWN = {'mysql': 'SELECT CONNECTION_ID()', 'postgresql': 'SELECT pg_backend_pid()'}
_END = {'mysql': 'KILL {}', 'postgresql': 'SELECT pg_terminate_backend({})'}


@pytest.fixture
def nobody():
    """A port at which nobody listens."""
    with contextlib.closing(socket.socket()) as bound:
        bound.bind(('127.0.0.1', 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize('scheme', ['mysql+pymysql', 'postgresql+psycopg'])
def test_a_server_that_is_away(nobody, scheme):
    with pytest.raises(db_exc.DBConnectionError):
        dbkit.Database(f'{scheme}://user:password@127.0.0.1:{nobody}/nova').ping()


@pytest.mark.real
@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_a_write_outlives_its_connection(kind, tmp_path_factory):
    with databases.database_url(kind, tmp_path_factory) as url:
        db, other = dbkit.Database(url), dbkit.Database(url)
        db.write(lambda conn: conn.exec_driver_sql('CREATE TABLE notes (n INTEGER)'))
        tries = []

        def write(conn):
            tries.append(conn.exec_driver_sql(_OWN[kind]).scalar_one())
            conn.exec_driver_sql('INSERT INTO notes VALUES (1)')
            if len(tries) == 1:
                other.write(lambda conn: conn.exec_driver_sql(_END[kind].format(tries[0])))
            conn.exec_driver_sql('INSERT INTO notes VALUES (2)')
        db.write(write)
        assert len(set(tries)) == len(tries) == 2
        with db.read() as conn:
            assert conn.exec_driver_sql('SELECT n FROM notes ORDER BY n').scalars().all() == [1, 2]
            with pytest.raises(db_exc.DBConnectionError):
                other.write(lambda other: other.exec_driver_sql(
                    _END[kind].format(conn.exec_driver_sql(_OWN[kind]).scalar_one())))
                conn.exec_driver_sql(_OWN[kind])
        db.dispose()
        other.dispose()


@pytest.mark.real
@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_a_connection_that_was_closed_while_it_rested(kind, tmp_path_factory):
    """Who takes it next does not notice."""
    with clocks.manual() as time, databases.database_url(kind, tmp_path_factory) as url:
        db, other = dbkit.Database(url), dbkit.Database(url)
        with db.read() as conn:
            mine = conn.exec_driver_sql(_OWN[kind]).scalar_one()
        other.write(lambda other: other.exec_driver_sql(_END[kind].format(mine)))
        time.go(dbpool.RESTED)
        with db.read() as conn:
            assert conn.exec_driver_sql(_OWN[kind]).scalar_one() != mine
        db.dispose()
        other.dispose()


@pytest.mark.real
def test_no_round_trip_says_nothing_new(tmp_path_factory):
    """A transaction is its statements and its end."""
    with clocks.manual(), databases.database_url('mysql', tmp_path_factory) as url:
        db = dbkit.Database(url)
        db.write(lambda conn: conn.exec_driver_sql('CREATE TABLE notes (n INTEGER)'))

        names = 'Com_admin_commands', 'Com_commit', 'Com_insert', 'Com_rollback'

        def said():
            with db.read() as conn:
                return {name: int(number) for name, number in conn.exec_driver_sql(
                    f'SHOW SESSION STATUS WHERE Variable_name IN {names}')}
        before = said()
        for number in range(5):
            db.write(lambda conn, number=number: conn.exec_driver_sql(f'INSERT INTO notes VALUES ({number})'))
        after = said()
        # What is rolled back is the first look itself.
        assert [after[name] - before[name] for name in names] == [0, 5, 5, 1]
        db.dispose()


@pytest.mark.real
@pytest.mark.parametrize('kind', ['mysql', 'postgresql'])
def test_what_failed_is_rolled_back(kind, tmp_path_factory):
    with databases.database_url(kind, tmp_path_factory) as url:
        db = dbkit.Database(url, max_pool_size=1, max_overflow=0)
        db.write(lambda conn: conn.exec_driver_sql('CREATE TABLE notes (n INTEGER)'))

        def fail(conn):
            conn.exec_driver_sql('INSERT INTO notes VALUES (1)')
            raise RuntimeError
        with pytest.raises(RuntimeError):
            db.write(fail)
        with db.read() as conn:
            conn.exec_driver_sql('INSERT INTO notes VALUES (2)')  # by who does not commit
        db.write(lambda conn: conn.exec_driver_sql('INSERT INTO notes VALUES (3)'))
        with db.read() as conn:
            assert conn.exec_driver_sql('SELECT n FROM notes').scalars().all() == [3]
        db.dispose()
