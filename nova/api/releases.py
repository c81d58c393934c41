"""Which releases the services are of that will run what the API begins, looked at now and then."""

from typing import TYPE_CHECKING

from nova import objects, release
from nova.api.finder import Finder
from nova.common import clock
from nova.objects.service import Alive
from nova.task import flow as flows

if TYPE_CHECKING:
    from nova.db.session import Databases

KEEP = 10.0
"""Seconds for which it is believed that every service is of this release."""
BEHIND = 2.0
"""Seconds for which it is believed that some are not."""


class Releases:
    """Of one process.

    Args:
        down_after: seconds without a sign of life after which a service is gone.
    """

    def __init__(self, dbs: 'Databases', finder: Finder, down_after: float) -> None:
        self._dbs, self._finder, self._down_after = dbs, finder, down_after
        self._seen: dict[str, tuple[Alive, clock.Deadline]] = {}

    def fitting(self, flow: type[flows.AnyFlow], cell: objects.CellMapping | None,
                host: str | None = None) -> type[flows.AnyFlow] | None:
        """The newest version of a flow that all know who may run it; None where the conductors know none.

        Args:
            cell: its mapping; None is the API database, where super-conductors are at work.
            host: of the server.
        """
        seen = self._look(cell)
        known = flows.at(flow, seen.oldest('nova-conductor'))
        if known is None or host is None:
            return known
        return flows.at(known, seen.release_of(host)) or known

    def schedulers(self) -> release.Release:
        """The oldest release among the schedulers."""
        return self._look(None).oldest('nova-scheduler')

    def _look(self, cell: objects.CellMapping | None) -> Alive:
        """As the services table of a cell said lately; two who look at once do no harm."""
        if cell is None:
            cell = next((one for one in self._finder.cells() if one.is_cell0), None)
        if cell is None:
            return Alive()
        alive, until = self._seen.get(cell.uuid, (Alive(), clock.Deadline(0)))
        if until.passed():
            with self._dbs.cell(cell.database_connection).read() as conn:
                alive = Alive.look(conn, self._down_after)
            self._seen[cell.uuid] = alive, clock.Deadline(KEEP if alive.all_current() else BEHIND)
        return alive
