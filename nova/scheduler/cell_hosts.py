"""The hosts of one cell, renewed by what has changed there.

Everything is read once in a while. Between, only what was written since the last look is: nodes by their times
of change; services that were changed, have been silent for a while, or are those by which others are judged. So
a renewal costs as much as has happened, however many hosts there are. Times are by the clock of the cell's
database, and looks overlap, because a transaction may commit a while after it has said what time it is.
"""

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from typing import TYPE_CHECKING, Self, TypeVar

import sqlalchemy as sa
from oslo_config import cfg
from oslo_log import log

from nova import objects, states
from nova.common import clock, dbkit, threads
from nova.objects.service import Alive, Sign
from nova.scheduler.host_state import HostState

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = log.getLogger(__name__)
T = TypeVar('T')

COUNTS_FRESH = 5.0
"""Age in seconds of numbers of servers, which cost more to find out; claims made here are counted at once."""
WHOLE_FRESH = 60.0
"""Seconds after which everything is read again: also what was committed too late, or changed by hand."""
OVERLAP = datetime.timedelta(seconds=10)
"""What a look reads again of the time before the last one."""
PATIENCE = 0.5
"""Seconds a request waits for renewals."""
FIRST = 3.0
"""The same while nothing is known yet of a cell: its hosts are not passed over because it is new to us. As long
waits who would be refused otherwise."""
GIVEN_UP = 5.0
"""Seconds after which a silent cell is left out, and after which one that failed is asked again."""

_THREADS = 4
"""Questions that one cell is asked at the same time."""
_PART = 500
"""Nodes that are read by one statement."""
_BUSY = (states.Task.REBUILDING, states.Task.RESIZE_PREP, states.Task.RESIZE_MIGRATING,
         states.Task.IMAGE_SNAPSHOT, states.Task.IMAGE_BACKUP, states.Task.UNSHELVING, states.Task.RESCUING)

_services, _nodes, _instances = objects.Service.table, objects.ComputeNode.table, objects.Instance.table
_ROWS = sa.select(*(sa.select(of).select_from(table).scalar_subquery() for table in (_services, _nodes)
                    for of in (sa.func.count(), sa.func.max(table.c.id))))
"""How many rows there are, and the newest: what was added or deleted shows in it."""
_SERVICES = sa.select(
    *(_services.c[name] for name in (*Sign._fields, 'disabled', 'disabled_reason'))).where(
    _services.c.binary.in_(('nova-compute', 'nova-conductor')))
_TOLD = _SERVICES.where(sa.or_(
    _services.c.updated_at >= sa.bindparam('since'), _services.c.binary == 'nova-conductor',
    _services.c.forced_down, _services.c.last_seen_up.is_(None),
    _services.c.last_seen_up < sa.bindparam('past')))
"""Those that have changed, and those without which nobody knows who lives."""
_STAMPS = sa.select(_nodes.c.uuid, sa.func.coalesce(_nodes.c.updated_at, _nodes.c.created_at).label('changed'))
_STAMPED = _STAMPS.where(_nodes.c.updated_at >= sa.bindparam('since'))
_COUNTS = sa.select(
    _instances.c.host, _instances.c.vm_state, _instances.c.task_state, sa.func.count().label('n')).where(
    _instances.c.deleted == 0, _instances.c.host.isnot(None)).group_by(
    _instances.c.host, _instances.c.vm_state, _instances.c.task_state)

