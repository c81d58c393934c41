"""The driver ``mysql+mysqldb``: what it says of a database that is away, and that it holds up nobody."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import clock, dbkit
from nova.tests.fixtures import databases, ports

pytestmark = pytest.mark.real

BESIDE = """
import sys
from nova.common import dbkit, threads
threads.choose('eventlet')
import eventlet, sqlalchemy as sa
counted = 0
def count():
    global counted
    while True:
        counted += 1
        eventlet.sleep(0.01)
eventlet.spawn(count)
with dbkit.Database(sys.stdin.read()).read() as conn:
    conn.execute(sa.text('SELECT SLEEP(1)'))
print(counted)
"""


@pytest.fixture
def url(tmp_path_factory):
    with databases.database_url('mysql', tmp_path_factory) as found:
        yield sa.make_url(found).set(drivername='mysql+mysqldb')


def test_a_server_that_is_away(url):
    away = url.set(port=ports.free_port()).render_as_string(hide_password=False)
    with pytest.raises(db_exc.DBConnectionError) as raised:
        dbkit.Database(away).ping()
    assert dbkit.is_away(raised.value)


@pytest.mark.parametrize(('part', 'says'), [
    ({'password': 'wrong'}, 'the database refuses the user or the password'),
    ({'database': 'nobodys'}, 'the database does not exist: create it, or name another one')])
def test_why_it_cannot_be_used(url, part, says):
    with pytest.raises((sa.exc.DBAPIError, db_exc.DBError)) as raised:
        dbkit.Database(url.set(**part).render_as_string(hide_password=False)).ping()
    assert dbkit.is_away(raised.value) and dbkit.reason(raised.value) == says


def test_a_statement_that_is_not_answered_ends(url):
    db, began = dbkit.Database(url.render_as_string(hide_password=False), patience=2), clock.monotonic()
    with pytest.raises(db_exc.DBConnectionError), db.read() as conn:
        conn.execute(sa.text('SELECT SLEEP(60)'))
    assert clock.monotonic() - began < 50


def test_green_threads_go_on_meanwhile(url):
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', BESIDE], text=True, capture_output=True,
                          input=url.render_as_string(hide_password=False), check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5
