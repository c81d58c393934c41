"""The cells: where each one is, which one has a host, what its database answers, and who lives there.

API, metadata service, conductors, schedulers and commands ask here; what a mapping or a sign of life is, the
records say (`nova.objects.CellMapping`, `nova.objects.service`).
"""

import datetime
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, objects, release
from nova.common import clock, dbkit, threads
from nova.common.jsonutil import JsonObject
from nova.objects import service
from nova.objects.cell_mapping import CELL0_UUID

if TYPE_CHECKING:
    from nova.db.scatter import Answers
    from nova.db.session import Databases

T = TypeVar('T')

CONDUCTOR, SCHEDULER, COMPUTE = 'nova-conductor', 'nova-scheduler', 'nova-compute'

BRIEF = 0.2
"""Part of the time for cells in which cell0 has to say who lives there; what was seen last is as good."""

Look = Callable[[sa.Connection], service.Alive]
"""Reads who lives in a cell."""


class Liveness:
    """Who lives in a cell and of which release, by a look at its services that is good for some seconds.

    Args:
        ask: has a look read the cell's database (`reading`), and may say ``CellDown``.
        down_after: seconds without a sign of life after which a host is dead (``[DEFAULT] service_down_time``).
        keep: seconds for which a look is good.
        behind: the same while some service is of the release before; None: `keep`.
        attempts: the steps that hosts name in their beats are read, too; `holds` needs them.
        lasting: what was seen last counts while the database is away, and before the first look, the release
            before, which everybody understands; for questions about releases, not about who lives.
    """

    def __init__(self, ask: Callable[[Look], service.Alive], down_after: float, keep: float = 1.0,
                 behind: float | None = None, attempts: bool = False, lasting: bool = False) -> None:
        self._ask, self._down_after, self._attempts = ask, down_after, attempts
        self._lasting, self._keep, self._behind = lasting, keep, keep if behind is None else behind
        self._alive: service.Alive | None = None
        self._until = clock.Deadline(0)

    def is_dead(self, host: str) -> bool:
        """Whether an operator says that nothing runs on `host` any more; see `nova.objects.service.Alive`."""
        return self._look().is_dead(host)

    def is_up(self, host: str) -> bool:
        """Whether nova-compute on `host` lives; see `nova.objects.service.Alive`."""
        return self._look().is_up(host)

    def heard(self, host: str) -> datetime.datetime | None:
        """When `host` was last heard of, for all we know."""
        return self._look().heard(host)

    def holds(self, host: str, task: str, attempt: int) -> bool:
        """Whether the newest beat of `host` names this attempt of a task's step."""
        return self._look().attempts.get(host, {}).get(task) == attempt

    def oldest(self, host: str | None = None) -> release.Release:
        """The oldest release that `host`, or any host, and the conductors of the cell are of."""
        alive = self._look()
        if host is None:
            return alive.oldest(CONDUCTOR, COMPUTE)
        return release.oldest(alive.oldest(CONDUCTOR), alive.release_of(host))

    def conductors(self) -> release.Release:
        """The oldest release among the cell's conductors."""
        return self._look().oldest(CONDUCTOR)

    def conductors_now(self, conn: sa.Connection) -> release.Release:
        """The same by a look of its own, which reads no host: when thousands join, each asks."""
        return service.Alive.look(conn, self._down_after, '').oldest(CONDUCTOR)

    def schedulers(self) -> release.Release:
        """The oldest release among the schedulers; they are listed in cell0."""
        return self._look().oldest(SCHEDULER)

    def release_of(self, host: str) -> release.Release:
        """That of nova-compute on `host`."""
        return self._look().release_of(host)

    def forget(self) -> None:
        """Look anew at the next question."""
        self._until = clock.Deadline(0)

    def _look(self) -> service.Alive:
        """Read the table where that is due; two who do so at once do no harm, and wait for nobody."""
        if self._alive is not None and not self._until.passed():
            return self._alive
        try:
            self._alive = self._ask(self._read)
            self._until = clock.Deadline(self._keep if self._alive.all_current() else self._behind)
        except (db_exc.DBError, sa.exc.SQLAlchemyError, errors.host.CellDown) as error:
            if not self._lasting or not (isinstance(error, errors.host.CellDown) or dbkit.is_away(error)):
                raise
            self._alive = self._alive or service.Alive.supposed(release.PREVIOUS)
            self._until = clock.Deadline(self._behind)
        return self._alive

    def _read(self, conn: sa.Connection) -> service.Alive:
        return service.Alive.look(conn, self._down_after, attempts=self._attempts)


def reading(db: Callable[[], dbkit.Database]) -> Callable[[Look], service.Alive]:
    """Has looks read a database in the thread that asks; it is looked up each time, since a cell may move."""
    def ask(look: Look) -> service.Alive:
        with db().read() as conn:
            return look(conn)
    return ask


