"""Hosts and the cells they are in."""

import datetime
from collections.abc import Iterable

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.api import models
from nova.db.cell import models as models_of_cell
from nova.objects import fields, statements
from nova.objects.cell_mapping import CellMapping
from nova.objects.compute_node import ComputeNode
from nova.objects.persistent import Persistent
from nova.objects.service import Service


class HostMapping(Persistent):
    table = models.host_mappings
    key = ('host',)
    missing, fact = errors.host.HostMappingNotFound, 'host'

    id: fields.Late[int] = fields.NOT_YET
    cell_id: int
    host: str
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


    @classmethod
    def add(cls, conn: sa.Connection, cell: CellMapping, hosts: Iterable[str]) -> None:
        """Map hosts that are not mapped, however many there are, by few statements."""
        for part in dbkit.parts({'cell_id': cell.id, 'host': host} for host in hosts):
            conn.execute(statements.insert(cls.table), part)


def discover(api: dbkit.Database, cell_db: dbkit.Database, cell: CellMapping, by_service: bool = False
             ) -> list[str]:
    """Map the hosts of a cell that are not mapped yet; returns their names.

    Args:
        by_service: look for compute services instead of nodes; for drivers whose nodes come later.

    Raises:
        nova.errors.Conflict: a host of this name is mapped to another cell.
    """
    with cell_db.read() as conn:
        if by_service:
            hosts = {service.host for service in Service.all(conn, binary='nova-compute')}
        else:
            hosts = {host for _, host in ComputeNode.unmapped(conn)}

    def write(conn: sa.Connection) -> list[str]:
        known = {mapping.host: mapping.cell_id for mapping in HostMapping.all(conn, host=sorted(hosts))}
        for host, cell_id in known.items():
            if cell_id != cell.id:
                raise errors.Conflict(f"Host '{host}' is mapped to another cell already.")
        fresh = sorted(hosts - set(known))
        HostMapping.add(conn, cell, fresh)
        return fresh

    if not hosts:
        return []
    mapped = api.write(write)
    table = models_of_cell.compute_nodes
    cell_db.write(lambda conn: conn.execute(
        table.update().where(table.c.host.in_(sorted(hosts))).values(
            mapped=True, updated_at=table.c.updated_at)))
    return mapped
