"""Where a server is: in a cell, in cell0, or in a request that no cell has yet."""

import dataclasses
from collections.abc import Collection

import sqlalchemy as sa

from nova import errors, objects
from nova.cells import Cells
from nova.common import dbkit
from nova.context import RequestContext


@dataclasses.dataclass(frozen=True)
class Found:
    """A server and where it is.

    Attributes:
        mapping: of its cell; None while no cell has it.
        db: that cell's database; the API database while no cell has it.
    """

    instance: objects.Instance
    mapping: objects.CellMapping | None
    db: dbkit.Database


class CellUnreachable(errors.host.CellDown):
    """A server is there, but its cell cannot be asked about it."""

    def __init__(self, mapping: objects.InstanceMapping) -> None:
        super().__init__()
        self.mapping = mapping


class Finder:
    """Finds servers by uuid, for one process."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def find(self, context: RequestContext, uuid: str, needs: Collection[str], deleted: bool = False) -> Found:
        """A server that the caller may know of.

        Args:
            needs: relations to load (names that are no relation of an instance are left to others).
            deleted: a deleted server will do.

        Raises:
            ServerNotFound: there is none, or it is another project's.
            CellUnreachable: 503.
        """
        missing = errors.server.ServerNotFound(server=uuid)
        for _ in range(2):  # the second time because a hand-over to a cell may come in between
            with self._cells.api_db.read() as conn:
                mapping = objects.InstanceMapping.find(conn, instance_uuid=uuid)
                if mapping is None or not _visible(context, mapping):
                    raise missing
                if mapping.cell_id is None:
                    request = objects.BuildRequest.find(conn, instance_uuid=uuid)
                    if request is not None:
                        return Found(request.instance, None, self._cells.api_db)
                    continue
                cell = objects.CellMapping.get(conn, id=mapping.cell_id)
            return self._in_cell(mapping, cell, needs, deleted, missing)
        raise missing

    def _in_cell(self, mapping: objects.InstanceMapping, cell: objects.CellMapping, needs: Collection[str],
                 deleted: bool, missing: errors.NovaError) -> Found:
        by: dict[str, None] = {'deleted': None} if deleted else {}

        def read(conn: sa.Connection) -> objects.Instance | None:
            return objects.Instance.find(conn, needs, uuid=mapping.instance_uuid, **by)
        try:
            instance = self._cells.ask_one(cell, read)
        except errors.host.CellDown:
            raise CellUnreachable(mapping) from None
        if instance is None:
            raise missing
        return Found(instance, cell, self._cells.db(cell))


def _visible(context: RequestContext, mapping: objects.InstanceMapping) -> bool:
    return context.is_admin or mapping.project_id == context.project_id
