"""From one host to another while the guest runs.

Whether it has arrived is seen, not decided: whatever becomes of the step that brings it over, a guest that is
gone from the source runs at the destination, and then there is no way back. Until then all of it can be undone,
and the guest has not noticed.

A source that goes down is given up, and the choice made anew; if the guest is found at the destination then,
that is the choice, and the flow goes on from there, even when it was cancelled or aborted meanwhile. Where the
destination is down as well nobody knows, and the flow rests until it is back.

A destination that will not do is followed by another one that the scheduler names, as often as
``migrate_max_retries`` allows.
"""

from nova import errors, states
from nova.objects import LiveMove, event, fields
from nova.objects.progress import MigrationProgress
from nova.ops.live_migrate import host
from nova.steps import moved_volumes, moves, ports, switch, volumes
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor, SuperConductor


def choose_again(h: SuperConductor, state: LiveMove) -> None:
    """Choose a host; on a later round one that was not tried yet.

    Raises:
        errors.task.RetriesExceeded: that was the one that had to be, or often enough.
    """
    if state.arrived:
        return
    if state.dest is not None:
        state.ignored = [*state.ignored, state.dest]
        most = h.conf.migrate_max_retries
        tried = len(state.ignored) - 1
        if state.wanted_host is not None or 0 <= most < tried:
            raise _exceeded(h)
        state.dest = fields.NOT_YET
    try:
        moves.choose_dest(h, state)
    except errors.placement.NoValidHost as error:
        if len(state.ignored) > 1:
            raise _exceeded(h) from error
        raise


def _exceeded(h: Conductor) -> errors.NovaError:
    """The hosts that were tried would not, and there is no other one."""
    said = h.refusals()
    return errors.task.RetriesExceeded(reason=said[-1] if said else 'No host is left to try.')


def stay_there(h: SuperConductor, state: LiveMove) -> None:
    """Undo of a choice. A guest that has arrived stays: the flow comes forward again (`LiveMigrate.arrived`).

    What was claimed on a host that was chosen is given up with what the source gives, in one write
    (`moves.give_back`).
    """


def is_here(state: LiveMove) -> bool:
    """Whether the guest is at its source, for all that is known."""
    return not state.arrived


def is_unseen(state: LiveMove) -> bool:
    """Whether the destination alone can say where the guest is."""
    return state.unseen


def prepare_network(h: Conductor, state: LiveMove) -> None:
    """Prepare the bindings of the ports on the destination.

    Raises:
        Refused: nothing there can bind one.
    """
    moves.mark(h, state, 'preparing')
    info = h.instance.network_info
    state.unplugged = [vif.id for vif in info.vifs if vif.details.get('ovs_hybrid_plug')] if info else []
    if not h.conf.compute.live_migration_wait_for_vif_plug or h.conf.vif_plugging_timeout <= 0:
        state.unplugged = []
    if state.unplugged:  # what was said of them at the source is not about the destination
        h.db.write(lambda conn: event.forget(conn, h.instance.uuid, state.unplugged))
    try:
        h.clients.network.prebind(h.instance, state.dest, state.serving)
    except errors.network.PortBindingFailed as error:
        raise errors.task.Refused(error.message) from error


def awaits_plugging(state: LiveMove) -> bool:
    """Whether ports have to be plugged in at the destination before the guest comes.

    Only those on a bridge of their own are; all others are when it is there.
    """
    return is_here(state) and ports.awaits_plugging(state)


def leave_network(h: Conductor, state: LiveMove) -> None:
    """Undo of `prepare_network`."""
    h.clients.network.drop_bindings(h.instance, state.dest)


def begin_migration(h: Conductor, state: LiveMove) -> None:
    moves.mark(h, state, 'running')


def follow_guest(h: Conductor, state: LiveMove) -> None:
    """The guest has arrived: move its ports and its record to the destination."""
    h.instance.network_info = h.clients.network.activate(h.instance, state.dest, state.serving)
    switch.name_dest(h, state)
    moves.mark(h, state, 'post-migrating')


def close_completed(h: Conductor, state: LiveMove) -> None:
    """Give up what the source holds for the server."""
    volumes.drop_unnamed(h, state)
    h.clients.network.drop_bindings(h.instance, state.source)
    moves.drop_source(h, state)
    h.instance.progress = 0
    moves.mark(h, state, 'completed')


class LiveMigrate(Flow[LiveMove]):
    name = 'live_migrate'
    action = 'live-migration'
    Progress = MigrationProgress
    deadline = 24 * 3600.0

    @classmethod
    def arrived(cls, state: LiveMove) -> bool:
        return state.arrived

    @classmethod
    def unanswered(cls, state: LiveMove, step: str) -> None:
        state.unseen = state.unseen or step == host.migrate.__name__

    steps = (
        Step(moves.open_migration, undo=moves.close_failed, at='super', shows=states.Task.MIGRATING),
        Step(moves.own_source, undo=moves.give_back, at='super'),
        Step(choose_again, undo=stay_there, at='super', choice=True),
        Step(moves.take_dest, when=is_here),
        Step(host.check_dest, at='dest', elsewhere=True, when=is_here),
        Step(host.check_source, at='source', elsewhere=True, when=is_here),
        Step(prepare_network, undo=leave_network, when=is_here),
        Step(moved_volumes.reserve_there, undo=moved_volumes.unreserve_there, when=is_here),
        Step(host.prepare, undo=host.roll_back, at='dest', elsewhere=True, when=is_here, awaited=is_unseen),
        Wait(ports.vifs_plugged, when=awaits_plugging, timeout=Flow.deadline),
        Step(begin_migration, when=is_here),
        Step(host.migrate, at='source', pivot=True, timeout=24 * 3600.0, limit='max_concurrent_live_migrations',
             signals=(states.Signal.ABORT, states.Signal.FORCE_COMPLETE), when=is_here),
        Step(follow_guest),
        Step(host.finish, at='dest', timeout=1800.0),
        Step(host.leave, at='source', timeout=1800.0),
        Step(close_completed),
    )
