"""The super-conductor's half of a build: choose hosts, write the servers into their cells, hand them over.

A server changes hands in three moves, so that a crash between any two leaves it in exactly one place:

(a) its rows and an inert build task go into the cell in one transaction; without a mapping they are invisible;
(b) one compare-and-swap in the API database drops the build request and points the mapping at the cell;
(c) the build task is let go.

Until (b) a DELETE needs nothing but the build request's row: who deletes that row decides. What is left of a
server that was withdrawn is cleared here, by the one task that knows of everything that was made for it.
"""

import logging
from collections.abc import Iterable
from typing import Any

from oslo_db import exception as db_exc

from nova import errors, objects, states
from nova.common import clock
from nova.domain import bdm
from nova.objects import purge
from nova.objects import task as rows
from nova.ops.build import flow as build
from nova.ops.build import wire
from nova.steps import mapping
from nova.task import journal
from nova.task.flow import SHARING, Flow, Step

LOG = logging.getLogger(__name__)

PENDING, HANDED, WITHDRAWN = 'pending', 'handed', 'withdrawn'


def choose_hosts(h: Any, state: wire.ScheduleState) -> None:
    """A host and alternates for every server, claimed in Placement; all of them or none."""
    _note_withdrawn(h, state)
    living = state.living()
    if not living:
        return
    with h.api_db.read() as conn:
        spec = objects.RequestSpec.get(conn, instance_uuid=living[0].uuid)
    spec.num_instances = len(living)
    answer = h.scheduler.select(h.context, objects.SelectRequest(
        spec=spec, instance_uuids=[server.uuid for server in living]))
    chosen = {choice.instance_uuid: choice.selections for choice in answer.choices}
    if not all(chosen.get(server.uuid) for server in living):
        raise errors.placement.NoValidHost(reason=answer.reason, why=answer.explain)
    for server in living:
        server.selections = chosen[server.uuid]


def _note_withdrawn(h: Any, state: wire.ScheduleState) -> None:
    with h.api_db.read() as conn:
        for server in state.living():
            server.withdrawn = standing(conn, server.uuid)[0] == WITHDRAWN


def standing(conn: Any, uuid: str) -> tuple[str, Any]:
    """How far a server is: its build request waits, or a cell has it, or its owner deleted it.

    Returns:
        ``(PENDING, BuildRequest)``, ``(HANDED, InstanceMapping)`` or ``(WITHDRAWN, None)``.
    """
    request = objects.BuildRequest.find(conn, instance_uuid=uuid)
    if request is not None:
        return PENDING, request
    found = objects.InstanceMapping.find(conn, instance_uuid=uuid)
    if found is not None and found.cell_id is not None:
        return HANDED, found
    return WITHDRAWN, None


# (a) ---------------------------------------------------------------------------------------------

def write_cells(h: Any, state: wire.ScheduleState) -> None:
    """Each server's rows and its inert build task, in the cell of its host."""
    by_cell: dict[str, list[wire.Planned]] = {}
    for server in state.living():
        by_cell.setdefault(server.selections[0].cell_uuid, []).append(server)
    for cell_uuid, servers in by_cell.items():
        orders = _orders(h, servers)

        def write(conn: Any, orders: Any = orders) -> None:
            for server, request, spec in orders:
                _plant(conn, h, server, request, spec, state)
        h.cell_db(h.cell(cell_uuid)).write(write)


def _orders(h: Any, servers: Iterable[wire.Planned]) -> list[tuple[wire.Planned, Any, Any]]:
    """The build request and the spec of each server that is still wanted."""
    uuids = [server.uuid for server in servers]
    with h.api_db.read() as conn:
        requests = {each.instance_uuid: each for each in objects.BuildRequest.all(conn, instance_uuid=uuids)}
        specs = objects.RequestSpec.of_instances(conn, uuids)
    return [(server, requests[server.uuid], specs[server.uuid])
            for server in servers if server.uuid in requests]


def _plant(conn: Any, h: Any, server: wire.Planned, request: Any, spec: Any,
           more: wire.ScheduleState | None = None) -> Any:
    """Rows of one server and its task; nothing when they are there from an earlier attempt.

    Args:
        more: has what the build is to be handed; None for one that will not be done.
    """
    if rows.get(conn, server.build) is not None:
        server.revision = -1
        return None
    instance = request.instance.copy()
    instance.create(conn)
    server.revision = request.revision
    state = wire.BuildState(
        selections=server.selections, claimed=True, networks=spec.requested_networks,
        security_groups=spec.security_groups, has_volumes=any(map(bdm.is_volume, instance.block_devices)),
        makes_volumes=any(map(bdm.is_made, instance.block_devices)))
    if more is not None:
        state.files = more.files
        state.trust = more.trust if state.makes_volumes else None
    return journal.insert(conn, build.Build, state, h.context, instance_uuid=instance.uuid, uuid=server.build,
                          status=rows.INERT)


def unplant(h: Any, state: wire.ScheduleState) -> None:
    """Undo of `write_cells`. A cell that cannot be reached keeps its invisible rows until `sweep` comes by."""
    for server in state.servers:
        if not server.selections:
            continue
        with h.api_db.read() as conn:
            handed = standing(conn, server.uuid)[0] == HANDED
        if handed:
            continue
        try:
            _uproot_from(h, server)
        except db_exc.DBError:
            LOG.warning('Server %s leaves rows in a cell that is out of reach; they will be swept', server.uuid)


