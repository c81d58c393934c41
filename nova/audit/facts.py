"""What is known of servers, in every database, on every host and at every neighbour, at about one moment."""

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from nova import errors, objects
from nova.audit import guests
from nova.cells import Cells
from nova.common import dbkit
from nova.db import tasks
from nova.db.api import models as api
from nova.db.cell import models as cell
from nova.domain import placement_request
from nova.objects import task as rows
from nova.states import VM

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.db.session import Databases

RESTS = frozenset(str(state) for state in (
    VM.ACTIVE, VM.PAUSED, VM.STOPPED, VM.SUSPENDED, VM.RESCUED, VM.RESIZED))
"""States of servers that have a guest on their host."""


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """Whom to ask.

    Attributes:
        ask: asks a host which guests it has; None leaves the hosts alone.
        silence: seconds after which a host that is not heard of is down: it is not asked.
    """

    dbs: 'Databases'
    clients: 'Clients'
    ask: guests.Ask | None = None
    silence: float = 60.0


@dataclasses.dataclass(slots=True)
class Server:
    """What a cell says of a server.

    Attributes:
        cell: name of its cell.
        node: uuid of its compute node; None while it is on no host.
        vcpus, memory_mb: what its flavor stands for.
        attachments: ids of its volume attachments, those that a resize keeps aside included.
    """

    cell: str
    project_id: str
    host: str | None
    node: str | None
    deleted: bool
    vm_state: str | None
    task_state: str | None
    vcpus: int
    memory_mb: int
    attachments: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """A move of a server."""

    server: str
    status: str
    ended: bool
    source: str | None


@dataclasses.dataclass(slots=True)
class Facts:
    """Both sides.

    Attributes:
        servers: by uuid; of a server in several cells (`places` says so) the last.
        places: cells that have a living server's row, by uuid.
        mapped: name of the cell that a server is mapped to, by uuid; None while it is in none.
        building: servers that no cell has yet.
        busy: servers with an open operation.
        moves: consumers that are moves: how far each is, whether that is an end, whose server and from where.
        late: operations that are open long after their time, ``(cell, server, flow, step)``.
        running: operations that a worker has in hand, ``(database, task)``: server, flow, step and worker.
        beats: how often each worker has said that it lives, ``(database, worker)``; where operations are open.
        nodes: host of each compute node, by its uuid.
        allocations: amounts that a consumer holds on a compute node and what is below it, ``(consumer, node)``.
        others: what a server's flavor stands for where it is not what its consumer holds (`_amounts`).
        ports: ``(port, server)`` of every port of a server.
        attachments: ``(attachment, volume, server)`` of every attachment of a volume to a server.
        guests: ``(server, host)`` of every guest of the hosts that answered.
        hosts: these hosts.
        kept: ``(server, host)`` of guests that a move keeps aside, or has still to remove.
        silent: cells, services and hosts that could not be asked.
    """

    servers: dict[str, Server] = dataclasses.field(default_factory=dict)
    places: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    mapped: dict[str, str | None] = dataclasses.field(default_factory=dict)
    building: set[str] = dataclasses.field(default_factory=set)
    busy: set[str] = dataclasses.field(default_factory=set)
    moves: dict[str, Moved] = dataclasses.field(default_factory=dict)
    late: list[tuple[str, str, str, str]] = dataclasses.field(default_factory=list)
    running: dict[tuple[str, str], tuple[str, str, str, str | None]] = dataclasses.field(default_factory=dict)
    beats: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    nodes: dict[str, str] = dataclasses.field(default_factory=dict)
    allocations: dict[tuple[str, str], dict[str, int]] = dataclasses.field(default_factory=dict)
    others: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    ports: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    attachments: set[tuple[str, str, str]] = dataclasses.field(default_factory=set)
    databases: dict[str, dbkit.Database] = dataclasses.field(default_factory=dict)
    guests: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    hosts: set[str] = dataclasses.field(default_factory=set)
    kept: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    silent: set[str] = dataclasses.field(default_factory=set)

    def heard(self, who: str) -> bool:
        """Whether a cell or a service could be asked."""
        return who not in self.silent


COUNTED = ('VCPU', 'MEMORY_MB')
"""Classes of which amounts are compared: a disk may be of a provider that several hosts share."""
ALLOCATIONS, PORTS, VOLUMES = 'The placement service', 'The network service', 'The block storage service'


def gather(deployment: Deployment) -> Facts:
    """Neighbours first: what is made meanwhile is known to a cell by then, or its operation is open.

    Raises:
        oslo_db.exception.DBError: the API database cannot be read.
    """
    seen, dbs, clients, known = Facts(), deployment.dbs, deployment.clients, Cells(deployment.dbs)
    mappings = known.every()
    cells = {mapping.id: mapping.name or mapping.uuid for mapping in mappings}
    for mapping in mappings:
        name = cells[mapping.id]
        seen.databases[name] = known.db(mapping)
        _ask(seen, name, functools.partial(_nodes, seen, name))
    _ask(seen, ALLOCATIONS, lambda: seen.allocations.update(
        ((consumer, node), held) for node in seen.nodes
        for consumer, held in clients.placement.held(node).items()))
    _ask(seen, PORTS, lambda: seen.ports.update(
        (port['id'], port['device_id']) for port in clients.network.ports(None)))
    _ask(seen, VOLUMES, lambda: seen.attachments.update(
        (one['id'], one['volume_id'], one['instance']) for one in clients.volume.every_attachment()
        if one.get('instance')))
    if deployment.ask is not None:
        _guests(seen, deployment, deployment.ask, {cells[mapping.id]: mapping for mapping in mappings})
    with dbs.api.read() as conn:
        table = api.instance_mappings
        for uuid, cell_id in conn.execute(sa.select(table.c.instance_uuid, table.c.cell_id)):
            seen.mapped[uuid] = cells.get(cell_id)
        seen.building = set(conn.scalars(sa.select(api.build_requests.c.instance_uuid)))
        _operations(seen, conn, 'the API database')
    for name in seen.databases:
        if seen.heard(name):
            _ask(seen, name, functools.partial(_cell, seen, name))
    return seen


