"""What the scheduler knows of hosts: a view of each cell, and the aggregates of the deployment.

Views are renewed in the background when they are older than a second, and a request waits for that only
briefly. Whether the host that is chosen is up and enabled is asked anew with the choice. How much room a host
has is not here: Placement's answer to each request says it.
"""

import dataclasses
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from oslo_config import cfg
from oslo_log import log

from nova import objects
from nova.common import clock, threads
from nova.scheduler.cell_hosts import GIVEN_UP, PATIENCE, CellHosts
from nova.scheduler.deployment import Deployment
from nova.scheduler.host_state import Aggregate, HostState

if TYPE_CHECKING:
    from nova.db.session import Databases

LOG = log.getLogger(__name__)

FRESH = 1.0
"""Age in seconds up to which a view is used as it is."""


@dataclasses.dataclass(slots=True)
class View:
    """Hosts and aggregates at one moment.

    Attributes:
        nodes: by compute node uuid; shared, and without what `state` fills in.
        silent: cells that had to be left out.
        when: monotonic time of the oldest part.
    """

    nodes: Mapping[str, HostState]
    silent: list[str]
    when: float
    _deployment: Deployment
    _cells: Mapping[str, CellHosts]

    @property
    def aggregates(self) -> list[Aggregate]:
        return self._deployment.aggregates

    def state(self, uuid: str) -> HostState:
        """A node's state, for one request to change."""
        state = self.nodes[uuid].copy()
        self._cells[state.cell_uuid].describe(state)
        state.aggregates = self._deployment.by_host.get(state.host, ())
        return state


class Hosts:
    """The cached views.

    Args:
        fresh: age up to which a view is used as it is; tests set 0.
    """

    def __init__(self, conf: cfg.ConfigOpts, dbs: 'Databases', fresh: float = FRESH) -> None:
        self._conf, self._dbs, self._fresh = conf, dbs, fresh
        self._cells: dict[str, CellHosts] = {}
        self._deployment: tuple[Deployment, float] | None = None
        self._asked = 0.0
        self._merged: tuple[Sequence[object], dict[str, HostState]] = ([], {})
        self._lock = threads.lock()

    def view(self, fresh: float | None = None, patience: float | None = None) -> View:
        """Hosts as they are, no older than `fresh` seconds where their cells answer.

        Args:
            patience: seconds in which these have to answer; None: as long as each is waited for.
        """
        limit = self._fresh if fresh is None else fresh
        deployment, loaded = self._renewed(limit)
        with self._lock:
            cells = dict(self._cells)
        waiting = {}
        for cell in cells.values():
            seconds = patience or cell.patience
            pending = cell.renew(limit, seconds)
            if pending is not None:
                waiting[pending] = seconds
        if waiting:
            threads.wait(waiting, max(waiting.values()))
        usable = {uuid: cell for uuid, cell in cells.items() if cell.usable()}
        ages = [cell.loaded for cell in usable.values() if cell.loaded is not None]
        return View(self._nodes(deployment, usable.values()), [uuid for uuid in cells if uuid not in usable],
                    min([loaded, *ages]), deployment, cells)

    def _nodes(self, deployment: Deployment, cells: Iterable[CellHosts]) -> dict[str, HostState]:
        """Nodes of the cells whose hosts are mapped to them; made again only when something has changed."""
        cell_of, each = deployment.cell_of, [cell.nodes for cell in cells]
        parts = [cell_of, *each]
        before, merged = self._merged
        if len(before) != len(parts) or not all(map(operator.is_, before, parts)):
            merged = {uuid: state for nodes in each for uuid, state in nodes.items()
                      if cell_of.get(state.host) == state.cell_uuid}
            self._merged = (parts, merged)
        return merged

    def count(self, state: HostState) -> None:
        """A server has been given to a host; the next request shall know."""
        cell = self._cells.get(state.cell_uuid)
        if cell is not None:
            cell.count(state.host)

    def where(self, instance_uuids: Iterable[str]) -> dict[str, str]:
        """Hosts of servers that are on one, by uuid; cells that do not answer are left out."""
        wanted = list(dict.fromkeys(instance_uuids))
        if not wanted:
            return {}
        self.view()
        table = objects.Instance.table
        query = sa.select(table.c.uuid, table.c.host).where(
            table.c.uuid.in_(wanted), table.c.deleted == 0, table.c.host.isnot(None))

        def question(conn: sa.Connection) -> dict[str, str]:
            return {row.uuid: row.host for row in conn.execute(query)}
        with self._lock:
            usable = [cell for cell in self._cells.values() if cell.usable()]
        asked = [cell.ask(question) for cell in usable]
        done, _ = threads.wait(asked, PATIENCE * 4)
        found: dict[str, str] = {}
        for one in done:
            error = one.exception()
            if error is None:
                found.update(one.result())
            else:
                LOG.warning('A cell cannot be asked where servers are: %s', type(error).__name__)
        return found

    def takes_servers(self, cell_uuid: str, hosts: Collection[str]) -> set[str]:
        """Which of a cell's hosts are up and enabled by what it says now; none, where it does not say it soon.

        What an operator was answered holds for the very next request, which a cached view would not see.
        """
        cell = self._cells.get(cell_uuid)
        if cell is None or not cell.usable():
            return set()

        def question(conn: sa.Connection) -> set[str]:
            return {one.host for one in objects.Service.all(conn, host=hosts, binary='nova-compute')
                    if not one.disabled and one.is_up(self._conf.service_down_time)}
        asked = cell.ask(question)
        threads.wait([asked], GIVEN_UP)
        if asked.done() and asked.exception() is None:
            return asked.result()
        LOG.warning('Cell %s does not say which of %d hosts are up; it gets no servers for now', cell.name,
                    len(hosts))
        cell.give_up()
        return set()

    def close(self) -> None:
        """Let the threads go; those that hang are not waited for."""
        with self._lock:
            cells, self._cells = list(self._cells.values()), {}
        for cell in cells:
            cell.close()

    # The API database

    def _renewed(self, limit: float) -> tuple[Deployment, float]:
        """The deployment, and the monotonic time of it. Where it is older than `limit`, one request looks, and
        others that come meanwhile use it still."""
        with self._lock:
            now, known = clock.monotonic(), self._deployment
            if known is not None and (now - known[1] <= limit or 0 < now - self._asked <= limit):
                return known
            self._asked = now
        with self._dbs.api.read() as conn:
            deployment = Deployment.look(conn, known[0] if known else None)
        with self._lock:
            before = self._cells
            self._cells = {mapping.uuid: self._kept(mapping) for mapping in deployment.cells}
            gone = [cell for cell in before.values() if self._cells.get(cell.uuid) is not cell]
            self._deployment = deployment, now
        for cell in gone:
            cell.close()
        return deployment, now

    def _kept(self, mapping: objects.CellMapping) -> CellHosts:
        """The cell as it is known already, unless its database has moved."""
        known = self._cells.get(mapping.uuid)
        if known is not None and known.url == mapping.database_connection:
            return known
        return CellHosts(mapping, self._dbs, self._conf, self._fresh)
