"""What says that a database cannot be used now, on every kind: whoever asked for something else goes on."""

import contextlib
import pathlib
import socket

import pytest
import sqlalchemy as sa

from nova import conf as nova_conf
from nova.common import clock, dbkit
from nova.db import session
from nova.tests.fixtures import databases


@pytest.fixture
def url(kind, tmp_path_factory):
    with databases.database_url(kind, tmp_path_factory) as made:
        yield made


@pytest.fixture
def silent():
    """A port that takes connections and never says a word."""
    with contextlib.closing(socket.create_server(('127.0.0.1', 0))) as server:
        yield server.getsockname()[1]


def error_of(db, statement='SELECT 1'):
    with pytest.raises(Exception) as caught, db.read() as conn:
        conn.exec_driver_sql(statement)
    return caught.value


def test_a_statement_on_what_is_not_there(url):
    """No tables, or those of another schema version."""
    db = dbkit.Database(url)
    assert dbkit.is_away(error_of(db, 'SELECT * FROM instances'))
    db.write(lambda conn: conn.exec_driver_sql('CREATE TABLE instances (id INTEGER PRIMARY KEY)'))
    assert dbkit.is_away(error_of(db, 'SELECT missing FROM instances'))
    db.dispose()


def test_a_statement_that_is_wrong_is_our_own_fault(url):
    db = dbkit.Database(url)
    db.write(lambda conn: conn.exec_driver_sql('CREATE TABLE things (id INTEGER PRIMARY KEY)'))
    db.write(lambda conn: conn.exec_driver_sql('INSERT INTO things VALUES (1)'))
    assert not dbkit.is_away(error_of(db, 'SELEC 1'))
    assert not dbkit.is_away(error_of(db, 'INSERT INTO things VALUES (1)'))
    assert not dbkit.is_away(ValueError('x'))
    db.dispose()


def test_no_such_database(kind, url):
    where = sa.make_url(url)
    other = where.set(database=str(pathlib.Path('/nonexistent/x')) if kind == 'sqlite' else 'nobody_made_this')
    with pytest.raises(Exception) as caught:
        dbkit.Database(other.render_as_string(hide_password=False)).ping()
    assert dbkit.is_away(caught.value)


@pytest.mark.real
@pytest.mark.parametrize('server', ['mysql', 'postgresql'])
def test_credentials_that_are_refused(server, tmp_path_factory):
    """A password that was changed, a user that is not there."""
    with databases.database_url(server, tmp_path_factory) as made:
        where = sa.make_url(made).set(username='nobody_at_all', password='wrong')
        with pytest.raises(Exception) as caught:
            dbkit.Database(where.render_as_string(hide_password=False)).ping()
        assert dbkit.is_away(caught.value)


@pytest.mark.parametrize('scheme', ['mysql+pymysql', 'postgresql+psycopg'])
def test_a_server_that_never_answers_is_given_up(scheme, silent):
    """Whatever oslo.db is told, making a database does not connect, and connecting has a limit."""
    db = dbkit.Database(f'{scheme}://u:p@127.0.0.1:{silent}/nova', patience=1, max_retries=-1)
    began = clock.monotonic()
    assert dbkit.is_away(error_of(db))
    assert clock.monotonic() - began < dbkit.CONNECT_TIMEOUT + 10


def test_databases_of_cells_are_not_connected_to_by_naming_them(silent):
    """16.2: nothing that holds a lock waits for a cell."""
    dbs = session.Databases(nova_conf.new(config_files=[]))
    began = clock.monotonic()
    dbs.cell(f'mysql+pymysql://u:p@127.0.0.1:{silent}/nova')
    assert clock.monotonic() - began < 2
    dbs.dispose()
