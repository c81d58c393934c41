"""What is known of servers, in every database and at every neighbour, at about one moment."""

import dataclasses
from typing import Any

import sqlalchemy as sa

from nova import errors, objects
from nova.cmd.manage.command import Env
from nova.common import dbkit
from nova.db import tasks
from nova.db.api import models as api
from nova.db.cell import models as cell
from nova.objects import task as rows


@dataclasses.dataclass(slots=True)
class Server:
    """What a cell says of a server.

    Attributes:
        cell: name of its cell.
        node: uuid of its compute node; None while it is on no host.
        attachments: ids of its volume attachments, those that a resize keeps aside included.
    """

    cell: str
    project_id: str
    host: str | None
    node: str | None
    deleted: bool
    task_state: str | None
    attachments: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(slots=True)
class Facts:
    """Both sides.

    Attributes:
        servers: by uuid; of a server in several cells (`places` says so) the last.
        places: cells that have a living server's row, by uuid.
        mapped: name of the cell that a server is mapped to, by uuid; None while it is in none.
        building: servers that no cell has yet.
        busy: servers with an open operation.
        moves: consumers that are moves, whether they are open, and whose server they move.
        late: operations that are open long after their time, ``(cell, server, flow, step)``.
        allocations: ``(consumer, node)`` of all that is held on compute nodes.
        ports: ``(port, server)`` of every port of a server.
        attachments: ``(attachment, volume, server)`` of every attachment of a volume to a server.
        silent: cells and services that could not be asked.
    """

    servers: dict[str, Server] = dataclasses.field(default_factory=dict)
    places: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    mapped: dict[str, str | None] = dataclasses.field(default_factory=dict)
    building: set[str] = dataclasses.field(default_factory=set)
    busy: set[str] = dataclasses.field(default_factory=set)
    moves: dict[str, tuple[bool, str]] = dataclasses.field(default_factory=dict)
    late: list[tuple[str, str, str, str]] = dataclasses.field(default_factory=list)
    nodes: dict[str, str] = dataclasses.field(default_factory=dict)
    allocations: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    ports: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    attachments: set[tuple[str, str, str]] = dataclasses.field(default_factory=set)
    databases: dict[str, dbkit.Database] = dataclasses.field(default_factory=dict)
    silent: set[str] = dataclasses.field(default_factory=set)

    def heard(self, who: str) -> bool:
        """Whether a cell or a service could be asked."""
        return who not in self.silent


ALLOCATIONS, PORTS, VOLUMES = 'The placement service', 'The network service', 'The block storage service'


def gather(env: Env) -> Facts:
    """Neighbours first: what is made meanwhile is known to a cell by then, or its operation is open.

    Raises:
        oslo_db.exception.DBError: the API database cannot be read.
    """
    seen = Facts()
    with env.dbs.api.read() as conn:
        mappings = objects.CellMapping.all(conn)
    cells = {mapping.id: mapping.name or mapping.uuid for mapping in mappings}
    for mapping in mappings:
        name = cells[mapping.id]
        seen.databases[name] = env.dbs.cell(mapping.database_connection)
        _ask(seen, name, lambda name=name: _nodes(seen, name))
    _ask(seen, ALLOCATIONS, lambda: seen.allocations.update(
        (consumer, node) for node in seen.nodes for consumer in env.clients.placement.holders(node)))
    _ask(seen, PORTS, lambda: seen.ports.update(
        (port['id'], port['device_id']) for port in env.clients.network.ports(None)))
    _ask(seen, VOLUMES, lambda: seen.attachments.update(
        (one['id'], one['volume_id'], one['instance']) for one in env.clients.volume.every_attachment()
        if one.get('instance')))
    with env.dbs.api.read() as conn:
        table = api.instance_mappings
        for uuid, cell_id in conn.execute(sa.select(table.c.instance_uuid, table.c.cell_id)):
            seen.mapped[uuid] = cells.get(cell_id)
        seen.building = set(conn.scalars(sa.select(api.build_requests.c.instance_uuid)))
        _operations(seen, conn, 'the API database')
    for name in seen.databases:
        if seen.heard(name):
            _ask(seen, name, lambda name=name: _cell(seen, name))
    return seen


def _ask(seen: Facts, who: str, question: Any) -> None:
    try:
        question()
    except errors.Unavailable:
        seen.silent.add(who)
    except Exception as error:
        if not dbkit.is_away(error):
            raise
        seen.silent.add(who)


def _nodes(seen: Facts, name: str) -> None:
    table = cell.compute_nodes
    with seen.databases[name].read() as conn:
        seen.nodes.update((row.uuid, row.host) for row in conn.execute(sa.select(table.c.uuid, table.c.host)))


def _cell(seen: Facts, name: str) -> None:
    with seen.databases[name].read() as conn:
        _operations(seen, conn, name)
        table = cell.instances
        for row in conn.execute(sa.select(
                table.c.uuid, table.c.project_id, table.c.host, table.c.compute_id, table.c.deleted,
                table.c.task_state)):
            if row.deleted == 0:
                seen.places.setdefault(row.uuid, []).append(name)
            elif row.uuid in seen.servers:
                continue
            seen.servers[row.uuid] = Server(
                name, row.project_id, row.host, row.compute_id, row.deleted != 0, row.task_state)
        devices = cell.block_device_mappings
        for uuid, attachment in conn.execute(sa.select(devices.c.instance_uuid, devices.c.attachment_id).where(
                devices.c.attachment_id.isnot(None))):
            if uuid in seen.servers:
                seen.servers[uuid].attachments.add(attachment)
        _moves(seen, conn)


def _moves(seen: Facts, conn: sa.Connection) -> None:
    table = cell.migrations
    open_ones = objects.Migration.open()
    for uuid, server, is_open in conn.execute(sa.select(table.c.uuid, table.c.instance_uuid, open_ones)):
        seen.moves[uuid] = (bool(is_open), server)
    kept = cell.instance_extra
    for uuid, context in conn.execute(sa.select(kept.c.instance_uuid, kept.c.migration_context).where(
            kept.c.migration_context.isnot(None))):
        if uuid in seen.servers and context:
            seen.servers[uuid].attachments.update(objects.Move.from_wire(context).sources.values())


def _operations(seen: Facts, conn: sa.Connection, name: str) -> None:
    table = tasks.tasks
    now = dbkit.now(conn)
    for uuid, flow, step, deadline in conn.execute(sa.select(
            table.c.instance_uuid, table.c.flow, table.c.step, table.c.deadline).where(
            table.c.status.in_(rows.OPEN))):
        if uuid is not None:
            seen.busy.add(uuid)
        if deadline is not None and deadline < now:
            seen.late.append((name, uuid or '', flow, step))
