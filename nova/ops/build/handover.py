"""How a new server changes hands, from the API database to a cell.

It takes three moves, so that a crash between any two leaves the server in exactly one place:

(a) its rows and an inert build task go into the cell in one transaction; without a mapping they are invisible;
(b) one compare-and-swap in the API database drops the build request and points the mapping at the cell;
(c) the build task is let go.

Until (b) a DELETE needs nothing but the build request's row: who deletes that row decides. What is left of a
server that was withdrawn is cleared here, by the one task that knows of everything that was made for it. Beyond
(b) the moves are tried again as long as it takes, each server for itself: a cell that is away keeps its own
servers waiting and nobody else's.
"""

import functools
import logging
from collections.abc import Callable, Iterable
from typing import NamedTuple

import sqlalchemy as sa

from nova import objects
from nova.common import dbkit
from nova.domain import bdm
from nova.objects import task as rows
from nova.ops.build import flow as build
from nova.ops.build import wire
from nova.steps import mapping
from nova.task import journal
from nova.task.flow import AnyFlow
from nova.task.handles import Conductor, SuperConductor

LOG = logging.getLogger(__name__)

Order = tuple[wire.Planned, objects.BuildRequest, objects.RequestSpec]
"""A server that is to be made, as it was asked for."""

PENDING, HANDED, WITHDRAWN = 'pending', 'handed', 'withdrawn'


class Standing(NamedTuple):
    """How far a server is: its build request waits, or a cell has it, or its owner deleted it."""

    word: str
    request: objects.BuildRequest | None = None
    mapping: objects.InstanceMapping | None = None


def standing(conn: sa.Connection, uuid: str) -> Standing:
    """Say how far a server is now."""
    request = objects.BuildRequest.find(conn, instance_uuid=uuid)
    if request is not None:
        return Standing(PENDING, request=request)
    found = objects.InstanceMapping.find(conn, instance_uuid=uuid)
    if found is not None and found.cell_id is not None:
        return Standing(HANDED, mapping=found)
    return Standing(WITHDRAWN)


