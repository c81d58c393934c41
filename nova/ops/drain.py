"""A host is emptied for maintenance: it is disabled, and its servers are moved to others.

Each move is a task of its own, a child of this one; so many at a time as was asked for. What is known of them
is read from their rows, so a worker that dies takes nothing with it. A server that cannot be moved, or whose
move fails, stays, and the reason is kept; then the host is drained partly.

The host stays disabled until an operator returns it (`nova.cmd.manage.host`), or aborts this.
"""

import contextlib
import dataclasses

import sqlalchemy as sa

from nova import context, errors, objects, states
from nova.common import uuids
from nova.objects import base, fields, task_lists
from nova.objects import move as kinds
from nova.objects import task as rows
from nova.states import VM
from nova.steps import moves
from nova.task import flow as flows
from nova.task import journal, notify
from nova.task.flow import SHARING, Flow, Step, Wait
from nova.task.guard import From
from nova.task.handles import Conductor

LIVE, COLD, CONFIRM = 'live_migrate', 'migrate', 'confirm_resize'
_WEEK = 7 * 24 * 3600.0
REASON = 'drained for maintenance'


class DrainState(base.State):
    """
    Attributes:
        host: the one that is emptied.
        at_once: most moves at the same time.
        cold: running servers are stopped for it, and moved cold.
        reason: why, as ``disabled_reason`` shows it.
        was_disabled: it was before.
        moved: servers that have left, once it has ended.
        left: why the others stay, by server.
    """

    host: str
    at_once: int = 2
    cold: bool = False
    reason: str = REASON
    was_disabled: bool = False
    moved: list[str] = []
    left: fields.Json = {}


def disable_host(h: Conductor, state: DrainState) -> None:
    """Disable the host for new servers; it hears of that with its next sign of life."""
    def write(conn: sa.Connection) -> None:
        service = _service(conn, state.host)
        state.was_disabled = service.disabled and service.disabled_reason != state.reason
        _set(conn, service, True, service.disabled_reason if state.was_disabled else state.reason)
    h.db.write(write)


def enable_again(h: Conductor, state: DrainState) -> None:
    """Undo of `disable_host`: enable the host, unless it was disabled before."""
    def write(conn: sa.Connection) -> None:
        service = _service(conn, state.host)
        if service.disabled and service.disabled_reason == state.reason and not state.was_disabled:
            _set(conn, service, False, None)
    with contextlib.suppress(errors.host.ServiceNotFound):
        h.db.write(write)


def _service(conn: sa.Connection, host: str) -> objects.Service:
    return objects.Service.get(conn, host=host, binary='nova-compute')


def _set(conn: sa.Connection, service: objects.Service, disabled: bool, reason: str | None) -> None:
    service.disabled, service.disabled_reason = disabled, reason
    if service.save(conn):
        notify.of_service(conn, 'update', service)


@dataclasses.dataclass(slots=True)
class Seen:
    """What has become of the servers of a host.

    Attributes:
        moving: those that are on their way, or being confirmed elsewhere.
        moved: those that have left.
        waiting: those that are still to leave.
        arrived: those that were moved cold, and that is still to be confirmed.
        left: why the others stay, by uuid.
    """

    moving: list[str] = dataclasses.field(default_factory=list)
    moved: list[str] = dataclasses.field(default_factory=list)
    waiting: list[objects.Instance] = dataclasses.field(default_factory=list)
    arrived: list[objects.Instance] = dataclasses.field(default_factory=list)
    left: dict[str, str] = dataclasses.field(default_factory=dict)


def look(conn: sa.Connection, task: str, host: str) -> Seen:
    """How far a drain is: all of it is read from the tasks that are its children, and from the servers."""
    newest = {child.instance_uuid or '': child for child in task_lists.children(conn, task)}
    here = {server.uuid: server for server in objects.Instance.all(conn, prefetch=(), host=host)}
    cold = [uuid for uuid, child in newest.items() if child.flow == COLD and child.status == rows.DONE]
    resized = {server.uuid: server for server in objects.Instance.all(
        conn, prefetch=(), uuid=cold, vm_state=str(VM.RESIZED))} if cold else {}
    seen = Seen()
    for uuid, child in newest.items():
        if not child.ended:
            seen.moving.append(uuid)
        elif uuid in resized and uuid not in here:
            seen.arrived.append(resized[uuid])
        elif uuid in here:
            seen.left[uuid] = (child.error or {}).get('message') or (
                'It has come back.' if child.status == rows.DONE else 'Its move was aborted.')
        elif child.status == rows.DONE:
            seen.moved.append(uuid)
    for uuid, server in here.items():
        if uuid in newest:
            continue
        why = _obstacle(server)
        if why is None:
            seen.waiting.append(server)
        else:
            seen.left[uuid] = why
    return seen


MOVES = {VM.ACTIVE: LIVE, VM.PAUSED: LIVE, VM.STOPPED: COLD}


def _obstacle(server: objects.Instance) -> str | None:
    """Why a server cannot be moved as it is; None when it can, or something is being done to it."""
    if server.task_state is not None or VM(server.vm_state) in MOVES:
        return None
    if server.vm_state == VM.RESIZED:
        return 'A resize or migration of it waits to be confirmed or reverted.'
    return f'A server that is {server.vm_state} cannot be moved.'


