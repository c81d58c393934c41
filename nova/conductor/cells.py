"""The cells as a super-conductor sees them: mapping, database, bus, and an engine on each one's journal."""

import logging
from collections.abc import Callable
from typing import Any

from nova.common import clock, dbkit, threads
from nova.conductor import work
from nova.objects import cell_mapping
from nova.rpc import transport

LOG = logging.getLogger(__name__)


class Cells:
    """Every mapped cell; a cell that is added, changed or disabled is noticed within `keep` seconds.

    Args:
        build: makes the `work.Work` of a cell's journal; cell0 has no bus.
    """

    def __init__(self, dbs: Any, buses: transport.Buses,
                 build: Callable[[dbkit.Database, transport.Bus | None], work.Work], pool: threads.Pool,
                 keep: float = 5.0) -> None:
        self._dbs, self._buses, self._build, self._pool, self._keep = dbs, buses, build, pool, keep
        self._mappings: list[Any] = []
        self._until = clock.Deadline(0)
        self._works: dict[tuple[str, str, str], work.Work] = {}
        self._lock = threads.rlock()

    @property
    def api_db(self) -> dbkit.Database:
        return self._dbs.api

    def mappings(self) -> list[Any]:
        """Every cell, cell0 and disabled ones included."""
        with self._lock:
            if self._until.passed() or not self._mappings:
                with self._dbs.api.read() as conn:
                    self._mappings = cell_mapping.CellMapping.all(conn)
                self._until = clock.Deadline(self._keep)
            return list(self._mappings)

    def mapping(self, uuid: str) -> Any:
        """The cell with this uuid.

        Raises:
            errors.host.CellNotFound: it is not mapped.
        """
        for mapping in self.mappings():
            if mapping.uuid == uuid:
                return mapping
        with self._dbs.api.read() as conn:
            return cell_mapping.CellMapping.get(conn, uuid=uuid)

    def db(self, mapping: Any) -> dbkit.Database:
        return self._dbs.cell(mapping.database_connection)

    def work(self, mapping: Any) -> work.Work:
        """The engine on a cell's journal, started when first asked for."""
        key = (mapping.uuid, mapping.database_connection, mapping.transport_url)
        with self._lock:
            found = self._works.get(key)
            if found is None:
                bus = None if mapping.is_cell0 else self._buses.cell(mapping.transport_url)
                found = self._build(self.db(mapping), bus)
                found.start()
                self._works[key] = found
            return found

    def watch(self) -> None:
        """Have an engine on every cell, cell0 too: its servers can be deleted. Called once a second."""
        for mapping in self.mappings():
            if mapping.is_cell0 or not mapping.disabled:
                self.work(mapping)

    def stop(self) -> None:
        with self._lock:
            works = list(self._works.values())
        for each in works:
            each.stop()
