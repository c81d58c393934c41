"""Listing servers over all cells, as one ordered stream.

First every cell is asked, in parallel, for the sort values and uuids of its next few servers, and the streams
are merged until the page is full. Then only the servers that made it are loaded, at most one statement a cell
and relation. Servers that no cell has yet (build requests) are one more stream.

A server moves from its build request into a cell, and nobody may see it twice or miss it: build requests are
read before the cells, a server that is in both is taken from its cell, and a row in a cell that was never
handed over is not shown.
"""

import dataclasses
import datetime
import heapq
import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import sqlalchemy as sa
from oslo_config import cfg

from nova import errors, states
from nova.common import clock, dbkit
from nova.db import paging
from nova.db.api import models as api_models
from nova.db.cell import instances as listing
from nova.db.cell import models
from nova.db.paging import Key, Rank
from nova.db.session import Databases
from nova.objects.build_request import BuildRequest
from nova.objects.cell_mapping import CellMapping
from nova.objects.instance import Instance
from nova.objects.instance_mapping import InstanceMapping
from nova.objects.service import Service

T = TypeVar('T')
PATIENCE = 0.2
"""Part of ``[api] cell_timeout`` for which a page waits for the other cells once half of them have answered."""
FURTHER = 4
"""Times as many servers as before a cell is asked for once its part of the page is not enough."""
_REQUESTS = 'build requests'
"""Name of the stream of servers that no cell has yet."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stub:
    """All that is known of a server while its cell cannot be reached."""

    uuid: str
    project_id: str
    user_id: str
    created_at: datetime.datetime
    cell: str


@dataclasses.dataclass(slots=True)
class ListResult:
    """A page.

    Attributes:
        rows: `Instance` records in order, with what `prefetch` named.
        stubs: servers of cells that could not be reached; only where they were asked for.
        down_cells: mappings of those cells.
        cells: uuid of a server's cell, by server uuid; build requests have none.
        mappings: of those cells and others, by uuid.
        services: the compute services of the servers' hosts, by host, where `prefetch` names services.
    """

    rows: list[Instance] = dataclasses.field(default_factory=list)
    stubs: list[Stub] = dataclasses.field(default_factory=list)
    down_cells: list[CellMapping] = dataclasses.field(default_factory=list)
    cells: dict[str, str] = dataclasses.field(default_factory=dict)
    mappings: Mapping[str, CellMapping] = dataclasses.field(default_factory=dict)
    services: dict[str, Service] = dataclasses.field(default_factory=dict)


def list_servers(dbs: Databases, conf: cfg.ConfigOpts, filters: Mapping[str, object],
                 sort: listing.Sort = listing.DEFAULT_SORT, limit: int | None = None,
                 marker: str | None = None, prefetch: Collection[str] = (), stubs: bool = False) -> ListResult:
    """One page of servers.

    Args:
        filters: by the API's names, values typed: lists, booleans, naive UTC datetimes, regular expressions.
            ``project_id`` restricts to a project; without it every project's servers are listed. ``deleted``
            is False for living servers (the default), True for deleted ones, None for both. ``status`` takes
            words.
        sort: ``(key, direction)``, most significant first; the uuid decides between equals.
        limit: size of the page; None, or more than ``[api] max_limit``, is that.
        marker: uuid of the server before the page.
        prefetch: relations to load, as for `Instance.find`, and ``services``: those of the servers' hosts;
            other names are ignored.
        stubs: also tell what is known of servers whose cells are down. Only for pages without filters, sort
            order and marker: such servers cannot be judged.

    Raises:
        MarkerNotFound: there is no server `marker`.
        CellDown: the marker's cell cannot be reached; or any cell, while down cells must not be skipped and
            nothing is told of their servers.
        nova.errors.Invalid: a filter or direction that does not exist.
    """
    return _Listing(dbs, conf, filters, sort, limit, marker, prefetch).run(stubs)


class _Listing:
    """One request for a page, and what it has found out so far."""

    def __init__(self, dbs: Databases, conf: cfg.ConfigOpts, filters: Mapping[str, object], sort: listing.Sort,
                 limit: int | None, marker: str | None, prefetch: Collection[str]) -> None:
        self.dbs, self.conf = dbs, conf
        self.filters = listing.normal(filters)
        self.where = listing.conditions(self.filters)
        self.order = listing.keys(sort)
        self.limit = conf.api.max_limit if limit is None else min(limit, conf.api.max_limit)
        self.marker, self.prefetch = marker, prefetch
        self.deadline = clock.Deadline(conf.api.cell_timeout)
        self.first_deadline = clock.Deadline(conf.api.cell_timeout / 2)
        self.requests: dict[str, Instance] = {}
        self.cells: dict[str, CellMapping] = {}
        self.down: dict[str, CellMapping] = {}
        self.seen: set[str] = set()

    def run(self, stubs: bool) -> ListResult:
        result = ListResult()
        start = self._start(self._read_api())
        if self.limit:
            self.requests = self._read_requests(start)
            merged = self._merge(start)
            while missing := self.limit - len(result.rows):
                won = self._winners(merged, missing)
                if not won:
                    break
                result.rows += self._load(won, result)
        result.down_cells, result.mappings = list(self.down.values()), self.cells
        if self.down and stubs:
            result.stubs = self._stubs()
        elif self.down and not self.conf.api.list_records_by_skipping_down_cells:
            raise errors.host.CellDown()
        return result

    # The API database

    def _read_api(self) -> Instance | InstanceMapping | None:
        """Read the cells, and where the marker is: the server itself while no cell has it, else its mapping."""
        with self.dbs.api.read() as conn:
            cells = CellMapping.all(conn, *self._own_cells(), order=[api_models.cell_mappings.c.id])
            self.cells = {cell.uuid: cell for cell in cells}
            if self.marker is None:
                return None
            request = BuildRequest.find(conn, instance_uuid=self.marker)
            return request.instance if request else InstanceMapping.find(conn, instance_uuid=self.marker)

    def _read_requests(self, start: paging.Values | None) -> dict[str, Instance]:
        """As many build requests behind `start` as the page could hold, in order. Read before any cell.

        In the order of time no more of them are read; in other orders all are, but not kept.
        """
        by = {name: self.filters[key] for name, key in (('project_id', 'project_id'), ('instance_uuid', 'uuid'))
              if self.filters.get(key) is not None}
        behind = Rank(self.order, start) if start is not None else None
        first = self.order[0]
        timed = [key.name for key in self.order] == ['created_at', 'uuid'] and (
            self.order[1].descending is first.descending)
        with self.dbs.api.read() as conn:
            found = (one for one in BuildRequest.in_time(
                conn, timed and first.descending, start if timed else None, **by)
                if listing.holds(one.instance, self.filters))
            ranked = ((Rank(self.order, [key.value_of(one.instance) for key in self.order]), one)
                      for one in found)
            fitting = (pair for pair in ranked if behind is None or behind < pair[0])
            chosen = (itertools.islice(fitting, self.limit) if timed
                      else heapq.nsmallest(self.limit, fitting, key=lambda pair: pair[0]))
            return {one.instance_uuid: one.instance for _, one in chosen}

    def _own_cells(self) -> list[sa.ColumnElement[bool]]:
        """Where it pays, only the cells in which the project has servers."""
        project = self.filters.get('project_id')
        if not self.conf.api.instance_list_per_project_cells or not isinstance(project, str):
            return []
        table = api_models.instance_mappings
        return [api_models.cell_mappings.c.id.in_(
            sa.select(table.c.cell_id).where(table.c.project_id == project).distinct())]

    # The marker

    def _start(self, place: Instance | InstanceMapping | None) -> paging.Values | None:
        """The marker's values in the order; None starts at the beginning."""
        if self.marker is None:
            return None
        if isinstance(place, Instance):
            return [key.value_of(place) for key in self.order]
        cell = next((cell for cell in self.cells.values() if place and cell.id == place.cell_id), None)
        if cell is None:
            raise errors.server.MarkerNotFound(marker=self.marker)
        answers = self._ask({cell.uuid: lambda db: _marker_values(db, self.order, self.marker)})
        if cell.uuid not in answers:
            raise errors.host.CellDown()
        values = answers[cell.uuid]
        if values is None:
            raise errors.server.MarkerNotFound(marker=self.marker)
        return values

    # Phase one: who is on the page

    def _merge(self, start: paging.Values | None) -> Iterator[tuple[Rank, str, str]]:
        """``(rank, cell uuid or `_REQUESTS`, server uuid)`` of every stream, in order, lazily."""
        batch = _first_batch(self.limit, len(self.cells))
        question = self._keys_after(start, batch)
        first = self._ask({uuid: question for uuid in self.cells}, self.first_deadline,
                          self.conf.api.cell_timeout * PATIENCE)
        streams = [self._cell_stream(uuid, rows, batch) for uuid, rows in first.items()]
        streams.append(iter(self._request_stream()))
        return heapq.merge(*streams)

    def _keys_after(self, start: paging.Values | None, batch: int
                    ) -> Callable[[dbkit.Database], list[tuple]]:
        query = listing.keys_query(self.where, self.order, start, batch)

        def question(db: dbkit.Database) -> list[tuple]:
            with db.read() as conn:
                return listing.page_of_keys(conn, query)
        return question

    def _cell_stream(self, cell: str, rows: list[tuple], batch: int
                     ) -> Iterator[tuple[Rank, str, str]]:
        width = len(self.order)
        while rows:
            for row in rows:
                yield Rank(self.order, row[:width]), cell, row[-1]
            if len(rows) < batch:
                return
            batch = min(self.limit, batch * FURTHER)
            rows = self._ask({cell: self._keys_after(rows[-1][:width], batch)}).get(cell, [])

    def _request_stream(self) -> list[tuple[Rank, str, str]]:
        return sorted((Rank(self.order, [key.value_of(server) for key in self.order]), _REQUESTS, uuid)
                      for uuid, server in self.requests.items())

    def _winners(self, merged: Iterator[tuple[Rank, str, str]], count: int) -> list[tuple[str, str]]:
        """The next servers: ``(stream, uuid)``, each once."""
        won: dict[str, str] = {}
        for _, source, uuid in merged:
            if uuid in self.seen and won.get(uuid) != _REQUESTS:
                continue
            self.seen.add(uuid)
            won[uuid] = source
            if len(won) == count:
                break
        return [(source, uuid) for uuid, source in won.items()]

    # Phase two: what they are

    def _load(self, won: list[tuple[str, str]], result: ListResult) -> list[Instance]:
        """Load the winners; those that went away or were never handed over are left out.

        A server whose row did not come, because its cell went away in between, is what its build request says.
        """
        by_cell: dict[str, list[str]] = {}
        for source, uuid in won:
            by_cell.setdefault(source, []).append(uuid)
        by_cell.pop(_REQUESTS, None)
        loaded = {uuid: self.requests[uuid] for _, uuid in won if uuid in self.requests}
        answers = self._ask({cell: self._full_rows(uuids) for cell, uuids in by_cell.items()})
        for cell, (rows, services) in answers.items():
            for row in rows:
                loaded[row.uuid] = row
                result.cells[row.uuid] = cell
            result.services.update((service.host, service) for service in services)
        hidden = self._not_handed_over([server for server in loaded.values() if server.uuid in result.cells])
        return [loaded[uuid] for _, uuid in won if uuid in loaded and uuid not in hidden]

    def _full_rows(self, uuids: list[str]) -> Callable[[dbkit.Database], tuple[list[Instance], list[Service]]]:
        def question(db: dbkit.Database) -> tuple[list[Instance], list[Service]]:
            with db.read() as conn:
                rows = Instance.all(conn, *self.where, order=[], prefetch=self.prefetch, deleted=None,
                                    uuid=uuids)
                hosts = {row.host for row in rows if row.host} if 'services' in self.prefetch else set()
                return rows, Service.all(conn, host=hosts, binary='nova-compute') if hosts else []
        return question

    def _not_handed_over(self, rows: list[Instance]) -> set[str]:
        """Those of the servers whose row is in a cell but that are not the cell's yet, or never will be."""
        doubtful = [row.uuid for row in rows if row.vm_state == states.VM.BUILDING and row.launched_at is None
                    and row.host is None and not row.deleted]
        if not doubtful:
            return set()
        table = api_models.instance_mappings
        with self.dbs.api.read() as conn:
            mapped = set(conn.execute(sa.select(table.c.instance_uuid).where(
                table.c.instance_uuid.in_(doubtful), table.c.cell_id.is_not(None))).scalars())
        return {uuid for uuid in doubtful if uuid not in mapped and uuid not in self.requests}

    # Cells

    def _ask(self, questions: Mapping[str, Callable[[dbkit.Database], T]],
             deadline: clock.Deadline | None = None, patience: float | None = None) -> dict[str, T]:
        """Answers of the cells that gave one; the others are down from here on.

        The first question to all cells may use up half of the time only, so that those that answered can still
        be asked for more; once half of the cells have answered, the others have a part of it.
        """
        live = {uuid: question for uuid, question in questions.items() if uuid not in self.down}
        answers = self.dbs.ask(live, self.cells, deadline or self.deadline, patience)
        for error in answers.failed.values():
            raise error
        self.down.update((uuid, self.cells[uuid]) for uuid in answers.down)
        return answers.got

    def _stubs(self) -> list[Stub]:
        table = api_models.instance_mappings
        by_id = {cell.id: cell.uuid for cell in self.down.values()}
        query = sa.select(table).where(table.c.cell_id.in_(list(by_id)), table.c.queued_for_delete.is_(False))
        if 'project_id' in self.filters:
            query = query.where(table.c.project_id == self.filters['project_id'])
        query = query.order_by(table.c.created_at.desc(), table.c.instance_uuid).limit(self.limit)
        with self.dbs.api.read() as conn:
            return [Stub(row.instance_uuid, row.project_id, row.user_id, row.created_at, by_id[row.cell_id])
                    for row in conn.execute(query)]


def _first_batch(limit: int, cells: int) -> int:
    """How many servers each cell is asked for at first: hardly ever fewer than it has on the page.

    Of servers that are spread evenly, a cell has its share of the page, give or take three times the square
    root of that; a cell that has more is asked again. To read more than that costs each page of many cells.
    """
    share = limit / max(1, cells)
    return min(limit, math.ceil(share + 3 * math.sqrt(share)))


def _marker_values(db: dbkit.Database, order: Sequence[Key], uuid: str | None) -> paging.Values | None:
    """A server's values in the order; deleted servers are markers too."""
    with db.read() as conn:
        row = conn.execute(sa.select(*(key.column for key in order))
                           .where(models.instances.c.uuid == uuid)).first()
    return list(row) if row is not None else None
