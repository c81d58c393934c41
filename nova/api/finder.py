"""Where things are: servers by uuid, hosts by name, over cells, cell0 and requests that no cell has yet."""

import dataclasses
from collections.abc import Collection
from typing import Any

from oslo_db import exception as db_exc

from nova import errors, objects
from nova.common import dbkit
from nova.objects.instance import FULL

UNREACHABLE = (db_exc.DBConnectionError, db_exc.DBNonExistentDatabase, db_exc.DBNonExistentTable,
               db_exc.CantStartEngineError)
"""What reading a cell raises when its database is away."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A server and where it is.

    Attributes:
        mapping: of its cell; None while no cell has it.
        db: that cell's database; the API database while no cell has it.
    """

    instance: Any
    mapping: Any
    db: dbkit.Database


class CellUnreachable(errors.host.CellDown):
    """A server is there, but its cell cannot be asked about it."""

    def __init__(self, mapping: objects.InstanceMapping) -> None:
        super().__init__()
        self.mapping = mapping


class Finder:
    """Finds things for one process.

    Args:
        dbs: `nova.db.session.Databases`.
    """

    def __init__(self, dbs: Any) -> None:
        self._dbs = dbs

    def find(self, context: Any, uuid: str, needs: Collection[str], deleted: bool = False) -> Found:
        """A server that the caller may know of.

        Args:
            needs: relations to load (names that are no relation of an instance are left to others).
            deleted: a deleted server will do.

        Raises:
            ServerNotFound: there is none, or it is another project's.
            CellUnreachable: 503.
        """
        missing = errors.server.ServerNotFound(server=uuid)
        prefetch = [name for name in needs if name in FULL]
        for _ in range(2):  # the second time because a hand-over to a cell may come in between
            with self._dbs.api.read() as conn:
                mapping = objects.InstanceMapping.find(conn, instance_uuid=uuid)
                if mapping is None or not _visible(context, mapping):
                    raise missing
                if mapping.cell_id is None:
                    request = objects.BuildRequest.find(conn, instance_uuid=uuid)
                    if request is not None:
                        return Found(request.instance, None, self._dbs.api)
                    continue
                cell = objects.CellMapping.get(conn, id=mapping.cell_id)
            return self._in_cell(mapping, cell, prefetch, deleted, missing)
        raise missing

    def _in_cell(self, mapping: Any, cell: Any, prefetch: list[str], deleted: bool,
                 missing: errors.NovaError) -> Found:
        by: dict[str, Any] = {'deleted': None} if deleted else {}
        try:
            db = self._dbs.cell(cell.database_connection)
            with db.read() as conn:
                instance = objects.Instance.find(conn, prefetch, uuid=mapping.instance_uuid, **by)
        except UNREACHABLE:
            raise CellUnreachable(mapping) from None
        if instance is None:
            raise missing
        return Found(instance, cell, db)

    def cells(self) -> list[Any]:
        """Every `CellMapping`, cell0 and disabled ones included, as they are now."""
        with self._dbs.api.read() as conn:
            return objects.CellMapping.all(conn, order=[objects.CellMapping.table.c.id])

    def host_cell(self, host: str) -> tuple[Any, dbkit.Database]:
        """The cell of a host.

        Raises:
            HostMappingNotFound: the host is in no cell.
        """
        with self._dbs.api.read() as conn:
            mapping = objects.HostMapping.get(conn, host=host)
            cell = objects.CellMapping.get(conn, id=mapping.cell_id)
        return cell, self._dbs.cell(cell.database_connection)

    def node_exists(self, host: str | None, node: str | None) -> bool:
        """Whether some cell has this hypervisor (any of the host's when only `host` is given, and so on)."""
        by = {name: value for name, value in (('host', host), ('hypervisor_hostname', node)) if value}
        for cell in self.cells():
            if cell.is_cell0:
                continue
            with self._dbs.cell(cell.database_connection).read() as conn:
                if objects.ComputeNode.all(conn, limit=1, **by):
                    return True
        return False


def _visible(context: Any, mapping: Any) -> bool:
    return context.is_admin or mapping.project_id == context.project_id