_Counts = dict[str, tuple[int, int]]
"""Servers of each host, and how many of them are being built, moved or snapshot."""


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What an operator, or its release, says of the service of a host."""

    disabled: bool
    disabled_reason: str | None
    version: int


@dataclasses.dataclass(frozen=True, slots=True)
class Services:
    """The compute services of a cell.

    Attributes:
        told: by host.
        doubtful: hosts of which `alive` judges; the others were heard of lately.
    """

    told: dict[str, Told] = dataclasses.field(default_factory=dict)
    alive: Alive = dataclasses.field(default_factory=Alive)
    doubtful: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Sequence[sa.Row], known: Mapping[str, Told], down_after: float, now: datetime.datetime
           ) -> Self:
        """What rows tell of some services, or of all; `known` are the others, which were heard of lately."""
        told = {row.host: Told(bool(row.disabled), row.disabled_reason, row.version) for row in rows
                if row.binary == 'nova-compute'}
        alive = Alive([Sign(*row[:len(Sign._fields)]) for row in rows], down_after, now)
        return cls({**known, **told}, alive, frozenset(told))

    def describe(self, state: HostState) -> None:
        """Fill in what is known of the service of a node."""
        told = self.told.get(state.host)
        if told is None:
            state.up = False
            return
        state.up = state.host not in self.doubtful or self.alive.is_up(state.host)
        state.disabled, state.disabled_reason, state.service_version = (
            told.disabled, told.disabled_reason, told.version)


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """What was read.

    Attributes:
        nodes: by uuid.
        stamps: when each of them changed.
        rows: how many rows there were, and the newest.
        until: time of the cell's database up to which it has what was changed.
        whole: monotonic time of when everything was read.
    """

    nodes: dict[str, HostState] = dataclasses.field(default_factory=dict)
    stamps: dict[str, datetime.datetime] = dataclasses.field(default_factory=dict)
    services: Services = dataclasses.field(default_factory=Services)
    rows: tuple[int | None, ...] = ()
    until: datetime.datetime = datetime.datetime(1970, 1, 1)
    whole: float = 0.0


class CellHosts:
    """What is known of the hosts of a cell, and asked of it by threads of its own.

    A cell that does not answer is not waited for again while its answer is outstanding, and after a few seconds
    its hosts are left out: they could not be given a server anyway.

    Args:
        fresh: age up to which it is used as it is; numbers of servers are used for five times as long.

    Attributes:
        loaded: monotonic time of what is known; None: nothing is.
    """

    def __init__(self, mapping: objects.CellMapping, dbs: 'Databases', conf: cfg.ConfigOpts, fresh: float
                 ) -> None:
        self.uuid, self.name, self.url = mapping.uuid, mapping.name or mapping.uuid, mapping.database_connection
        self.loaded: float | None = None
        self._dbs, self._conf = dbs, conf
        self._pool = threads.Pool(f'scheduler-cell-{self.name}', _THREADS)
        self._known = _Known()
        self._counts, self._counted, self._counts_fresh = _Counts(), -1e9, min(COUNTS_FRESH, fresh * 5)
        self._asked = 0.0
        self._failed: float | None = None
        self._pending: futures.Future[None] | None = None
        self._lock = threads.lock()

    # What is known

    @property
    def nodes(self) -> dict[str, HostState]:
        """By uuid, without what `describe` fills in; another one whenever something has changed."""
        return self._known.nodes

    @property
    def patience(self) -> float:
        """Seconds that a renewal is waited for."""
        return FIRST if self.loaded is None else PATIENCE

    def usable(self) -> bool:
        """Whether its hosts can be given servers: it answered, and is not silent for too long."""
        silent = (self._pending is not None and not self._pending.done()
                  and clock.monotonic() - self._asked > GIVEN_UP)
        return self.loaded is not None and self._failed is None and not silent

    def describe(self, state: HostState) -> None:
        """Fill in what is known of a node's service, and of servers on its host."""
        self._known.services.describe(state)
        state.num_instances, state.num_io_ops = self._counts.get(state.host, (0, 0))

    def count(self, host: str) -> None:
        """A server has been given to a host; the next request shall know."""
        with self._lock:
            servers, busy = self._counts.get(host, (0, 0))
            self._counts[host] = (servers + 1, busy + 1)

    # Questions

    def ask(self, question: Callable[[sa.Connection], T]) -> 'futures.Future[T]':
        """What its database answers, soon."""
        def run() -> T:
            with self._dbs.cell(self.url).read() as conn:
                return question(conn)
        return self._pool.submit(run)

    def give_up(self) -> None:
        """Leave its hosts out for a while."""
        self._failed = clock.monotonic()

    def close(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        self._pool.close(wait=False)

    def renew(self, limit: float, patience: float) -> 'futures.Future[None] | None':
        """Start a renewal where what is known is older than `limit`; return it when it is worth waiting for.

        Args:
            patience: seconds from its beginning for which it is.
        """
        with self._lock:
            now = clock.monotonic()
            if self._pending is not None and not self._pending.done():
                return self._pending if now - self._asked < patience else None
            if self.loaded is not None and self._failed is None and now - self.loaded <= limit:
                return None
            if self._failed is not None and now - self._failed < GIVEN_UP:
                return None
            self._asked = now
            self._pending = self._pool.submit(self._load)
            return self._pending

    def _load(self) -> None:
        started = clock.monotonic()
        try:
            with self._dbs.cell(self.url).read() as conn:
                known = _look(conn, self.uuid, self._known, self._conf.service_down_time)
                counts = _counts(conn) if started - self._counted > self._counts_fresh else None
        except Exception as error:  # noqa: BLE001  whatever is wrong with one cell, the others get their servers
            LOG.warning('Cell %(cell)s cannot be asked for its hosts; it gets no servers for now: %(error)s',
                        {'cell': self.name, 'error': type(error).__name__})
            self.give_up()
            return
        with self._lock:
            self._known, self.loaded, self._failed = known, started, None
            if counts is not None:
                self._counts, self._counted = counts, started


def _look(conn: sa.Connection, cell: str, known: _Known, down_after: float) -> _Known:
    """What is known now, after a look at what has changed, or at everything where that may be wanting."""
    now, started = dbkit.now(conn), clock.monotonic()
    rows = tuple(conn.execute(_ROWS).one())
    whole = rows != known.rows or now < known.until or started - known.whole > WHOLE_FRESH
    times = {'since': known.until - OVERLAP, 'past': now - datetime.timedelta(seconds=down_after / 2)}
    services = Services.of(conn.execute(_SERVICES if whole else _TOLD, None if whole else times).all(),
                           {} if whole else known.services.told, down_after, now)
    stamps: dict[str, datetime.datetime] = {row.uuid: row.changed for row in conn.execute(
        _STAMPS if whole else _STAMPED, None if whole else times)}
    changed = [uuid for uuid, stamp in stamps.items() if known.stamps.get(uuid) != stamp]
    anew = {node.uuid: _state(cell, node) for node in _load_nodes(conn, changed)}
    if whole:
        nodes = {uuid: state for uuid, state in known.nodes.items() if uuid in stamps}
        return _Known({**nodes, **anew}, stamps, services, rows, now, started)
    nodes = {**known.nodes, **anew} if anew else known.nodes
    return _Known(nodes, {**known.stamps, **stamps}, services, rows, now, known.whole)


def _load_nodes(conn: sa.Connection, uuids: Sequence[str]) -> list[objects.ComputeNode]:
    return [node for start in range(0, len(uuids), _PART)
            for node in objects.ComputeNode.all(conn, uuid=list(uuids[start:start + _PART]))]


def _state(cell_uuid: str, node: objects.ComputeNode) -> HostState:
    stats = node.stats or {}
    return HostState(
        uuid=node.uuid, host=node.host, nodename=node.hypervisor_hostname, cell_uuid=cell_uuid,
        hypervisor_type=node.hypervisor_type, hypervisor_version=node.hypervisor_version,
        host_ip=node.host_ip, cpu_info=node.cpu_info or {},
        supported_instances=[list(map(str, one)) for one in node.supported_instances or ()], stats=stats,
        metrics=node.metrics or [], numa_topology=node.numa_topology, pci_stats=node.pci_stats,
        failed_builds=int(stats.get('failed_builds', 0)))


def _counts(conn: sa.Connection) -> _Counts:
    found = _Counts()
    for row in conn.execute(_COUNTS):
        busy = row.vm_state == states.VM.BUILDING or row.task_state in _BUSY
        servers, working = found.get(row.host, (0, 0))
        found[row.host] = (servers + row.n, working + (row.n if busy else 0))
    return found
