"""Databases of a world: SQLite in memory, emptied within a moment, reached over the `Net`.

A transaction is one moment: it travels, happens wholly, and its answer travels back. What differs between
isolation levels is for the tests on real servers.
"""

import contextlib
import datetime
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import clock, dbkit, retry
from nova.db import scatter, session
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata
from nova.tests.simulation import direct
from nova.tests.simulation.loop import Loop
from nova.tests.simulation.net import Net

T = TypeVar('T')

PATIENCE = 30.0
"""Seconds after which a driver gives up a server that does not answer."""
NAMES = ('api', 'cell0', 'cell1', 'cell2')


class ServerClock(dbkit.ServerClock):
    """What a transaction is told of the time: what `Database.now` says."""

    def __init__(self, server: 'Server') -> None:
        super().__init__('sqlite')
        self._server = server

    def known(self) -> datetime.datetime:
        return self._server.now()


def _keep_prepared(dialect: object, record: object, args: object, options: dict[str, Any]) -> None:
    """oslo.db keeps nothing prepared for databases in memory, which threads may share. Here is one thread."""
    options['cached_statements'] = 2000


class Server:
    """A database server in this process: one connection, on which transactions are told apart by us.

    Args:
        quick: statements that are sent often go without the library (`direct`).

    Attributes:
        now: its clock, once a world is there.
    """

    def __init__(self, name: str, metadata: sa.MetaData, quick: bool = True) -> None:
        self.name, self.skew = name, 0.0
        self.now: Callable[[], datetime.datetime] = clock.utcnow
        self._base = dbkit.Database('sqlite://', server_clock=ServerClock(self))
        sa.event.listen(self._base.engine, 'do_connect', _keep_prepared)
        metadata.create_all(self._base.engine)
        real = self._base.engine.connect()
        # As for the base's own writers: who begins a transaction is not the library.
        real.info.update(in_transaction=True)
        driver = real.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._driver = driver
        self.connection: Any = direct.Connection(real, driver) if quick else real
        self._tables = [table.name for table in metadata.sorted_tables]

    def reset(self) -> None:
        """As it was when it was made, but for its schema, so that statements need not be prepared anew."""
        self.skew = 0.0
        driver = self._driver
        if driver.in_transaction:
            driver.rollback()
        driver.execute('BEGIN')
        driver.execute('PRAGMA defer_foreign_keys=ON')
        for table in self._tables:
            driver.execute(f'DELETE FROM {table}')
        driver.commit()

    def transact(self, fn: Callable[[sa.Connection], T]) -> T:
        driver = self._driver
        if driver.in_transaction:
            raise AssertionError(f'a transaction inside of another one on {self.name}')
        driver.execute('BEGIN')
        try:
            result = fn(self.connection)
        except BaseException:
            driver.rollback()
            raise
        driver.commit()
        return result

    def scalar(self, sql: str, *values: object) -> Any:
        """One value, asked for without any ado."""
        return self._driver.execute(sql, values).fetchone()[0]

    # The face of `dbkit.Database`, without any way in between: for tests

    @contextlib.contextmanager
    def read(self, snapshot: bool = False) -> Iterator[sa.Connection]:
        yield self.connection

    def write(self, fn: Callable[[sa.Connection], T], attempts: int = 1,
              landed: Callable[[sa.Connection], bool] | None = None) -> T:
        return self.transact(fn)


class Database:
    """What a process has of a server: the face of `dbkit.Database`."""

    dialect = 'sqlite'

    def __init__(self, net: Net, server: Server) -> None:
        self._net, self._server = net, server
        self.service = f'db {server.name}'
        server.now = self.now

    def __repr__(self) -> str:
        return f'<Database {self._server.name}>'

    @contextlib.contextmanager
    def read(self, snapshot: bool = False) -> Iterator[sa.Connection]:
        self._net.reach(self.service, db_exc.DBConnectionError, PATIENCE)
        yield self._server.connection

    def write(self, fn: Callable[[sa.Connection], T], attempts: int = 20,
              landed: Callable[[sa.Connection], bool] | None = None) -> T:
        actor, unanswered = self._net.loop.actor, []
        if actor.atomic:
            return self._server.transact(fn)
        committed: list[T] = []

        def look_or_write(connection: sa.Connection) -> T:
            if unanswered and landed is not None and landed(connection):
                return unanswered[0]
            return fn(connection)

        def transact() -> T:
            actor.atomic += 1
            try:
                committed.append(self._server.transact(look_or_write))
            finally:
                actor.atomic -= 1
            return committed[-1]

        def once() -> T:
            committed.clear()
            try:
                return self._net.effect(self.service, _name(fn), transact, db_exc.DBConnectionError, PATIENCE)
            except db_exc.DBConnectionError:
                unanswered[:] = committed
                raise

        def again(error: BaseException) -> bool:
            return isinstance(error, db_exc.DBConnectionError) and not (unanswered and landed is None)
        return retry.call(once, when=again, attempts=attempts, first=0.01, longest=1.0)

    def now(self) -> datetime.datetime:
        """The server's clock, which is wrong in its own way."""
        return _moment(self._net.loop.now + self._server.skew)

    def ping(self) -> None:
        with self.read():
            pass

    def dispose(self) -> None:
        """Nothing is held."""


def _moment(now: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(Loop.EPOCH + now, datetime.UTC).replace(tzinfo=None)


def time_of(now: float) -> str:
    """A moment of the loop's clock as a server that is right has it in its rows."""
    return _moment(now).isoformat(' ', 'microseconds')


def moment_of(time: str) -> float:
    """The reverse of `time_of`."""
    when = datetime.datetime.fromisoformat(time).replace(tzinfo=datetime.UTC)
    return when.timestamp() - Loop.EPOCH


def _name(fn: Any) -> str:
    """A name for the trace: who wants to write."""
    inner = getattr(fn, 'func', fn)
    return str(getattr(inner, '__qualname__', type(inner).__name__)).replace('.<locals>', '')


class Servers:
    """The servers of all worlds of a test run, one world at a time."""

    def __init__(self, quick: bool = True) -> None:
        self.by_name = {name: Server(name, api_metadata if name == 'api' else cell_metadata, quick)
                        for name in NAMES}

    def reset(self) -> None:
        for server in self.by_name.values():
            server.reset()


class Databases(session.Asking):
    """The databases of one process, as `nova.db.session.Databases` has them.

    Args:
        main: name of the one that is its cell's own.
        urls: name by the URL that a cell's mapping has.
    """

    def __init__(self, net: Net, servers: Servers, main: str | None, urls: dict[str, str],
                 settings: Any) -> None:
        self._made = {name: Database(net, server) for name, server in servers.by_name.items()}
        self._main, self._urls = main, urls
        self.scatter = scatter.Scatter(settings.api.cell_probe_interval)

    @property
    def api(self) -> Database:
        return self._made['api']

    @property
    def main(self) -> Database:
        return self._made[self._main or 'cell0']

    def cell(self, url: str) -> Database:
        return self._made[self._urls[url]]

    def dispose(self) -> None:
        """Nothing is held."""