def note_withdrawn(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Leave out from now on whom its owner has deleted meanwhile."""
    with h.api_db.read() as conn:
        for server in state.living():
            server.withdrawn = standing(conn, server.uuid).word == WITHDRAWN


def is_away(error: Exception) -> bool:
    """Whether an error says that a database or a service cannot be used now, so that a repetition may
    succeed."""
    return getattr(error, 'again', False) or dbkit.is_passing(error)


def each(servers: Iterable[wire.Planned], move: Callable[[wire.Planned], None]) -> None:
    """Make a move for every server; who cannot make it now does not keep the others from it.

    Raises:
        Exception: of the first that could not; all have been tried.
    """
    first: Exception | None = None
    for server in servers:
        try:
            move(server)
        except Exception as error:
            if not is_away(error):
                raise
            LOG.warning('Server %s has to wait: %s', server.uuid, type(error).__name__)
            first = first or error
    if first is not None:
        raise first


# (a) ---------------------------------------------------------------------------------------------

def write_cells(h: SuperConductor, state: wire.ScheduleState, flow: type[AnyFlow] = build.Build) -> None:
    """Rows and an inert build task of each server that has a host; those of a cell that is away lose theirs.

    Args:
        flow: the newest build that makes do with what the request has handed on.
    """
    by_cell: dict[str, list[wire.Planned]] = {}
    builds: dict[str, type[AnyFlow]] = {}
    for server in state.placed():
        by_cell.setdefault(server.selections[0].cell_uuid, []).append(server)
    for cell_uuid, servers in by_cell.items():
        orders = orders_of(h, servers)

        def write(conn: sa.Connection, orders: list[Order] = orders, cell_uuid: str = cell_uuid) -> None:
            for server, request, spec in orders:
                create(conn, h, server, request, spec, state, builds[cell_uuid])
        try:
            builds[cell_uuid] = h.fitting(flow, h.cell(cell_uuid))
            _write_to(h, cell_uuid, write)
        except Exception as error:
            if not is_away(error):
                raise
            LOG.warning('Cell %s cannot be written to (%s): its %d servers need other hosts', cell_uuid,
                        type(error).__name__, len(servers))
            for server in servers:
                server.away = [*server.away, cell_uuid]
                server.selections = []


def _write_to(h: SuperConductor, cell_uuid: str, write: Callable[[sa.Connection], None]) -> None:
    """Write to a cell; to where its database is now, if that has moved since this process looked."""
    known = h.cell(cell_uuid)
    try:
        h.cell_db(known).write(write)
    except Exception as error:
        if not is_away(error):
            raise
        now = h.cell(cell_uuid, fresh=True)
        if now.database_connection == known.database_connection:
            raise
        h.cell_db(now).write(write)


def orders_of(h: SuperConductor, servers: Iterable[wire.Planned]) -> list[Order]:
    """The build request and the spec of each server that is still wanted."""
    uuids = [server.uuid for server in servers]
    with h.api_db.read() as conn:
        requests = {each.instance_uuid: each for each in objects.BuildRequest.all(conn, instance_uuid=uuids)}
        specs = objects.RequestSpec.of_instances(conn, uuids)
    return [(server, requests[server.uuid], specs[server.uuid])
            for server in servers if server.uuid in requests]


def create(conn: sa.Connection, h: Conductor, server: wire.Planned, request: objects.BuildRequest,
           spec: objects.RequestSpec, more: wire.ScheduleState | None = None,
           flow: type[AnyFlow] = build.Build) -> rows.Task | None:
    """Rows of one server and its task; nothing when they are there from an earlier attempt.

    Args:
        more: has what the build is to be handed; None for one that will not be done.
        flow: `build.Build`, in the version that everybody in the cell knows.
    """
    if rows.get(conn, server.build) is not None:
        server.revision = -1
        return None
    if server.away:  # an earlier choice may have come here, and its answer been lost
        objects.Instance.purge(conn, server.uuid)
    instance = request.instance.copy()
    instance.create(conn)
    server.revision = request.revision
    return insert_build(conn, h, server, instance, spec, more, flow)


def insert_build(conn: sa.Connection, h: Conductor, server: wire.Planned, instance: objects.Instance,
                 spec: objects.RequestSpec, more: wire.ScheduleState | None = None,
                 flow: type[AnyFlow] = build.Build) -> rows.Task:
    """The server's build task; its parent is the task that hands the server over."""
    state = wire.BuildState(
        selections=server.selections, claimed=True, networks=spec.requested_networks,
        security_groups=spec.security_groups, has_volumes=any(map(bdm.is_volume, instance.block_devices)),
        makes_volumes=any(map(bdm.is_made, instance.block_devices)))
    if more is not None:
        state.files, state.password = more.files, more.password
        state.trust = more.trust
    return journal.insert(conn, flow, state, h.context, instance_uuid=instance.uuid, uuid=server.build,
                          status=rows.INERT, parent=h.task.uuid)


def purge_cells(h: SuperConductor, state: wire.ScheduleState) -> None:
    """Undo of `write_cells`. What a cell that is away may have is invisible, and purged later (`HandOvers`)."""
    for server in state.servers:
        if not server.selections:
            continue
        with h.api_db.read() as conn:
            handed = standing(conn, server.uuid).word == HANDED
        if handed:
            continue
        try:
            _purge(h, server)
        except Exception as error:
            if not is_away(error):
                raise
            LOG.warning('Server %s leaves rows in a cell that is away; they are purged later', server.uuid)


def _purge(h: SuperConductor, server: wire.Planned) -> None:
    """Out of the cell that was chosen for it."""
    db = h.cell_db(h.cell(server.selections[0].cell_uuid))
    db.write(lambda conn: objects.Instance.purge(conn, server.uuid))


# (b) ---------------------------------------------------------------------------------------------

def hand_over(h: SuperConductor, state: wire.ScheduleState) -> None:
    """The cells have the servers, except those whose owner was faster, or changed them just now."""
    cells = {server.uuid: h.cell(server.selections[0].cell_uuid) for server in state.placed()}

    def swap_all(conn: sa.Connection) -> dict[str, str]:
        return {server.uuid: swap(conn, server, cells[server.uuid]) for server in state.placed()}
    words = h.api_db.write(swap_all)
    for server in state.placed():
        server.handed = words[server.uuid] == HANDED
        server.withdrawn = words[server.uuid] == WITHDRAWN


def swap(conn: sa.Connection, server: wire.Planned, cell: objects.CellMapping) -> str:
    """Point the mapping at the cell if the build request is there to be dropped; how far the server is now.

    It is still `PENDING` when it was changed since it was written into the cell.
    """
    if objects.BuildRequest.take(conn, server.uuid, server.revision):
        return HANDED if objects.InstanceMapping.hand_over(conn, server.uuid, cell.id) else WITHDRAWN
    return standing(conn, server.uuid).word


def follow(h: SuperConductor, server: wire.Planned, cell: objects.CellMapping) -> bool:
    """Bring what was changed meanwhile into the cell, until the server can be handed over; whether it was."""
    with h.api_db.read() as conn:
        now = standing(conn, server.uuid)
    while now.request is not None:
        if server.revision != now.request.revision:
            h.cell_db(cell).write(functools.partial(_bring, request=now.request))
            server.revision = now.request.revision
        word = h.api_db.write(lambda conn: swap(conn, server, cell))
        if word != PENDING:
            return word == HANDED
        with h.api_db.read() as conn:
            now = standing(conn, server.uuid)
    return now.word == HANDED


def _bring(conn: sa.Connection, request: objects.BuildRequest) -> None:
    kept = objects.Instance.get(conn, ('metadata', 'tags'), uuid=request.instance_uuid)
    for name in request.ALTERABLE:
        value = getattr(request.instance, name)
        if getattr(kept, name) != value:
            setattr(kept, name, value)
    kept.save(conn)


# (c) ---------------------------------------------------------------------------------------------

def let_go(h: SuperConductor, server: wire.Planned, cell: objects.CellMapping) -> None:
    """Let the server's build begin."""
    h.adopt(cell, server.build)


def clear(h: SuperConductor, server: wire.Planned) -> None:
    """Nothing stays of a server whose owner withdrew it."""
    h.clients.placement.drop(server.uuid)
    if server.selections:
        _purge(h, server)
    h.api_db.write(lambda conn: mapping.erase(conn, server.uuid))
