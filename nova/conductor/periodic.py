"""What conductors do again and again, besides looking after tasks."""

import datetime
import functools
import logging
from collections.abc import Callable

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc

from nova.common import clock, dbkit
from nova.conductor import cell_works
from nova.objects import (
    build_request,
    cell_mapping,
    compute_node,
    event,
    host_mapping,
    idempotency_key,
    instance,
    instance_mapping,
    notification,
)
from nova.objects import task as rows
from nova.ops import rescue
from nova.ops.delete import reclaim
from nova.ops.evacuate import returned
from nova.ops.resize import decide
from nova.ops.shelve import offload_due
from nova.task import engine as engines
from nova.task import journal

LOG = logging.getLogger(__name__)


UNSEEN = datetime.timedelta(days=1)
"""How long events of other services, and ended tasks that clients do not see, are kept."""


class Retention:
    """Drops operations that ended too long ago to be asked about, events that nobody waits for any more, keys
    of requests that do not come again, and notifications that nobody can follow any more.

    A call drops a batch of each, in a transaction each, and says when the next one is to follow where there is
    more: it rests for as long as it has worked. Conductors of one database share the work.
    """

    BATCH = 200
    """Rows that a transaction drops; of tasks their steps go along."""
    AGAIN = datetime.timedelta(days=1)
    """After so long it looks again at all tasks that have to be kept; between, at what has grown old since."""

    def __init__(self, db: Callable[[], dbkit.Database], conf: cfg.ConfigOpts) -> None:
        self._find, self._days = db, datetime.timedelta(days=conf.task.retention_days)
        self._keys = datetime.timedelta(hours=conf.api.idempotency_key_hours)
        self._told = datetime.timedelta(hours=conf.notifications.event_stream_hours)
        self._marks: dict[bool, rows.Mark] = {}
        self._since = rows.FIRST.finished_at

    def __call__(self) -> float | None:
        began = clock.monotonic()
        db = self._find()
        now = db.now()
        more = self._tasks(db, now)
        for prune, before in ((event.prune, now - UNSEEN), (idempotency_key.prune, now - self._keys),
                              (notification.prune, now - self._told)):
            more |= db.write(functools.partial(prune, before=before, limit=self.BATCH),
                             landed=dbkit.repeatable) == self.BATCH
        return clock.monotonic() - began if more else None

    def _tasks(self, db: dbkit.Database, now: datetime.datetime) -> bool:
        """Drop a batch of those that clients do not see, and one of any; whether there may be more."""
        if now - self._since >= self.AGAIN:
            self._marks, self._since = {}, now
        more = False
        for hidden, before in ((False, now - self._days), (True, now - UNSEEN)):
            done = db.write(functools.partial(
                rows.prune, before=before, limit=self.BATCH, hidden=hidden,
                after=self._marks.get(hidden, rows.FIRST)), landed=dbkit.repeatable)
            if done.last is not None:
                self._marks[hidden], more = done.last, True
        return more


Begin = Callable[[journal.Journal], list[rows.Task]]
"""Begins what is due in one cell; the tasks want to be woken."""


def timed(conf: cfg.ConfigOpts, option: str, begin: Callable[[journal.Journal, float], list[rows.Task]],
          least: float = 1) -> Begin:
    """`begin` with the seconds of an option; where they are fewer than `least`, nothing is ever due."""
    def due(tasks: journal.Journal) -> list[rows.Task]:
        return begin(tasks, conf[option]) if conf[option] >= least else []
    return due


class Due:
    """Begins what is due, and wakes it."""

    def __init__(self, engine: engines.Engine, begin: Begin) -> None:
        self._engine, self._begin = engine, begin

    def __call__(self) -> None:
        for task in self._begin(self._engine.journal):
            self._engine.submit(self._engine.wake, task.uuid)


def due(conf: cfg.ConfigOpts) -> list[tuple[str, float, Begin]]:
    """What is begun when its time has come: a name, seconds between two looks, and how it is begun."""
    return [
        ('reclaim', 60, timed(conf, 'reclaim_instance_interval', reclaim.begin_due)),
        ('offload', 60, timed(conf, 'shelved_offload_time', offload_due.begin_due, least=0)),
        ('unrescue', 60, timed(conf, 'rescue_timeout', rescue.begin_due)),
        ('resizes', 10, timed(conf, 'resize_confirm_window', decide.confirm_due)),
        ('evacuations', 60, returned.begin_due),
    ]