def _guests(seen: Facts, deployment: Deployment, ask: guests.Ask,
            mappings: dict[str, objects.CellMapping]) -> None:
    """Of every host that lives; one that is down is silent, since its guests may run."""
    for name, mapping in mappings.items():
        if not seen.heard(name) or mapping.is_cell0:
            continue
        with seen.databases[name].read() as conn:
            services = objects.Service.all(conn, binary='nova-compute')
        up = [each.host for each in services if each.is_up(deployment.silence)]
        seen.silent.update(f'Host {each.host}' for each in services if each.host not in up)
        for host, found in guests.of_hosts(ask, mapping, up).items():
            if found is None:
                seen.silent.add(f'Host {host}')
            else:
                seen.hosts.add(host)
                seen.guests.update((uuid, host) for uuid in found)


def _ask(seen: Facts, who: str, question: Callable[[], object]) -> None:
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
                table.c.vm_state, table.c.task_state, table.c.vcpus, table.c.memory_mb)):
            if row.deleted == 0:
                seen.places.setdefault(row.uuid, []).append(name)
            elif row.uuid in seen.servers:
                continue
            seen.servers[row.uuid] = Server(
                name, row.project_id, row.host, row.compute_id, row.deleted != 0, row.vm_state, row.task_state,
                row.vcpus or 0, row.memory_mb or 0)
        devices = cell.block_device_mappings
        for uuid, attachment in conn.execute(sa.select(devices.c.instance_uuid, devices.c.attachment_id).where(
                devices.c.attachment_id.isnot(None))):
            if uuid in seen.servers:
                seen.servers[uuid].attachments.add(attachment)
        _moves(seen, conn)
        _amounts(seen, conn, name)


def _amounts(seen: Facts, conn: sa.Connection, name: str) -> None:
    """Flavors are looked into only where the plain amounts differ: extra specs may say otherwise."""
    def plain(server: Server, held: dict[str, int]) -> bool:
        return (held.get('VCPU', 0), held.get('MEMORY_MB', 0)) == (server.vcpus, server.memory_mb)
    differs = [uuid for (uuid, node), held in seen.allocations.items()
               if uuid in seen.servers and seen.servers[uuid].cell == name and seen.servers[uuid].node == node
               and not seen.servers[uuid].deleted and not plain(seen.servers[uuid], held)]
    for server in objects.Instance.all(
            conn, prefetch=('flavor', 'image_meta', 'block_devices'), uuid=differs) if differs else ():
        wanted = placement_request.amounts_of(server)
        held = seen.allocations[server.uuid, seen.servers[server.uuid].node or '']
        if any(held.get(each, 0) != wanted.get(each, 0) for each in COUNTED):
            seen.others[server.uuid] = {each: wanted[each] for each in COUNTED if each in wanted}


def _moves(seen: Facts, conn: sa.Connection) -> None:
    table = cell.migrations
    for uuid, server, status, source in conn.execute(sa.select(
            table.c.uuid, table.c.instance_uuid, table.c.status, table.c.source_compute)):
        ended = status in objects.Migration.ENDED
        seen.moves[uuid] = Moved(server, status, ended, source)
        if status in ('finished', 'done') and source is not None:
            seen.kept.add((server, source))
    kept = cell.instance_extra
    for uuid, context in conn.execute(sa.select(kept.c.instance_uuid, kept.c.migration_context).where(
            kept.c.migration_context.isnot(None))):
        if uuid in seen.servers and context:
            seen.servers[uuid].attachments.update(objects.Move.from_wire(context).sources.values())


def _operations(seen: Facts, conn: sa.Connection, name: str) -> None:
    table = tasks.tasks
    now = dbkit.now(conn)
    found = conn.execute(sa.select(
        table.c.uuid, table.c.instance_uuid, table.c.flow, table.c.step, table.c.deadline, table.c.status,
        table.c.owner).where(table.c.status.in_(rows.OPEN))).all()
    for row in found:
        if row.instance_uuid is not None:
            seen.busy.add(row.instance_uuid)
        if row.deadline is not None and row.deadline < now:
            seen.late.append((name, row.instance_uuid or '', row.flow, row.step))
        if row.status != rows.QUEUED:
            seen.running[name, row.uuid] = (
                row.instance_uuid or '', row.flow, row.step, row.owner if row.status == rows.RUNNING else None)
    if found:
        workers = tasks.workers
        seen.beats.update({(name, uuid): beat for uuid, beat in conn.execute(
            sa.select(workers.c.uuid, workers.c.beat))})
