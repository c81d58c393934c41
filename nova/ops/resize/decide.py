"""A resize is confirmed or taken back: by the user, or confirmed when its time has passed.

Neither can be stopped half-way: once begun, what is left is done again until it is done.
"""

import datetime

import sqlalchemy as sa

from nova import errors, objects, states
from nova.objects import Migration, Move
from nova.objects import task as rows
from nova.ops.resize import host
from nova.policies import servers as rules
from nova.steps import moves, switch, volumes
from nova.task import journal
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Request, SuperConductor


def begin_confirm(h: Conductor, state: Move) -> None:
    moves.mark(h, state, 'confirming')


def count_new(h: SuperConductor, state: Move) -> None:
    """Count the server by its new flavor, and write that flavor into its request spec."""
    moves.count_only(h)

    def write(conn: sa.Connection) -> None:
        spec = objects.RequestSpec.find(conn, instance_uuid=h.instance.uuid)
        if spec is not None:
            spec.flavor = h.instance.flavor
            spec.save(conn)
    h.api_db.write(write)


def close_confirmed(h: Conductor, state: Move) -> None:
    """Give up what the source holds for the server."""
    _close(h, state, 'confirmed')
    moves.drop_source(h, state)


def _close(h: Conductor, state: Move, status: str) -> None:
    """The server is what its guest is, and remembers no move."""
    volumes.drop_unnamed(h, state)
    off = h.instance.power_state == states.Power.SHUTDOWN
    h.instance.vm_state = str(states.VM.STOPPED if off else states.VM.ACTIVE)
    h.instance.migration_context = None
    moves.mark(h, state, status)


class ConfirmResize(Flow[Move]):
    name = 'confirm_resize'
    action = 'confirmResize'
    steps = (
        Step(begin_confirm, pivot=True),
        Step(host.forget_source, at='source', timeout=1800.0),
        Step(count_new, at='super'),
        Step(close_confirmed),
    )


def begin_revert(h: Conductor, state: Move) -> None:
    moves.mark(h, state, 'reverting')


def count_old(h: SuperConductor, state: Move) -> None:
    """Count the server by its old flavor again."""
    moves.count_only(h)


def close_reverted(h: Conductor, state: Move) -> None:
    """Give the source's allocation back to the server, and the destination's up, in one write."""
    moves.give_back(h, state)
    _close(h, state, 'reverted')


class RevertResize(Flow[Move]):
    name = 'revert_resize'
    action = 'revertResize'
    steps = (
        Step(begin_revert, pivot=True, shows=states.Task.RESIZE_REVERTING),
        Step(host.undo_arrival, at='dest', timeout=1800.0),
        Step(switch.to_source),
        Step(host.return_to_source, at='source', timeout=1800.0),
        Step(count_old, at='super'),
        Step(close_reverted),
    )


# Who asks for it ---------------------------------------------------------------------------------

def move_of(instance: objects.Instance) -> Move:
    """The resize that waits to be decided upon.

    Raises:
        errors.Invalid: the server remembers none.
    """
    if instance.migration_context is None:
        raise errors.Invalid('Instance has not been resized.')
    return Move.from_wire(instance.migration_context)


def _decidable(req: Request, instance: objects.Instance) -> Move:
    """`move_of`, if its source can be told what is decided.

    Raises:
        HostDown: it cannot.
    """
    state = move_of(instance)
    if not req.host_is_up(state.source):
        raise errors.host.HostDown(host=state.source)
    return state


class ConfirmResizeAction(Action):
    key = 'confirmResize'
    name = 'confirm_resize'
    rule = rules.CONFIRM_RESIZE
    start = From(states.VM.RESIZED)
    status = 204
    flow = ConfirmResize

    def prepare(self, req: Request, instance: objects.Instance, body: object) -> Move:
        return _decidable(req, instance)


class RevertResizeAction(Action):
    key = 'revertResize'
    name = 'revert_resize'
    rule = rules.REVERT_RESIZE
    start = From(states.VM.RESIZED)
    flow = RevertResize

    def prepare(self, req: Request, instance: objects.Instance, body: object) -> Move:
        return _decidable(req, instance)


def confirm_due(tasks: journal.Journal, seconds: float) -> list[rows.Task]:
    """Begin to confirm what was resized more than `seconds` ago in one cell; the tasks want to be woken.

    Confirming or taking back at the same moment is safe: whoever takes the server first wins.
    """
    before = tasks.db.now() - datetime.timedelta(seconds=seconds)
    with tasks.db.read() as conn:
        due = Migration.waiting(conn, before, limit=100)
        servers = objects.Instance.all(conn, uuid=[each.instance_uuid for each in due], task_state=None,
                                       vm_state=str(states.VM.RESIZED), prefetch=('migration_context',))
    return tasks.begin_each(ConfirmResize, ((server, move_of(server)) for server in servers),
                            lambda fresh: From(states.VM.RESIZED).check(fresh, 'confirm_resize'))