class Comparison:
    """Looks again for what came late at the neighbours.

    Args:
        begin: see `remove_late.begin_later` and `schedule.begin_later`.
    """

    def __init__(self, engine: Callable[[], engines.Engine], begin: Callable[[journal.Journal], int]) -> None:
        self._engine, self._begin = engine, begin

    def __call__(self) -> None:
        count = self._begin(self._engine().journal)
        if count:
            LOG.info('%d operations left doubts: what they were for is looked at again', count)


class Discovery:
    """Maps hosts that have reported in a cell (CEL-S4), so that nobody has to say discover_hosts."""

    def __init__(self, cells: 'cell_works.CellWorks') -> None:
        self._cells = cells

    def __call__(self) -> None:
        for mapping in self._cells.every():
            if mapping.is_cell0 or mapping.disabled:
                continue
            try:
                self._discover(mapping)
            except db_exc.DBError as error:
                LOG.warning('Hosts of cell %s cannot be discovered now: %s', mapping.name, error)

    def _discover(self, mapping: cell_mapping.CellMapping) -> None:
        db = self._cells.db(mapping)
        with db.read() as conn:
            new = compute_node.ComputeNode.unmapped(conn)
        if not new:
            return
        hosts = sorted({host for _, host in new})

        def add(conn: sa.Connection) -> None:
            known = {known.host for known in host_mapping.HostMapping.all(conn, host=hosts)}
            host_mapping.HostMapping.add(conn, mapping, [host for host in hosts if host not in known])
        self._cells.api_db.write(add)
        db.write(functools.partial(compute_node.ComputeNode.note_mapped, uuids=[uuid for uuid, _ in new]))
        LOG.info('Mapped %d hosts of cell %s: %s', len(hosts), mapping.name, ', '.join(hosts[:10]))


class HandOvers:
    """Sees to servers that were written into a cell and never let go: no such server waits for nobody.

    Whose hand-over still goes on, however long it takes, is left to the task that does it. Otherwise the
    mapping says what the server is: one of this cell, whose build is let go, or one that was given up, whose
    rows are purged. They are invisible, and no age makes them anything else.
    """

    MOST = 500
    """Servers that are read at a time."""

    def __init__(self, cells: 'cell_works.CellWorks') -> None:
        self._cells = cells

    def __call__(self) -> None:
        for mapping in self._cells.every():
            if not mapping.disabled:
                try:
                    self._see_to(mapping)
                except Exception as error:
                    if not dbkit.is_passing(error):
                        raise
                    LOG.warning('Hand-overs to cell %s cannot be seen to now: %s', mapping.name,
                                type(error).__name__)

    def _see_to(self, cell: cell_mapping.CellMapping) -> None:
        db, after = self._cells.db(cell), 0
        while True:
            with db.read() as conn:
                waiting = rows.inert(conn, after, self.MOST)
            if waiting:
                self._decide(cell, db, waiting)
                after = waiting[-1].id
            if len(waiting) < self.MOST:
                return

    def _decide(self, cell: cell_mapping.CellMapping, db: dbkit.Database, waiting: list[rows.Inert]) -> None:
        # Read after them, so that a hand-over which began later is not taken for one that has ended.
        with self._cells.api_db.read() as conn:
            going_on = rows.unfinished(conn, {task.parent for task in waiting if task.parent})
            mine = {found.instance_uuid for found in instance_mapping.InstanceMapping.all(
                conn, instance_uuid=[task.instance_uuid for task in waiting], cell_id=cell.id)}
            pending = {found.instance_uuid for found in build_request.BuildRequest.all(
                conn, instance_uuid=[task.instance_uuid for task in waiting])}
        for task in waiting:
            if task.parent in going_on or (task.parent is None and task.instance_uuid in pending):
                continue
            if task.instance_uuid in mine:
                LOG.info('The build of server %s in cell %s is let go', task.instance_uuid, cell.name)
                self._cells.work(cell).engine.adopt(task.uuid)
            else:
                LOG.info('Server %s was never handed over to cell %s; its rows are purged', task.instance_uuid,
                         cell.name)
                db.write(functools.partial(instance.Instance.purge, uuid=task.instance_uuid))