def uproot(conn: Any, uuid: str) -> None:
    """Take a server that was never handed over out of a cell."""
    purge.instance(conn, uuid)


def _uproot_from(h: Any, server: wire.Planned) -> None:
    """Out of the cell that was chosen for it."""
    h.cell_db(h.cell(server.selections[0].cell_uuid)).write(lambda conn: uproot(conn, server.uuid))


# (b) ---------------------------------------------------------------------------------------------

def hand_over(h: Any, state: wire.ScheduleState) -> None:
    """The cells have the servers, except those whose owner was faster."""
    cells = {server.uuid: h.cell(server.selections[0].cell_uuid) for server in state.living()}

    def swap(conn: Any) -> dict[str, bool | None]:
        return {server.uuid: _swap(conn, server, cells[server.uuid]) for server in state.living()}
    handed = h.api_db.write(swap)
    for server in state.living():
        server.withdrawn = not _follow(h, server, cells[server.uuid], handed[server.uuid])


def _swap(conn: Any, server: wire.Planned, cell: Any) -> bool | None:
    """Point the mapping at the cell if the build request is there to be dropped.

    Returns:
        Whether a cell has the server; None when it was changed since it was written into one.
    """
    if objects.BuildRequest.take(conn, server.uuid, server.revision):
        return objects.InstanceMapping.hand_over(conn, server.uuid, cell.id)
    word = standing(conn, server.uuid)[0]
    return None if word == PENDING else word == HANDED


def _follow(h: Any, server: wire.Planned, cell: Any, handed: bool | None) -> bool:
    """Bring what was changed meanwhile into the cell, until the server can be handed over; whether it was."""
    while handed is None:
        with h.api_db.read() as conn:
            request = objects.BuildRequest.find(conn, instance_uuid=server.uuid)
        if request is not None:
            h.cell_db(cell).write(lambda conn, request=request: _bring(conn, request))
            server.revision = request.revision
        handed = h.api_db.write(lambda conn: _swap(conn, server, cell))
    return handed


def _bring(conn: Any, request: Any) -> None:
    kept = objects.Instance.get(conn, ('metadata', 'tags'), uuid=request.instance_uuid)
    for name in request.ALTERABLE:
        value = getattr(request.instance, name)
        if getattr(kept, name) != value:
            setattr(kept, name, value)
    kept.save(conn)


# (c) ---------------------------------------------------------------------------------------------

def activate(h: Any, state: wire.ScheduleState) -> None:
    """Let the builds go, and clear what was made for servers that are not wanted any more."""
    for server in state.servers:
        if server.withdrawn:
            _clear(h, server)
        else:
            _let_go(h, server, h.cell(server.selections[0].cell_uuid))


def _let_go(h: Any, server: wire.Planned, cell: Any) -> None:
    h.adopt(cell, server.build)


def _clear(h: Any, server: wire.Planned) -> None:
    """Nothing stays of a server whose owner withdrew it."""
    h.clients.placement.drop(server.uuid)
    if server.selections:
        _uproot_from(h, server)
    h.api_db.write(lambda conn: mapping.erase(conn, server.uuid))


# No host -----------------------------------------------------------------------------------------

def bury(h: Any, state: wire.ScheduleState) -> None:
    """Undo of the choice: no claim is left, and the servers lie in cell0 with the reason why.

    A server that a cell has nevertheless (the answer of the hand-over was lost) is let go there.
    """
    cell0 = next(cell for cell in h.cells() if cell.is_cell0)
    for server in state.servers:
        with h.api_db.read() as conn:
            word, found = standing(conn, server.uuid)
        if word == PENDING:
            _bury(h, server, cell0)
        elif word == WITHDRAWN:
            _clear(h, server)
        elif found.cell_id != cell0.id:
            _let_go(h, server, next(cell for cell in h.cells() if cell.id == found.cell_id))


def _bury(h: Any, server: wire.Planned, cell0: Any) -> None:
    h.clients.placement.drop(server.uuid)
    db = h.cell_db(cell0)
    for _, request, spec in _orders(h, [server]):
        request.instance.vm_state, request.instance.task_state = str(states.VM.ERROR), None

        def write(conn: Any, request: Any = request, spec: Any = spec) -> None:
            task = _plant(conn, h, server, request, spec)
            if task is not None:
                _end_failed(conn, h, task)
        db.write(write)
    if not _follow(h, server, cell0, h.api_db.write(lambda conn: _swap(conn, server, cell0))):
        db.write(lambda conn: uproot(conn, server.uuid))
        _clear(h, server)


def _end_failed(conn: Any, h: Any, task: rows.Task) -> None:
    """The server's `create` is a task that has failed already, for the reason for which this one did."""
    reason = h.task.error or {}
    note = rows.Note(choose_hosts.__name__, 'do', 1, 'failed', detail=reason.get('message'),
                     started_at=h.task.created_at)
    rows.save(conn, task, note, status=rows.UNDONE, exclusive=None, step=None, finished_at=clock.utcnow(),
              error=reason or None)


class Schedule(Flow):
    """All servers of one request; has no server of its own, so a DELETE never waits for it."""

    name = 'schedule'
    State = wire.ScheduleState
    exclusion = SHARING
    steps = (
        Step(choose_hosts, undo=bury, at='super'),
        Step(write_cells, undo=unplant, at='super'),
        Step(hand_over, at='super', pivot=True),
        Step(activate, at='super'),
    )
