"""Where things are: servers by uuid, hosts by name, over cells, cell0 and requests that no cell has yet."""

import dataclasses
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

from nova import errors, objects
from nova.common import clock, dbkit
from nova.context import RequestContext
from nova.objects.instance import FULL

if TYPE_CHECKING:
    from nova.db.session import Databases

T = TypeVar('T')


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
    """Finds things for one process.

    Args:
        dbs: leave out cells that do not answer.
        timeout: seconds for a cell's answer.
    """

    def __init__(self, dbs: 'Databases', timeout: float) -> None:
        self._dbs, self._timeout = dbs, timeout

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

    def _in_cell(self, mapping: objects.InstanceMapping, cell: objects.CellMapping, prefetch: list[str],
                 deleted: bool, missing: errors.NovaError) -> Found:
        by: dict[str, None] = {'deleted': None} if deleted else {}

        def read(db: dbkit.Database) -> objects.Instance | None:
            with db.read() as conn:
                return objects.Instance.find(conn, prefetch, uuid=mapping.instance_uuid, **by)
        try:
            instance = self.ask(cell, read)
        except errors.host.CellDown:
            raise CellUnreachable(mapping) from None
        if instance is None:
            raise missing
        return Found(instance, cell, self._dbs.cell(cell.database_connection))

    def ask(self, cell: objects.CellMapping, question: Callable[[dbkit.Database], T]) -> T:
        """One cell's answer, within this process's time.

        Raises:
            nova.errors.host.CellDown: 503.
            whatever the question itself raises.
        """
        answers = self._dbs.ask({cell.uuid: question}, {cell.uuid: cell}, clock.Deadline(self._timeout))
        for error in answers.failed.values():
            raise error
        if cell.uuid not in answers.got:
            raise errors.host.CellDown()
        return answers.got[cell.uuid]

    def cells(self) -> list[objects.CellMapping]:
        """Every cell, cell0 and disabled ones included, as they are now."""
        with self._dbs.api.read() as conn:
            return objects.CellMapping.all(conn, order=[objects.CellMapping.table.c.id])

    def host_cell(self, host: str) -> tuple[objects.CellMapping, dbkit.Database]:
        """The cell of a host.

        Raises:
            HostMappingNotFound: the host is in no cell.
        """
        with self._dbs.api.read() as conn:
            mapping = objects.HostMapping.get(conn, host=host)
            cell = objects.CellMapping.get(conn, id=mapping.cell_id)
        return cell, self._dbs.cell(cell.database_connection)

    def node_exists(self, host: str | None, node: str | None) -> bool:
        """Whether some cell has this hypervisor (any of the host's when only `host` is given, and so on).

        Raises:
            nova.errors.host.CellDown: none that answers has it, but one that is down may.
        """
        by = {name: value for name, value in (('host', host), ('hypervisor_hostname', node)) if value}

        def read(db: dbkit.Database) -> bool:
            with db.read() as conn:
                return bool(objects.ComputeNode.all(conn, limit=1, **by))
        cells = {cell.uuid: cell for cell in self.cells() if not cell.is_cell0}
        answers = self._dbs.ask(dict.fromkeys(cells, read), cells, clock.Deadline(self._timeout))
        for error in answers.failed.values():
            raise error
        if not any(answers.got.values()) and answers.down:
            raise errors.host.CellDown()
        return any(answers.got.values())


def _visible(context: RequestContext, mapping: objects.InstanceMapping) -> bool:
    return context.is_admin or mapping.project_id == context.project_id
