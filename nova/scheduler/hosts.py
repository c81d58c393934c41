"""What the scheduler knows of hosts: one cached view a cell, and the aggregates of the deployment.

A cell's view is renewed in the background, by threads of that cell, when it is older than a second, and a
request waits for that only briefly. A cell that does not answer is not waited for again while its answer is
outstanding, and after a few seconds its hosts are left out: they could not be given a server anyway. Whether
the host that is chosen is up and enabled is asked anew with the choice. How much room a host has is not here:
Placement's answer to each request says it.
"""

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent import futures
from typing import TYPE_CHECKING

import sqlalchemy as sa
from oslo_config import cfg
from oslo_log import log

from nova import objects, states
from nova.common import clock, dbkit, threads
from nova.common.jsonutil import JsonObject
from nova.objects.service import Alive, Sign
from nova.scheduler.host_state import Aggregate, HostState

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = log.getLogger(__name__)

FRESH = 1.0
"""Age in seconds up to which a view is used as it is."""
COUNTS_FRESH = 5.0
"""The same for numbers of servers, which cost more to find out; claims made here are counted at once."""
PATIENCE = 0.5
"""Seconds a request waits for renewals."""
FIRST = 3.0
"""The same while nothing is known yet of a cell: its hosts are not passed over because it is new to us."""
GIVEN_UP = 5.0
"""Seconds after which a silent cell is left out, and after which one that failed is asked again."""

_THREADS = 4
"""Questions that one cell is asked at the same time."""
_BUSY = (states.Task.REBUILDING, states.Task.RESIZE_PREP, states.Task.RESIZE_MIGRATING,
         states.Task.IMAGE_SNAPSHOT, states.Task.IMAGE_BACKUP, states.Task.UNSHELVING, states.Task.RESCUING)


_services, _nodes = objects.Service.table, objects.ComputeNode.table
assert _services is not None and _nodes is not None
_SERVICES = sa.select(
    *(_services.c[name] for name in (*Sign._fields, 'disabled', 'disabled_reason', 'version'))).where(
    _services.c.binary.in_(('nova-compute', 'nova-conductor')))
_NODES = sa.select(_nodes.c.uuid, _nodes.c.host,
                   sa.func.coalesce(_nodes.c.updated_at, _nodes.c.created_at).label('changed'))
_instances, _mapped = objects.Instance.table, objects.HostMapping.table
assert _instances is not None and _mapped is not None
_COUNTS = sa.select(
    _instances.c.host, _instances.c.vm_state, _instances.c.task_state, sa.func.count().label('n')).where(
    _instances.c.deleted == 0, _instances.c.host.isnot(None)).group_by(
    _instances.c.host, _instances.c.vm_state, _instances.c.task_state)
_MAPPED = sa.select(_mapped.c.host, _mapped.c.cell_id)
_PART = 500
"""Nodes that are read by one statement."""


_Service = tuple[bool, str | None, int]
"""What is said of the service of a node: disabled, why, and its version."""


@dataclasses.dataclass(slots=True, eq=False)
class _Cell:
    """What is known of a cell.

    Attributes:
        stamps, heard: of which change of each node, and of its service, `nodes` tells; only what has changed
            since is read again.
    """

    uuid: str
    name: str
    url: str
    pool: threads.Pool
    nodes: dict[str, HostState] = dataclasses.field(default_factory=dict)
    stamps: JsonObject = dataclasses.field(default_factory=dict)
    heard: dict[str, _Service] = dataclasses.field(default_factory=dict)
    alive: Alive = dataclasses.field(default_factory=Alive)
    counts: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    loaded: float | None = None
    counted: float = -1e9
    asked: float = 0.0
    failed: float | None = None
    pending: 'futures.Future[None] | None' = None

    @property
    def patience(self) -> float:
        return FIRST if self.loaded is None else PATIENCE

    def usable(self, now: float) -> bool:
        """Whether its hosts can be given servers: it answered, and is not silent for too long."""
        silent = self.pending is not None and not self.pending.done() and now - self.asked > GIVEN_UP
        return self.loaded is not None and self.failed is None and not silent


