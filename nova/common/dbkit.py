"""One database: an oslo.db engine with reader and writer scopes that behave the same everywhere.

- SQLite: WAL, writers begin IMMEDIATE and queue fairly within the process, so that they wait for one
  another instead of failing.
- MariaDB and PostgreSQL: READ COMMITTED.
- A writer is a function, because it is run again when the database asks for that: on deadlock,
  serialization failure, MariaDB's 1020, SQLite's "locked", or a lost connection before commit was sent.
  It must therefore have no effect outside the database.
- Nobody knows what came of a commit whose answer was lost; who writes says how to find out (`Database.write`).
- `now` is the database server's time, for whatever is decided by comparing times that several machines wrote.
"""

import collections
import contextlib
import datetime
import functools
import itertools
import re
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_db.sqlalchemy import engines
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from nova.common import clock, dbpool, expressions, retry, threads
from nova.common.jsonutil import JsonObject

T = TypeVar('T')
V = TypeVar('V')

NAMING = {
    'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
    'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
    'fk': 'fk_%(table_name)s_%(column_0_N_name)s',
    'pk': 'pk_%(table_name)s',
}
"""Constraint names, so that migrations can name what they drop on every database."""


class _FairLock:
    """A lock that is handed over in the order in which it was asked for."""

    def __init__(self) -> None:
        self._guard = threads.lock()
        self._held = False
        self._queue: collections.deque[threads.Event] = collections.deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threads.event()
            self._queue.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._queue:
                self._queue.popleft().set()
            else:
                self._held = False