def servers_moved(h: Conductor, state: DrainState) -> bool:
    """Whether no server is left that might leave. Whoever owns the task has more of them begin.

    Asked while nobody owns the task, its first write finds the fence closed; then the task is taken in hand.
    """
    with h.db.read() as conn:
        seen = look(conn, h.task.uuid, state.host)
    room = max(state.at_once - len(seen.moving), 0)
    leave = [server.uuid for server in seen.waiting if server.task_state is None][:room]
    confirm = [server.uuid for server in seen.arrived if server.task_state is None]

    def write(conn: sa.Connection) -> None:
        for uuid in confirm:
            with contextlib.suppress(errors.Conflict, errors.NotFound):  # its user is quicker, or it is gone
                _confirm(conn, h, uuid)
        for uuid in leave:
            with contextlib.suppress(errors.Conflict, errors.NotFound):  # it is busy, and looked at again
                _move(conn, h, state, uuid)
    if leave or confirm:
        h.db.write(write)
        return False
    state.moved, state.left = seen.moved, seen.left
    return not (seen.moving or seen.waiting or seen.arrived)


def _move(conn: sa.Connection, h: Conductor, state: DrainState, uuid: str) -> str:
    """Begin to move a server; uuid of the task.

    Raises:
        errors.Conflict, errors.NotFound: it is busy, something else by now, or gone.
    """
    server = objects.Instance.get(conn, uuid=uuid)
    vm_state = VM(server.vm_state)
    if server.host != state.host or vm_state not in MOVES:
        raise errors.task.Occupied(server=uuid)
    name = COLD if state.cold and vm_state == VM.ACTIVE else MOVES[vm_state]
    made: objects.Move
    if name == LIVE:
        made = moves.started(server, kinds.LIVE, objects.LiveMove, migration=uuids.generate(),
                             ignored=[state.host])
    else:
        made = moves.started(server, kinds.MIGRATION, objects.Move, migration=uuids.generate(),
                             runs=vm_state == VM.ACTIVE, ignored=[state.host])
    return _child(conn, h, name, made, uuid, From(vm_state, host=True))


def _confirm(conn: sa.Connection, h: Conductor, uuid: str) -> str:
    """Begin to confirm a cold migration; uuid of the task."""
    server = objects.Instance.get(conn, uuid=uuid)
    if server.migration_context is None:
        raise errors.task.Occupied(server=uuid)
    return _child(conn, h, CONFIRM, objects.Move.from_wire(server.migration_context), uuid, From(VM.RESIZED))


def _child(conn: sa.Connection, h: Conductor, name: str, state: base.State, uuid: str, start: From) -> str:
    def still(conn: sa.Connection) -> objects.Instance:
        now = objects.Instance.get(conn, uuid=uuid)
        start.check(now, name)
        return now
    with conn.begin_nested():
        return journal.insert(conn, flows.find(name), state, h.context, instance_uuid=uuid, guard=still,
                              parent=h.task.uuid).uuid


def stop_moves(h: Conductor, state: DrainState) -> None:
    """Undo of `servers_moved`: no move goes on; those that have come too far end as they would have.

    Raises:
        MovesGoOn: they have not ended yet.
    """
    def abort(conn: sa.Connection) -> list[str]:
        going_on = [child for child in task_lists.children(conn, h.task.uuid) if not child.ended]
        for child in going_on:
            if child.flow != CONFIRM:  # which can only be finished
                rows.tell(conn, child.uuid, states.Signal.ABORT)
        return [child.instance_uuid or '' for child in going_on]
    going_on = h.db.write(abort)
    if going_on:
        raise errors.task.MovesGoOn(servers=', '.join(going_on))
    with h.db.read() as conn:
        seen = look(conn, h.task.uuid, state.host)
    state.moved, state.left = seen.moved, {
        **seen.left, **{server.uuid: 'It was not begun with.' for server in seen.waiting}}


class Drain(Flow[DrainState]):
    action = 'drain'
    exclusion = SHARING
    deadline = _WEEK
    steps = (
        Step(disable_host, undo=enable_again),
        Wait(servers_moved, undo=stop_moves, timeout=_WEEK),
    )


# Who asks for it ---------------------------------------------------------------------------------

def of_host(conn: sa.Connection, host: str) -> list[tuple[rows.Task, DrainState]]:
    """The drains of a host that are kept, the newest first."""
    found = ((task, base.State.from_wire(task.state)) for task in task_lists.of_flow(conn, Drain.name))
    return [(task, state) for task, state in found if isinstance(state, DrainState) and state.host == host]


def begin(conn: sa.Connection, state: DrainState) -> rows.Task:
    """Begin to drain a host, in the caller's transaction.

    Raises:
        errors.host.ServiceNotFound: there is no such host in this cell.
        errors.task.DrainGoesOn: somebody drains it already.
    """
    objects.hold(conn, objects.Service, host=state.host, binary='nova-compute')
    _service(conn, state.host)
    for task, _ in of_host(conn, state.host):
        if not task.ended:
            raise errors.task.DrainGoesOn(host=state.host, task=task.uuid)
    return journal.insert(conn, Drain, state, context.admin())


def enable(conn: sa.Connection, host: str) -> bool:
    """Let servers come to a host again, in the caller's transaction; False when it was enabled.

    Raises:
        errors.host.ServiceNotFound, errors.task.DrainGoesOn: as for `begin`.
    """
    objects.hold(conn, objects.Service, host=host, binary='nova-compute')
    service = _service(conn, host)
    for task, _ in of_host(conn, host):
        if not task.ended:
            raise errors.task.DrainGoesOn(host=host, task=task.uuid)
    was = service.disabled
    _set(conn, service, False, None)
    return was
