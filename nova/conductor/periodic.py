"""What conductors do again and again, besides looking after tasks."""

import datetime
import functools
import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc

from nova.common import clock, dbkit, threads
from nova.conductor import cells as conductor_cells
from nova.objects import cell_mapping, compute_node, event, host_mapping, instance_mapping
from nova.objects import task as rows
from nova.ops.build import schedule
from nova.ops.delete import reclaim
from nova.task import engine as engines

LOG = logging.getLogger(__name__)


def ticker(name: str, seconds: float, fn: Callable[[], object]) -> threads.Ticker:
    """Call `fn` every `seconds`; what it raises is logged, and it is called again."""
    def complain(error: Exception) -> None:
        LOG.warning('%s could not be done now: %s', name, error, exc_info=error)
    return threads.Ticker(name, seconds, fn, complain)


UNSEEN = datetime.timedelta(days=1)
"""How long events of other services, and ended tasks that clients do not see, are kept."""


class Retention:
    """Drops operations that ended too long ago to be asked about, and events that nobody waits for any more."""

    def __init__(self, db: dbkit.Database, conf: cfg.ConfigOpts) -> None:
        self._db, self._days = db, conf.task.retention_days

    def __call__(self) -> None:
        now = clock.utcnow()
        for before, hidden in ((now - datetime.timedelta(days=self._days), False), (now - UNSEEN, True)):
            while self._db.write(functools.partial(rows.prune, before=before, limit=500, hidden=hidden)):
                LOG.debug('Tasks that ended before %s were dropped', before)
        while self._db.write(functools.partial(event.prune, before=now - UNSEEN, limit=500)):
            LOG.debug('Events of other services from before %s were dropped', now - UNSEEN)


class Reclaim:
    """Deletes for good what was deleted softly longer than ``reclaim_instance_interval`` ago."""

    def __init__(self, engine: engines.Engine, conf: cfg.ConfigOpts) -> None:
        self._engine, self._conf = engine, conf

    def __call__(self) -> None:
        seconds = self._conf.reclaim_instance_interval
        for task in reclaim.begin_due(self._engine.journal, seconds) if seconds > 0 else ():
            self._engine.submit(self._engine.wake, task.uuid)


class Discovery:
    """Maps hosts that have reported in a cell (CEL-S4), so that nobody has to say discover_hosts."""

    def __init__(self, cells: 'conductor_cells.Cells') -> None:
        self._cells = cells

    def __call__(self) -> None:
        for mapping in self._cells.mappings():
            if mapping.is_cell0 or mapping.disabled:
                continue
            try:
                self._discover(mapping)
            except db_exc.DBError as error:
                LOG.warning('Hosts of cell %s cannot be discovered now: %s', mapping.name, error)

    def _discover(self, mapping: Any) -> None:
        db = self._cells.db(mapping)
        with db.read() as conn:
            new = compute_node.ComputeNode.all(conn, mapped=False)
        if not new:
            return
        hosts = sorted({node.host for node in new})

        def add(conn: sa.Connection) -> None:
            known = {known.host for known in host_mapping.HostMapping.all(conn, host=hosts)}
            for host in hosts:
                if host not in known:
                    host_mapping.HostMapping(host=host, cell_id=mapping.id).create(conn)
        self._cells.api_db.write(add)

        def mark(conn: sa.Connection) -> None:
            for node in new:
                fresh = node.copy()
                fresh.mapped = True
                fresh.save(conn)
        db.write(mark)
        LOG.info('Mapped hosts of cell %s: %s', mapping.name, ', '.join(hosts))


class Sweep:
    """Takes rows out of cells that no mapping points at: a hand-over that was never finished left them.

    Rows younger than `age` seconds may belong to a hand-over that is under way.
    """

    def __init__(self, cells: 'conductor_cells.Cells', age: float = 600.0) -> None:
        self._cells, self._age = cells, age

    def __call__(self) -> None:
        for mapping in self._cells.mappings():
            if not mapping.disabled:
                try:
                    self._sweep(mapping)
                except db_exc.DBError as error:
                    LOG.warning('Cell %s cannot be swept now: %s', mapping.name, error)

    def _sweep(self, mapping: cell_mapping.CellMapping) -> None:
        db = self._cells.db(mapping)
        with db.read() as conn:
            inert = rows.inert_before(conn, clock.utcnow() - datetime.timedelta(seconds=self._age))
        if not inert:
            return
        with self._cells.api_db.read() as conn:
            mapped = {found.instance_uuid for found in instance_mapping.InstanceMapping.all(
                conn, instance_uuid=inert, cell_id=mapping.id)}
        for uuid in set(inert) - mapped:
            LOG.info('Server %s in cell %s was never handed over; its rows are removed', uuid, mapping.name)
            db.write(functools.partial(schedule.uproot, uuid=uuid))