_writers: dict[str, _FairLock] = collections.defaultdict(_FairLock)
_writers_guard = threads.lock()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What was being handled when an error came, and what then, from the last to the first."""
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _should_retry(error: BaseException) -> bool:
    if isinstance(error, (db_exc.DBDeadlock, db_exc.RetryRequest, db_exc.DBConnectionError)):
        return True
    inner = getattr(error, 'inner_exception', None) or error
    orig = getattr(inner, 'orig', inner)
    if getattr(orig, 'sqlstate', None) in ('40001', '40P01'):
        return True
    args = getattr(orig, 'args', ())
    if args and args[0] in (1020, 1205, 1213):
        return True
    if args and args[0] == 1305:  # MySQL ended a transaction because of a deadlock, and its savepoints with it
        return any(isinstance(cause, db_exc.DBDeadlock) for cause in _causes(error))
    return 'database is locked' in str(orig)


@sa.event.listens_for(sa.Engine, 'handle_error')
def _note_lost(context: sa.engine.ExceptionContext) -> None:
    """Has oslo.db raise DBConnectionError on PostgreSQL too, where neither it nor SQLAlchemy knows what psycopg
    says when there is no connection to be had."""
    error = context.original_exception
    if context.dialect.driver == 'psycopg' and isinstance(error, context.dialect.loaded_dbapi.OperationalError):
        state = error.sqlstate
        # 08: connection; 57P0x: the server ends, or has just begun. No SQLSTATE: no server said it, but the
        # library, either of a connection that is not there or of a statement that it cannot send.
        used = context.connection.connection.dbapi_connection if context.connection is not None else None
        if state.startswith(('08', '57P0')) if state else used is None or used.closed:
            context.is_disconnect = True


CONNECT_TIMEOUT = 5
"""Seconds for a connection to be made."""


def _limits(dialect: str, patience: float | None) -> dict[str, str]:
    """How long the driver waits for a server, as parameters of the URL.

    psycopg has no limit for an answer: there, who must not wait asks in a thread of its own, as
    `nova.db.scatter` does, and the operating system ends connections to machines that are gone.
    """
    if dialect not in ('mysql', 'postgresql'):
        return {}
    limits = {'connect_timeout': str(CONNECT_TIMEOUT)}
    if patience is not None and dialect == 'mysql':
        limits.update(read_timeout=f'{patience:.0f}', write_timeout=f'{patience:.0f}')
    elif patience is not None:
        limits.update(tcp_user_timeout=f'{patience * 1000:.0f}', keepalives_idle='10', keepalives_interval='5',
                      keepalives_count='3')
    return limits


_MYSQL_AWAY = frozenset({
    1040, 1044, 1045, 1049, 1053, 1129, 1130, 1142, 1143, 1146, 1054, 1203, 1226, 1227, 1290, 1820, 1862, 1927,
    2002, 2003, 2006, 2013, 2055, 3118, 3159, 4151})
"""MariaDB's codes for: too many connections; access denied to server, database, table or column; unknown
database, table or column; shutdown; host blocked; resource limits; read-only; password expired; killed;
connection refused or lost; account locked."""

_POSTGRESQL_AWAY = ('08', '28', '3D', '3F', '53', '57', '58', 'XX', '42P01', '42703', '42501')
"""SQLSTATEs, or their classes, for the same."""

_SQLITE_AWAY = ('unable to open', 'no such table', 'no such column', 'readonly', 'disk i/o', 'malformed',
                'not a database', 'disk is full', 'is locked')


def is_away(error: BaseException) -> bool:
    """Whether an error says that a database cannot be used now, rather than that a statement was wrong.

    It may be refused, hung, denied, missing, without its tables, or of another schema: whoever asked for
    something else can go on without it.
    """
    if isinstance(error, (db_exc.DBConnectionError, db_exc.DBNonExistentDatabase, db_exc.DBNonExistentTable,
                          db_exc.CantStartEngineError, sa.exc.TimeoutError, sa.exc.NoSuchModuleError,
                          TimeoutError, ConnectionError)):
        return True
    said = getattr(error, 'inner_exception', None) or error
    orig = getattr(said, 'orig', None) or said
    if not isinstance(orig, BaseException):
        return False
    if orig.args and isinstance(orig.args[0], int):
        return orig is not error and orig.args[0] in _MYSQL_AWAY
    if isinstance(orig, sqlite3.Error):
        return any(words in str(orig).lower() for words in _SQLITE_AWAY)
    return str(getattr(orig, 'sqlstate', None) or '').startswith(_POSTGRESQL_AWAY)


_REASONS: tuple[tuple[tuple[object, ...], tuple[str, ...], str], ...] = (
    ((1044, 1142, 1227, '42501'), ('permission denied', ),
     'the user may not do that in the database: grant it the right'),
    ((1045, 1698, '28P01', '28000'),
     ('password authentication failed', 'no password supplied', 'no pg_hba', 'role .* does not exist'),
     'the database refuses the user or the password'),
    ((1049, '3D000'), ('database .* does not exist', 'unable to open'),
     'the database does not exist: create it, or name another one'),
    ((1146, 1054, '42P01', '42703'), ('no such table', 'no such column'),
     'the database has no schema, or that of another release: run db sync'),
    ((1203, 1040, 1226, '53300'), ('too many clients', 'too many connections'),
     'the database has no connection left'),
)
"""Codes of MariaDB and SQLSTATEs, words of SQLite and of what PostgreSQL says before there is a connection."""


def reason(error: BaseException) -> str:
    """Why a database cannot be used, for its operator: names no user, password or statement."""
    if isinstance(error, sa.exc.NoSuchModuleError):
        return 'there is no such kind of database: use mysql+pymysql, postgresql+psycopg or sqlite'
    if isinstance(error, (sa.exc.ArgumentError, ValueError)):
        return 'that is no URL of a database, such as mysql+pymysql://USER:PASSWORD@HOST/NAME'
    if isinstance(error, ImportError):
        return f'the driver is not installed ({error.name})'
    said = getattr(error, 'inner_exception', None) or error
    orig = getattr(said, 'orig', None) or said
    said_codes = {getattr(orig, 'sqlstate', None), *getattr(orig, 'args', ())[:1]}
    for codes, words, sentence in _REASONS:
        if said_codes.intersection(codes) or any(re.search(word, str(orig), re.IGNORECASE) for word in words):
            return sentence
    if isinstance(error, (db_exc.DBConnectionError, ConnectionError, TimeoutError)):
        return 'the database cannot be reached'
    return f'the database cannot be used ({type(orig).__name__})'


class ServerClock:
    """A database server's time in UTC: asked every `EVERY` seconds, carried on by the monotonic clock between.

    A database without a server (SQLite) has no clock but this machine's.
    """

    EVERY = 30.0
    QUESTIONS = {'mysql': 'SELECT UTC_TIMESTAMP(6)',
                 'postgresql': "SELECT clock_timestamp() AT TIME ZONE 'UTC'"}

    def __init__(self, dialect: str) -> None:
        self._question = self.QUESTIONS.get(dialect)
        self._told: tuple[datetime.datetime, float] | None = None

    def known(self) -> datetime.datetime | None:
        """The time, if the server need not be asked for it."""
        if self._question is None:
            return clock.utcnow()
        told, now = self._told, clock.monotonic()
        if told is None or now - told[1] >= self.EVERY:
            return None
        return told[0] + datetime.timedelta(seconds=now - told[1])

    def ask(self, connection: sa.Connection) -> datetime.datetime:
        """The time; the server is asked for it over `connection` where need be."""
        known = self.known()
        if known is not None:
            return known
        before = clock.monotonic()
        answer = connection.exec_driver_sql(self._question or '').scalar_one()
        self._told = answer, (before + clock.monotonic()) / 2
        return answer


_clocks: weakref.WeakKeyDictionary[sa.Engine, ServerClock] = weakref.WeakKeyDictionary()
_confs: weakref.WeakKeyDictionary[sa.Engine, cfg.ConfigOpts] = weakref.WeakKeyDictionary()


def now(connection: sa.Connection) -> datetime.datetime:
    """What `Database.now` says, for who is in a transaction of that database."""
    return _clocks[connection.engine].ask(connection)


def conf(connection: sa.Connection) -> cfg.ConfigOpts | None:
    """The configuration of the process whose database this is; None where it was opened without one."""
    return _confs.get(connection.engine)


def is_passing(error: BaseException) -> bool:
    """Whether the same may go right in a moment: the database is away, or too busy."""
    return is_away(error) or _should_retry(error)


def repeatable(connection: sa.Connection) -> bool:
    """`landed` of a write that comes to the same when it is done twice: it is simply done again."""
    return False


def _is_found(expression: str, text: object) -> bool | None:
    """SQLite's REGEXP."""
    return None if text is None else expressions.read(expression).search(str(text))


