"""What a super-conductor does in the cells: an engine on each one's journal, with threads of its own."""

import dataclasses
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from nova import cells, errors
from nova.common import dbkit, threads
from nova.conductor import share, work
from nova.objects import cell_mapping
from nova.rpc import transport

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = logging.getLogger(__name__)

QUEUE = 1000
"""Tasks of one cell that may wait for a thread; the keeper comes again for more."""

Build = Callable[[dbkit.Database, 'transport.Bus | None', threads.Pool], work.Work]
"""Makes the `work.Work` of a cell's journal; cell0 has no bus."""

Place = tuple[str, str]
"""URLs of a cell's database and bus."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Running:
    """An engine on a cell's journal, and the threads that are its alone."""

    place: Place
    work: work.Work
    pool: threads.Pool

    def stop(self) -> None:
        """Look after nothing more, let what runs end, and give up the lease. A cell may hang: this may, too."""
        self.work.rest()
        self.pool.close()
        self.work.stop()


class CellWorks(cells.Cells):
    """The cells, and the work on the journal of each that is mapped; one that is added, changed or disabled is
    noticed within `keep` seconds.

    Args:
        size: threads for the tasks of each cell, so that one that hangs holds up none of another's.
        most: threads of those that serve all cells that one cell may hold up.
    """

    def __init__(self, dbs: 'Databases', buses: transport.Buses, build: Build, size: int,
                 keep: float = 5.0, most: int = 4) -> None:
        super().__init__(dbs, keep=keep)
        self._buses, self._build, self._size = buses, build, size
        self._running: dict[str, _Running] = {}
        self._most, self._shares = most, dict[str, share.Share]()
        self._lock = threads.lock()

    def share(self, mapping: cell_mapping.CellMapping) -> share.Share:
        """What a cell may take of the threads that serve every cell."""
        with self._lock:
            return self._shares.setdefault(mapping.uuid, share.Share(self._most))

    def work(self, mapping: cell_mapping.CellMapping) -> work.Work:
        """The engine on a cell's journal, started when first asked for; one at another place is stopped.

        Raises:
            errors.Unavailable: the cell is disabled.
        """
        if not cells.runs(mapping):
            raise errors.Unavailable(f'Cell {mapping.name or mapping.uuid} is disabled.')
        place = _place(mapping)
        with self._lock:
            old = self._running.get(mapping.uuid)
            if old is not None and old.place == place:
                return old.work
            name = mapping.name or mapping.uuid
            pool = threads.Pool(f'conductor-cell-{name}', self._size, QUEUE)
            bus = None if mapping.is_cell0 else self._buses.cell(mapping.transport_url)
            made = self._running[mapping.uuid] = _Running(place, self._build(self.db(mapping), bus, pool), pool)
            made.work.start()
        if old is not None:
            LOG.info('Cell %s has moved', name)
            self._let_go(mapping.uuid, old)
        return made.work

    def watch(self) -> None:
        """Have an engine on every cell, cell0 too: its servers can be deleted. Called once a second.

        A cell that is disabled, or mapped no more, has none.
        """
        wanted = {mapping.uuid: mapping for mapping in self.every() if cells.runs(mapping)}
        with self._lock:
            gone = {uuid: self._running.pop(uuid) for uuid in set(self._running) - set(wanted)}
        for uuid, running in gone.items():
            LOG.info('Cell %s is not looked after any more', uuid)
            self._let_go(uuid, running)
        for mapping in wanted.values():
            self.work(mapping)

    @staticmethod
    def _let_go(uuid: str, running: _Running) -> None:
        """Stop an engine, whose database may hang."""
        threads.start(f'stop-cell-{uuid}', running.stop)

    def stop(self) -> None:
        """Stop every engine, when what it runs has ended."""
        with self._lock:
            running, self._running = list(self._running.values()), {}
        for one in running:
            one.stop()


def _place(mapping: cell_mapping.CellMapping) -> Place:
    return mapping.database_connection, mapping.transport_url
