"""Between a step and the world: what a worker does not own any more has no effect.

A worker that was paused, or cut off from its database, may have been taken for dead, and its task be in other
hands, before it knows. So it asks its lease before each call to a neighbour and each write; and a write to the
database that holds the task is one transaction with a look at who owns it.
"""

import contextlib
import datetime
import functools
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar, cast

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.objects import task as rows
from nova.task import lease as leases

T = TypeVar('T')
P = ParamSpec('P')
Share = Callable[[], contextlib.AbstractContextManager[None]]
"""Begins one use of a database; it may refuse."""


class Fence:
    """Lets effects through while a task is its worker's.

    Args:
        home: the database that holds the task.
    """

    def __init__(self, task: rows.Task, lease: leases.Lease, home: dbkit.Database) -> None:
        self._task, self._lease, self.home = task, lease, home

    def check(self) -> None:
        """Pass, or end the run.

        Raises:
            errors.task.Lost: others may have taken this worker for dead.
        """
        if not self._lease.sure():
            raise errors.task.Lost(task=self._task.uuid)

    def check_row(self, conn: sa.Connection) -> None:
        """`check` by the task's row, which nobody can take over before the end of this transaction."""
        if not rows.is_owned(conn, self._task.uuid, self._lease.uuid, self._task.attempt):
            raise errors.task.Lost(task=self._task.uuid)

    def database(self, db: dbkit.Database, share: Share = contextlib.nullcontext) -> 'Database':
        """`db`, behind the fence; each use of it is within a `share`."""
        return Database(db, self, share)

    def client(self, client: T) -> T:
        """`client`, or a whole set of them, behind the fence."""
        return cast(T, _Fenced(client, self))


class Database:
    """A `dbkit.Database` as steps may use it."""

    def __init__(self, db: dbkit.Database, fence: Fence, share: Share) -> None:
        self._db, self._fence, self._share = db, fence, share

    def __repr__(self) -> str:
        return f'<fenced {self._db!r}>'

    @contextlib.contextmanager
    def read(self, snapshot: bool = False) -> Iterator[sa.Connection]:
        """See `dbkit.Database.read`."""
        with self._share(), self._db.read(snapshot) as conn:
            yield conn

    def write(self, fn: Callable[[sa.Connection], T],
              landed: Callable[[sa.Connection], bool] | None = None) -> T:
        """See `dbkit.Database.write`.

        Raises:
            errors.task.Lost: the task is not ours any more; nothing was written.
        """
        self._fence.check()

        @functools.wraps(fn)
        def fenced(conn: sa.Connection) -> T:
            self._fence.check_row(conn)
            return fn(conn)
        with self._share():
            return self._db.write(fenced if self._db is self._fence.home else fn, landed=landed)

    def now(self) -> datetime.datetime:
        """See `dbkit.Database.now`."""
        return self._db.now()


class _Fenced:
    """An object whose methods, and those of its parts, ask the fence first."""

    def __init__(self, behind: object, fence: Fence) -> None:
        self._behind, self._fence = behind, fence

    def __repr__(self) -> str:
        return f'<fenced {self._behind!r}>'

    def __getattr__(self, name: str) -> object:
        found = getattr(self._behind, name)
        if callable(found):
            return functools.partial(self._through, found)
        return found if isinstance(found, (str, int, float, type(None), dict, list)) else _Fenced(
            found, self._fence)

    def _through(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._fence.check()
        return fn(*args, **kwargs)