Table: TypeAlias = 'sa.Table[sa.sql.base.ReadOnlyColumnCollection[str, sa.Column]]'
"""A table whose columns are of whichever types."""


class Database:
    """Connections to one database, made at first use.

    Args:
        url: SQLAlchemy URL; never logged by this class.
        patience: seconds after which a server that has not answered a statement is away; None waits for ever.
        server_clock: tells the server's time; a simulation hands in its own.
        reconnect: seconds for which `write` tries again while there is no connection to be had.
        conf: for who is in a transaction of it (`dbkit.conf`).
        engine_options: further keyword arguments of oslo.db's `create_engine`.
    """

    def __init__(self, url: str, patience: float | None = None, server_clock: ServerClock | None = None,
                 reconnect: float = 10.0, conf: cfg.ConfigOpts | None = None, **engine_options: object) -> None:
        self._reconnect = reconnect
        parsed = sa.make_url(url)
        self.dialect: str = parsed.get_backend_name()
        self._lock: contextlib.AbstractContextManager = contextlib.nullcontext()
        # Giving up the processor at each checkin is for green threads, which switch at I/O anyway.
        # Without retries oslo.db does not connect while it makes the engine.
        options = {'thread_checkin': False, 'max_pool_size': 20, 'max_overflow': 40, **engine_options,
                   'max_retries': 0}
        if self.dialect == 'sqlite':
            options.update(sqlite_fk=True)
            with _writers_guard:
                self._lock = _writers[parsed.database or '']
        elif self.dialect == 'mysql':
            options.setdefault('mysql_sql_mode', 'TRADITIONAL')
            # "utf8", in many an operator's URL and oslo.db's default, is three bytes wide there.
            parsed = parsed.update_query_dict({'charset': 'utf8mb4'})
        if self.dialect != 'sqlite':
            parsed = parsed.update_query_dict({'plugin': dbpool.NAME})
        parsed = parsed.update_query_dict(_limits(self.dialect, patience))
        self.engine: sa.Engine = engines.create_engine(parsed, **options)
        self._clock = _clocks[self.engine] = server_clock or ServerClock(self.dialect)
        if conf is not None:
            _confs[self.engine] = conf
        self._path = parsed.database
        self._awake: sqlite3.Connection | None = None
        self._listen()

    def __repr__(self) -> str:
        return f'<Database {self.dialect}>'

    @staticmethod
    def _stay_awake(path: str | None) -> sqlite3.Connection | None:
        """A connection that is only held open: when the last one closes, SQLite merges its log and deletes it,
        and oslo.db opens and closes one for every use (measured: 6.5 ms a write without this, 0.7 with it)."""
        if not path or path == ':memory:':
            return None
        held = sqlite3.connect(path, check_same_thread=False)
        held.execute('PRAGMA journal_mode=WAL').fetchall()
        held.execute('SELECT count(*) FROM sqlite_master').fetchall()
        return held

    def _listen(self) -> None:
        if self.dialect == 'sqlite':
            @sa.event.listens_for(self.engine, 'connect')
            def pragmas(connection: sqlite3.Connection, record: object) -> None:
                connection.execute('PRAGMA journal_mode=WAL')
                connection.execute('PRAGMA synchronous=NORMAL')
                connection.execute('PRAGMA busy_timeout=30000')
                if self._awake is None:
                    self._awake = self._stay_awake(self._path)
                connection.create_function('regexp', 2, _is_found, deterministic=True)

            @sa.event.listens_for(self.engine, 'begin')
            def begin(connection: sa.Connection) -> None:
                if connection.info.pop('nova_writer', False):
                    connection.exec_driver_sql('BEGIN IMMEDIATE')
        elif self.dialect == 'mysql':
            @sa.event.listens_for(self.engine, 'connect')
            def isolation(connection: DBAPIConnection, record: object) -> None:
                with contextlib.closing(connection.cursor()) as cursor:
                    cursor.execute('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED')

    @contextlib.contextmanager
    def read(self, snapshot: bool = False) -> Iterator[sa.Connection]:
        """A connection for reading.

        Args:
            snapshot: every statement sees the database as it was at the first one (REPEATABLE READ; on SQLite
                every reader is such already).
        """
        with self.engine.connect() as connection:
            if snapshot and self.dialect == 'mysql':
                connection.exec_driver_sql('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
                connection.exec_driver_sql('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
            elif snapshot and self.dialect == 'postgresql':
                connection.exec_driver_sql('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
            yield connection

    def write(self, fn: Callable[[sa.Connection], T], attempts: int = 20,
              landed: Callable[[sa.Connection], bool] | None = None) -> T:
        """Run `fn(connection)` in one transaction and commit it; run again on transient database errors.

        Args:
            landed: asked, in the next transaction, when the connection broke while the commit was on its way:
                whether what `fn` wrote is there. Then its result counts; otherwise it is run again. What may
                be done twice passes `repeatable`. None: such a loss is an error, since a second run could take
                the first one's traces for somebody else's.

        Raises:
            oslo_db.exception.DBError: not transient, or still failing after `attempts`.
        """
        unanswered: list[T] = []
        deadline = clock.Deadline(self._reconnect)

        def once() -> T:
            with self._lock, self.engine.connect() as connection:
                if self.dialect == 'sqlite':
                    # oslo.db begins deferred unless it believes that a transaction is open already.
                    connection.info.update(nova_writer=True, in_transaction=True)
                with connection.begin() as transaction:
                    if unanswered and landed is not None and landed(connection):
                        return unanswered[0]
                    unanswered.clear()
                    result = fn(connection)
                    try:
                        transaction.commit()
                    except db_exc.DBConnectionError:
                        unanswered.append(result)
                        raise
                    dbpool.ended(connection)
                    return result

        def again(error: BaseException) -> bool:
            lost = isinstance(error, db_exc.DBConnectionError) and deadline.passed()
            return _should_retry(error) and not lost and not (unanswered and landed is None)
        return retry.call(once, when=again, attempts=attempts, first=0.01, longest=1.0)

    def now(self) -> datetime.datetime:
        """The time in UTC by the clock of the server; what is decided by times is written and compared by it.

        SQLite has no server, and its machine's clock is the only one.
        """
        known = self._clock.known()
        if known is not None:
            return known
        with self.read() as connection:
            return self._clock.ask(connection)

    def ping(self) -> None:
        """Reach the database or raise oslo.db's DBConnectionError."""
        with self.read() as connection:
            connection.exec_driver_sql('SELECT 1')

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        if self._awake is not None:
            self._awake.close()

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[str]]:
        """Collect the statements that any thread sends to this database meanwhile (tests, benchmarks)."""
        seen: list[str] = []

        def note(conn: object, cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)
        sa.event.listen(self.engine, 'before_cursor_execute', note)
        try:
            yield seen
        finally:
            sa.event.remove(self.engine, 'before_cursor_execute', note)


def gave_up_matching(error: db_exc.DBError) -> bool:
    """Whether a database says that a regular expression is beyond it; MariaDB tries all ways one by one."""
    orig = getattr(error.inner_exception, 'orig', error.inner_exception)
    return getattr(orig, 'sqlstate', None) == '2201B' or getattr(orig, 'args', (None,))[0] == 1139


def lock_rows(connection: sa.Connection, table: Table, **by: object) -> None:
    """Have others who want to lock or change the rows with these values wait until the transaction ends.

    Taken before anything is read, it makes reading, deciding and writing one: at READ COMMITTED what is read
    after it is the latest, and stays so. On SQLite writers wait for one another anyway.
    """
    if connection.dialect.name != 'sqlite':
        connection.execute(sa.select(*table.primary_key.columns).where(
            *(table.c[name] == value for name, value in by.items()))
            .order_by(*table.primary_key.columns).with_for_update()).all()


PART = 1000
"""Most rows, or values of a list, in one statement. PostgreSQL takes 65,535 parameters in one, SQLite 32,766,
and MariaDB as many bytes as ``max_allowed_packet`` says."""


def parts(values: Iterable[V]) -> Iterator[list[V]]:
    """The values in their order, in lists that one statement can take."""
    left = iter(values)
    while part := list(itertools.islice(left, PART)):
        yield part


def select_in(connection: sa.Connection, query: sa.Select, values: Iterable[object], **more: object
              ) -> Iterator[sa.Row]:
    """Rows of a query with an expanding list ``values``, asked for as many of them at a time as it can take.

    Args:
        values: asked for in this order.
        more: the query's other parameters.
    """
    for part in parts(values):
        yield from connection.execute(query, {'values': part, **more})


def insert(connection: sa.Connection, table: Table, rows: Iterable[JsonObject]) -> None:
    """Insert rows that all have the same columns, however many they are."""
    for part in parts(rows):
        connection.execute(sa.insert(table), part)


def insert_missing(connection: sa.Connection, table: Table, rows: Iterable[JsonObject]) -> int:
    """Insert the rows whose unique keys are not taken; return how many were inserted."""
    return sum(_insert_missing(connection, table, part) for part in parts(rows))


def _insert_missing(connection: sa.Connection, table: Table, rows: list[JsonObject]) -> int:
    statement = _inserting_missing(connection.dialect.name, table)
    return connection.execute(statement, rows[0] if len(rows) == 1 else rows).rowcount


@functools.cache
def _inserting_missing(dialect: str, table: Table) -> sa.Insert:
    statement: sa.Insert
    match dialect:
        case 'mysql':
            statement = mysql.insert(table).prefix_with('IGNORE')
        case 'postgresql':
            statement = postgresql.insert(table).on_conflict_do_nothing()
        case _:
            statement = sqlite.insert(table).on_conflict_do_nothing()
    # Without being asked to, SQLAlchemy forgets on PostgreSQL how many rows an INSERT made.
    return statement.execution_options(preserve_rowcount=True)


def upsert(connection: sa.Connection, table: Table, row: JsonObject, key: list[str]) -> None:
    """Insert `row`, or update its other columns where the unique `key` columns are already there."""
    connection.execute(_upserting(connection.dialect.name, table, frozenset(row), tuple(key)), row)


@functools.cache
def _upserting(dialect: str, table: Table, names: frozenset[str], key: tuple[str, ...]) -> sa.Insert:
    """`upsert` of a row with these columns, by parameters of their names."""
    change = sorted(names.difference(key))
    match dialect:
        case 'mysql':
            into = mysql.insert(table)
            return into.on_duplicate_key_update({name: into.inserted[name] for name in change})
        case 'postgresql':
            given = postgresql.insert(table)
            return given.on_conflict_do_update(
                index_elements=key, set_={name: given.excluded[name] for name in change})
        case _:
            row = sqlite.insert(table)
            return row.on_conflict_do_update(
                index_elements=key, set_={name: row.excluded[name] for name in change})