class Cells:
    """The cells, for one process.

    Args:
        dbs: its databases.
        timeout: seconds for the answers of cells, all of them together.
        down_after: as of `Liveness`.
        keep: seconds for which mappings that were read are good; 0 reads them each time.
    """

    KEEP, BEHIND = 10.0, 2.0
    """Seconds for which it is believed that every service of a cell is of this release, or that some are not.
    """

    def __init__(self, dbs: 'Databases', timeout: float = 60.0, down_after: float = 60.0, keep: float = 0.0
                 ) -> None:
        self._dbs, self._timeout, self._down_after, self._keep = dbs, timeout, down_after, keep
        self._mappings: list[objects.CellMapping] = []
        self._until = clock.Deadline(0)
        self._lives: dict[str, Liveness] = {}
        self._lock = threads.lock()

    @property
    def api_db(self) -> dbkit.Database:
        return self._dbs.api

    # Where they are

    def every(self) -> list[objects.CellMapping]:
        """Every cell in the order of their ids, cell0 and disabled ones included."""
        if self._until.passed() or not self._mappings:
            with self._dbs.api.read() as conn:
                self._mappings = sorted(objects.CellMapping.all(conn), key=lambda mapping: mapping.id)
            self._until = clock.Deadline(self._keep)
        return list(self._mappings)

    def get(self, uuid: str, fresh: bool = False) -> objects.CellMapping:
        """The cell with this uuid.

        Args:
            fresh: as it is mapped now, rather than some seconds ago.

        Raises:
            errors.host.CellMappingNotFound: it is not mapped.
        """
        if fresh:
            self._until = clock.Deadline(0)
        for mapping in self.every() if self._keep else ():
            if mapping.uuid == uuid:
                return mapping
        with self._dbs.api.read() as conn:
            return objects.CellMapping.get(conn, uuid=uuid)

    def cell0(self) -> objects.CellMapping:
        """The cell without hosts."""
        return self.get(CELL0_UUID)

    def db(self, cell: objects.CellMapping) -> dbkit.Database:
        """The database of a cell."""
        return self._dbs.cell(cell.database_connection)

    def of_host(self, host: str) -> objects.CellMapping:
        """The cell of a host.

        Raises:
            HostMappingNotFound: the host is in no cell.
        """
        with self._dbs.api.read() as conn:
            found = objects.CellMapping.of_host(conn, host)
        if found is None:
            raise errors.host.HostMappingNotFound(host=host)
        return found

    def of_server(self, uuid: str) -> objects.CellMapping | None:
        """The cell of a server; None when there is no such server, or no cell has it yet."""
        with self._dbs.api.read() as conn:
            return objects.CellMapping.of_server(conn, uuid)

    def has_node(self, host: str | None, node: str | None) -> bool:
        """Whether some cell has this hypervisor (any of the host's when only `host` is given, and so on).

        Raises:
            nova.errors.host.CellDown: none that answers has it, but one that is down may.
        """
        by: JsonObject = {
            name: value for name, value in (('host', host), ('hypervisor_hostname', node)) if value}
        answers = self.ask(lambda conn: bool(objects.ComputeNode.all(conn, limit=1, **by)))
        if any(has for _, has in answers):
            return True
        if any(has is None for _, has in answers):
            raise errors.host.CellDown()
        return False

    # What they say

    def ask(self, question: Callable[[sa.Connection], T], cells: Sequence[objects.CellMapping] | None = None
            ) -> list[tuple[objects.CellMapping, T | None]]:
        """``question(connection)`` of each cell's database, at once and under one deadline.

        Args:
            cells: mappings; by default all but cell0.

        Returns:
            Pairs of mapping and answer, in the order of the cells; None from those that are down.

        Raises:
            whatever a question itself raises.
        """
        asked = [cell for cell in self.every() if not cell.is_cell0] if cells is None else cells
        got = self.answers(question, asked).got
        return [(cell, got.get(cell.uuid)) for cell in asked]

    def ask_one(self, cell: objects.CellMapping, question: Callable[[sa.Connection], T],
                timeout: float | None = None) -> T:
        """One cell's answer.

        Args:
            timeout: seconds for it, where it has less than cells have.

        Raises:
            nova.errors.host.CellDown: 503.
            whatever the question itself raises.
        """
        got = self.answers(question, [cell], timeout).got
        if cell.uuid not in got:
            raise errors.host.CellDown()
        return got[cell.uuid]

    def answers(self, question: Callable[[sa.Connection], T], cells: Sequence[objects.CellMapping],
                timeout: float | None = None) -> 'Answers[str, T]':
        """What these cells answer, and why others are down, by uuid.

        Raises:
            whatever a question itself raises.
        """
        def read(db: dbkit.Database) -> T:
            with db.read() as conn:
                return question(conn)
        deadline = clock.Deadline(self._timeout if timeout is None else timeout)
        found = self._dbs.ask(dict.fromkeys((cell.uuid for cell in cells), read),
                              {cell.uuid: cell for cell in cells}, deadline)
        for error in found.failed.values():
            raise error
        return found

    # Who lives there

    def liveness(self, cell: objects.CellMapping | None) -> Liveness:
        """Who lives in a cell, looked at now and then; None is cell0, where schedulers and super-conductors are
        listed."""
        url = '' if cell is None else cell.database_connection
        ask = self._ask_cell0 if cell is None else functools.partial(self.ask_one, cell)
        with self._lock:
            if url not in self._lives:
                self._lives[url] = Liveness(ask, self._down_after, self.KEEP, self.BEHIND, lasting=not url)
            return self._lives[url]

    def host_is_up(self, db: dbkit.Database, host: str) -> bool:
        """Whether nova-compute on a host lives, as the database of its cell says now."""
        with db.read() as conn:
            return service.Alive.look(conn, self._down_after, host).is_up(host)

    def _ask_cell0(self, look: Look) -> service.Alive:
        with self._dbs.api.read() as conn:
            cell0 = objects.CellMapping.find(conn, uuid=CELL0_UUID)
        return service.Alive() if cell0 is None else self.ask_one(cell0, look, BRIEF * self._timeout)


def runs(cell: objects.CellMapping) -> bool:
    """Whether anything is done in a cell: in cell0, servers are deleted."""
    return bool(cell.is_cell0 or not cell.disabled)