@dataclasses.dataclass(slots=True)
class View:
    """Hosts and aggregates at one moment.

    Attributes:
        nodes: by compute node uuid; shared, and without what `state` fills in.
        silent: cells that had to be left out.
        when: monotonic time of the oldest part.
    """

    nodes: Mapping[str, HostState]
    aggregates: list[Aggregate]
    silent: list[str]
    when: float
    by_host: Mapping[str, tuple[Aggregate, ...]]
    counts: Mapping[str, Mapping[str, tuple[int, int]]]
    alive: Mapping[str, Alive]

    def state(self, uuid: str) -> HostState:
        """A node's state, for one request to change."""
        state = self.nodes[uuid].copy()
        state.up = self.alive[state.cell_uuid].is_up(state.host)
        state.aggregates = self.by_host.get(state.host, ())
        state.num_instances, state.num_io_ops = self.counts[state.cell_uuid].get(state.host, (0, 0))
        return state


class Hosts:
    """The cached views.

    Args:
        fresh: age up to which a view is used as it is; tests set 0.
    """

    def __init__(self, conf: cfg.ConfigOpts, dbs: 'Databases', fresh: float = FRESH) -> None:
        self._conf, self._dbs, self._fresh = conf, dbs, fresh
        self._cells: dict[str, _Cell] = {}
        self._aggregates: list[Aggregate] = []
        self._by_host: dict[str, tuple[Aggregate, ...]] = {}
        self._mapped: dict[str, str] = {}
        self._loaded: float | None = None
        self._merged: tuple[tuple[object, ...] | None, dict[str, HostState]] = (None, {})
        self._lock = threads.lock()

    def view(self, fresh: float | None = None) -> View:
        """Hosts as they are, no older than `fresh` seconds where their cells answer."""
        limit = self._fresh if fresh is None else fresh
        self._load_api(limit)
        with self._lock:
            cells = list(self._cells.values())
            waiting = {pending: cell.patience for cell in cells
                       if (pending := self._renew(cell, limit)) is not None}
        if waiting:
            threads.wait(waiting, max(waiting.values()))
        with self._lock:
            now = clock.monotonic()
            usable = [cell for cell in cells if cell.usable(now)]
            ages = [cell.loaded for cell in usable if cell.loaded is not None]
            return View(self._nodes(usable), self._aggregates,
                        [cell.uuid for cell in cells if not cell.usable(now)],
                        min([*ages, self._loaded or 0.0]), self._by_host,
                        {cell.uuid: cell.counts for cell in usable},
                        {cell.uuid: cell.alive for cell in usable})

    def _nodes(self, cells: list[_Cell]) -> dict[str, HostState]:
        """Nodes of the cells whose hosts are mapped to them; made again only when something was renewed."""
        stamp = (self._loaded, *((cell.uuid, cell.loaded) for cell in cells))
        if self._merged[0] != stamp:
            self._merged = (stamp, {
                uuid: state for cell in cells for uuid, state in cell.nodes.items()
                if self._mapped.get(state.host) == cell.uuid})
        return self._merged[1]

    def count(self, state: HostState) -> None:
        """A server has been given to a host; the next request shall know."""
        with self._lock:
            cell = self._cells.get(state.cell_uuid)
            if cell is not None:
                servers, busy = cell.counts.get(state.host, (0, 0))
                cell.counts[state.host] = (servers + 1, busy + 1)

    def where(self, instance_uuids: Iterable[str]) -> dict[str, str]:
        """Hosts of servers that are on one, by uuid; cells that do not answer are left out."""
        wanted = list(dict.fromkeys(instance_uuids))
        if not wanted:
            return {}
        self.view()
        table = objects.Instance.table
        assert table is not None
        query = sa.select(table.c.uuid, table.c.host).where(
            table.c.uuid.in_(wanted), table.c.deleted == 0, table.c.host.isnot(None))

        def ask(cell: _Cell) -> dict[str, str]:
            with self._dbs.cell(cell.url).read() as conn:
                return {row.uuid: row.host for row in conn.execute(query)}

        now = clock.monotonic()
        with self._lock:
            asked = [cell.pool.submit(ask, cell) for cell in self._cells.values() if cell.usable(now)]
        done, _ = threads.wait(asked, PATIENCE * 4)
        found: dict[str, str] = {}
        for one in done:
            error = one.exception()
            if error is None:
                found.update(one.result())
            else:
                LOG.warning('A cell cannot be asked where servers are: %s', type(error).__name__)
        return found

    def takes_servers(self, state: HostState) -> bool:
        """Whether a host is up and enabled by what its cell says now; not, where the cell does not say it soon.

        What an operator was answered holds for the very next request, which a cached view would not see.
        """
        with self._lock:
            cell = self._cells.get(state.cell_uuid)
        if cell is None or cell.failed is not None:
            return False

        def ask() -> bool:
            with self._dbs.cell(cell.url).read() as conn:
                found = objects.Service.find(conn, host=state.host, binary='nova-compute')
                return found is not None and not found.disabled and found.is_up(
                    self._conf.service_down_time, dbkit.now(conn))
        asked = cell.pool.submit(ask)
        threads.wait([asked], PATIENCE * 4)
        if asked.done() and asked.exception() is None:
            return asked.result()
        LOG.warning('Cell %s does not say whether host %s is up; it gets no servers for now', cell.name,
                    state.host)
        cell.failed = clock.monotonic()
        return False

    # The API database

    def _load_api(self, limit: float) -> None:
        now = clock.monotonic()
        if self._loaded is not None and now - self._loaded <= limit:
            return
        with self._dbs.api.read() as conn:
            mappings = objects.CellMapping.enabled(conn)
            hosts = conn.execute(_MAPPED).all()
            found = objects.Aggregate.all(conn)
        names = {mapping.id: mapping.uuid for mapping in mappings}
        aggregates = [Aggregate(one.uuid, one.name, frozenset(one.hosts), dict(one.metadata)) for one in found]
        by_host: dict[str, list[Aggregate]] = collections.defaultdict(list)
        for one in aggregates:
            for host in one.hosts:
                by_host[host].append(one)
        with self._lock:
            before = self._cells
            self._cells = {mapping.uuid: self._kept(mapping) for mapping in mappings}
            gone = [cell for cell in before.values() if self._cells.get(cell.uuid) is not cell]
            self._mapped = {row.host: names[row.cell_id] for row in hosts if row.cell_id in names}
            self._aggregates = aggregates
            self._by_host = {host: tuple(many) for host, many in by_host.items()}
            self._loaded = now
        for cell in gone:
            cell.pool.close(wait=False)

    def _kept(self, mapping: objects.CellMapping) -> _Cell:
        """The cell as it is known already, unless its database has moved."""
        known = self._cells.get(mapping.uuid)
        if known is not None and known.url == mapping.database_connection:
            return known
        name = mapping.name or mapping.uuid
        return _Cell(mapping.uuid, name, mapping.database_connection,
                     threads.Pool(f'scheduler-cell-{name}', _THREADS))

    def close(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        with self._lock:
            cells, self._cells = list(self._cells.values()), {}
        for cell in cells:
            cell.pool.close(wait=False)

    # Cells

    def _renew(self, cell: _Cell, limit: float) -> 'futures.Future[None] | None':
        """Start a renewal where one is due; returns it when it is worth waiting for."""
        now = clock.monotonic()
        if cell.pending is not None and not cell.pending.done():
            return cell.pending if now - cell.asked < cell.patience else None
        if cell.loaded is not None and cell.failed is None and now - cell.loaded <= limit:
            return None
        if cell.failed is not None and now - cell.failed < GIVEN_UP:
            return None
        cell.asked = now
        cell.pending = cell.pool.submit(self._load_cell, cell)
        return cell.pending

    def _load_cell(self, cell: _Cell) -> None:
        started = clock.monotonic()
        try:
            with self._dbs.cell(cell.url).read() as conn:
                now = dbkit.now(conn)
                rows = conn.execute(_SERVICES).all()
                stamps = {row.uuid: (row.host, row.changed) for row in conn.execute(_NODES)}
                nodes = _load_nodes(conn, [uuid for uuid, stamp in stamps.items()
                                           if cell.stamps.get(uuid) != stamp])
                counts = _counts(conn) if started - cell.counted > min(COUNTS_FRESH, self._fresh * 5) else None
        except Exception as error:  # noqa: BLE001  whatever is wrong with one cell, the others get their servers
            LOG.warning('Cell %(cell)s cannot be asked for its hosts; it gets no servers for now: %(error)s',
                        {'cell': cell.name, 'error': type(error).__name__})
            cell.failed = clock.monotonic()
            return
        signs = len(Sign._fields)
        services = {row.host: tuple(row)[signs:] for row in rows if row.binary == 'nova-compute'}
        found, heard = {}, {}
        for uuid, (host, _) in stamps.items():
            service = services.get(host)
            if service is not None:
                state = cell.nodes.get(uuid) if uuid not in nodes else _state(cell.uuid, nodes[uuid])
                if state is not None and (uuid in nodes or cell.heard.get(uuid) != service):
                    state = _heard(state, service)
                if state is not None:
                    found[uuid], heard[uuid] = state, service
        with self._lock:
            cell.nodes, cell.loaded, cell.failed = found, started, None
            cell.stamps = {uuid: stamp for uuid, stamp in stamps.items() if uuid in found}
            cell.heard = heard
            cell.alive = Alive([Sign(*row[:signs]) for row in rows], self._conf.service_down_time, now)
            if counts is not None:
                cell.counts, cell.counted = counts, started


def _load_nodes(conn: sa.Connection, uuids: Sequence[str]) -> dict[str, objects.ComputeNode]:
    return {node.uuid: node for start in range(0, len(uuids), _PART)
            for node in objects.ComputeNode.all(conn, uuid=list(uuids[start:start + _PART]))}


def _heard(state: HostState, service: _Service) -> HostState:
    """A node with what is said of its service."""
    disabled, reason, version = service
    heard = state.copy()
    heard.disabled, heard.disabled_reason, heard.service_version = bool(disabled), reason, version
    return heard


def _state(cell_uuid: str, node: objects.ComputeNode) -> HostState:
    stats = node.stats or {}
    return HostState(
        uuid=node.uuid, host=node.host, nodename=node.hypervisor_hostname, cell_uuid=cell_uuid,
        hypervisor_type=node.hypervisor_type, hypervisor_version=node.hypervisor_version,
        host_ip=node.host_ip, cpu_info=node.cpu_info or {},
        supported_instances=[list(map(str, one)) for one in node.supported_instances or ()], stats=stats,
        metrics=node.metrics or [], numa_topology=node.numa_topology, pci_stats=node.pci_stats,
        failed_builds=int(stats.get('failed_builds', 0)))


def _counts(conn: sa.Connection) -> dict[str, tuple[int, int]]:
    """Servers of each host, and how many of them are being built, moved or snapshot."""
    found: dict[str, tuple[int, int]] = {}
    for row in conn.execute(_COUNTS):
        busy = row.vm_state == states.VM.BUILDING or row.task_state in _BUSY
        servers, working = found.get(row.host, (0, 0))
        found[row.host] = (servers + row.n, working + (row.n if busy else 0))
    return found
