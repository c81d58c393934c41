"""What the API database says of hosts: the cells, which host is in which, and the aggregates.

There may be ten thousand hosts, but they are mapped and put into aggregates only now and then. So these rows
are read again only where some were added or deleted: none of them is ever changed in place.
"""

import collections
import dataclasses
from typing import Self

import sqlalchemy as sa

from nova import objects
from nova.common import dbkit
from nova.objects.aggregate import HOSTS, METADATA
from nova.scheduler.host_state import Aggregate


def _of(table: dbkit.Table) -> list[sa.ScalarSelect]:
    """How many rows there are, and which is the newest."""
    return [sa.select(what).select_from(table).scalar_subquery()
            for what in (sa.func.count(), sa.func.max(table.c.id), sa.func.max(table.c.created_at))]


_mappings, _aggregates = objects.HostMapping.table, objects.Aggregate.table
_ROWS = sa.select(*_of(_mappings), *_of(HOSTS.table), *_of(METADATA.table))
_NAMES = sa.select(_aggregates.c.id, _aggregates.c.uuid, _aggregates.c.name)
_MAPPED = sa.select(_mappings.c.host, _mappings.c.cell_id)


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """Cells that may get servers, and hosts.

    Attributes:
        cell_of: uuid of its cell by host.
        by_host: the aggregates that a host is in.
    """

    cells: list[objects.CellMapping]
    cell_of: dict[str, str]
    aggregates: list[Aggregate]
    by_host: dict[str, tuple[Aggregate, ...]]
    _rows: tuple[object, ...]

    @classmethod
    def look(cls, conn: sa.Connection, known: Self | None = None) -> Self:
        """As it is now; what is known is good for what has not changed."""
        cells = objects.CellMapping.enabled(conn)
        names = {cell.id: cell.uuid for cell in cells}
        rows = (names, *conn.execute(_ROWS).one(), *map(tuple, conn.execute(_NAMES)))
        if known is not None and known._rows == rows:
            return dataclasses.replace(known, cells=cells)
        cell_of = {row.host: names[row.cell_id] for row in conn.execute(_MAPPED) if row.cell_id in names}
        aggregates = [Aggregate(one.uuid, one.name, frozenset(one.hosts), dict(one.metadata))
                      for one in objects.Aggregate.all(conn)]
        by_host: dict[str, list[Aggregate]] = collections.defaultdict(list)
        for one in aggregates:
            for host in one.hosts:
                by_host[host].append(one)
        return cls(cells, cell_of, aggregates, {host: tuple(many) for host, many in by_host.items()}, rows)
