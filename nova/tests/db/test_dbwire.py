"""That answers of MariaDB are read as PyMySQL reads them."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa
from pymysql import converters, err

from nova.common import dbkit, dbwire
from nova.tests.fixtures import databases

TIMES = ('2026-11-29 17:12:00', '2026-11-29 17:12:00.123456', '2026-11-29 17:12:00.12', '0000-00-00 00:00:00',
         '2026-02-31 00:00:00', '2026-11-29', '9999-12-31 23:59:59.999999', '0001-01-01 00:00:00', '')


@pytest.mark.parametrize('text', TIMES)
def test_times_are_those_of_the_driver(text: str) -> None:
    assert dbwire.moment(text.encode()) == converters.convert_datetime(text)


def encoded(value: bytes | None) -> bytes:
    """A value of a row, as the protocol has it."""
    if value is None:
        return b'\xfb'
    size = len(value)
    if size < 251:
        return bytes([size]) + value
    if size < 1 << 16:
        return b'\xfc' + size.to_bytes(2, 'little') + value
    if size < 1 << 24:
        return b'\xfd' + size.to_bytes(3, 'little') + value
    return b'\xfe' + size.to_bytes(8, 'little') + value


def test_values_of_every_length() -> None:
    chance = random.Random(1)
    values = [None if size is None else chance.randbytes(size)
              for size in (0, 1, 250, 251, None, 252, 65535, 65536, 0, (1 << 24) - 1, 1 << 24, None)]
    found = dbwire.row(b''.join(map(encoded, values)), [bytes] * len(values))
    assert found == tuple(values)


@pytest.fixture(params=[pytest.param('mysql', marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with databases.database_url(request.param, tmp_path_factory) as made:
        yield made


Connect = Callable[[type[pymysql.connections.Connection]], Any]


@pytest.fixture
def connect(url: str) -> Iterator[Connect]:
    """Opens a connection of a class."""
    parsed, opened = sa.make_url(url), []

    def connect(kind: type[pymysql.connections.Connection]) -> Any:
        made = kind(host=parsed.host, port=parsed.port or 3306, user=parsed.username, autocommit=True,
                    password=parsed.password or '', database=parsed.database, charset='utf8mb4')
        opened.append(made)
        return made
    yield connect
    for one in opened:
        one.close()


COLUMNS = (
    'b BOOLEAN, i INT, l BIGINT UNSIGNED, f DOUBLE, d DECIMAL(20,5), t TEXT, m LONGTEXT, v VARCHAR(255), '
    'c CHAR(36), x BLOB, vb VARBINARY(20), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP(6) NULL, da DATE, '
    "ti TIME, j JSON, e ENUM('a','b'), y YEAR, bi BIT(9)")
ROWS = (
    (None,) * 20,
    (True, -1, 2 ** 64 - 1, 1.5e300, '12.34500', 'ü' * 300, 'x' * 70000, '', 'c',
     b'\0\xff' * 200, b'\xfe', '2026-11-29 17:12:00', '2026-11-29 17:12:00.000001', '2026-11-29 17:12:00.5',
     '2026-11-29', '-12:13:14', '{"a": ["\u20ac"]}', 'b', 2026, 257),
    (False, 0, 0, -0.0, '0', '', '', '\U0001f600', '',
     b'', b'', '1000-01-01 00:00:00', '9999-12-31 23:59:59.999999', '1971-01-01 00:00:00',
     '0001-01-01', '00:00:00.1', '[]', 'a', 1901, 0),
)
QUESTIONS = (
    'SELECT * FROM t', 'SELECT * FROM t WHERE i = 5', 'SELECT dt6, j, t FROM t', 'SELECT i, l FROM t',
    'SELECT i, f FROM t', 'SELECT count(*), max(dt6), sum(d) FROM t', 'SELECT i AS other, l FROM t',
    "SELECT 'a', NULL, 1, 1.0, now() < now()", 'SELECT a.i, b.t FROM t a JOIN t b',
    "UPDATE t SET i = 7 WHERE v = ''", 'SHOW COLUMNS FROM t', 'SELECT * FROM t LIMIT 1')


def answers(connection: Any) -> list[Any]:
    found = []
    with connection.cursor() as cursor:
        for question in QUESTIONS:
            cursor.execute(question)
            found.append((cursor.description, cursor.rowcount, cursor.fetchall()))
    return found


def test_answers_are_those_of_the_driver(connect: Connect) -> None:
    """The first time, when nothing is known of their columns, and when all is."""
    theirs, ours = connect(pymysql.connections.Connection), connect(dbwire.Connection)
    with theirs.cursor() as cursor:
        cursor.execute(f'CREATE TABLE t ({COLUMNS}) CHARACTER SET utf8mb4')
        cursor.executemany(f'INSERT INTO t VALUES ({", ".join(["%s"] * 20)})', ROWS)
        assert cursor.execute("UPDATE t SET i = 7 WHERE v = ''") == 1
    assert repr(answers(ours)) == repr(answers(theirs)) == repr(answers(ours))
    with ours.cursor(pymysql.cursors.SSDictCursor) as cursor:
        cursor.execute('SELECT i, t FROM t')
        assert [row['i'] for row in cursor] == [None, 7, 0]


def test_columns_that_change_are_seen(connect: Connect) -> None:
    """What was remembered of a table's columns says nothing of those that it has now."""
    ours = connect(dbwire.Connection)
    with ours.cursor() as cursor:
        cursor.execute("CREATE TABLE u (a INT, b INT); ")
        cursor.execute('INSERT INTO u VALUES (1, 2)')
        for _ in range(2):
            cursor.execute('SELECT * FROM u')
            assert cursor.fetchall() == ((1, 2),)
        cursor.execute('ALTER TABLE u MODIFY b VARCHAR(20)')
        for _ in range(2):
            cursor.execute('SELECT * FROM u')
            assert cursor.fetchall() == ((1, '2'),)
        cursor.execute('ALTER TABLE u RENAME COLUMN b TO c')
        cursor.execute('SELECT * FROM u')
        assert [column[0] for column in cursor.description] == ['a', 'c']


def test_what_is_remembered_is_bounded(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbwire, 'MOST', 5)
    with connect(dbwire.Connection).cursor() as cursor:
        for number in range(20):
            cursor.execute(f'SELECT 1 AS a, 2 AS b{number}')
            assert cursor.fetchall() == ((1, 2),)
    assert sum(map(len, dbwire._known.values())) <= 5


def test_errors_and_ends_are_those_of_the_driver(connect: Connect) -> None:
    ours, other = connect(dbwire.Connection), connect(pymysql.connections.Connection)
    with ours.cursor() as cursor:
        with pytest.raises(err.ProgrammingError):
            cursor.execute('SELECT * FROM missing')
        with pytest.raises(err.OperationalError):  # in the middle of its rows
            cursor.execute('SELECT IF(seq < 50, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_100')
        cursor.execute('SELECT 1')
        assert cursor.fetchall() == ((1,),)
        other.kill(ours.thread_id())
        with pytest.raises(err.OperationalError):
            cursor.execute('SELECT 1')


def test_engines_have_such_connections(url: str) -> None:
    db = dbkit.Database(url)
    with db.read() as conn:
        assert isinstance(conn.connection.dbapi_connection, dbwire.Connection)
    db.dispose()
