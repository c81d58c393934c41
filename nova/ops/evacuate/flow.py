"""From a host that is down to another one: the guest is made anew, of disks that are shared, or of its image.

The host that failed owes the removal of its guest, and does it when it returns; nothing there is removed for
any other reason. Until then its part of Placement is the migration's: the guest may run there still.
"""


from nova import states
from nova.objects import Migration, base, fields, owed
from nova.ops.evacuate import host
from nova.ops.evacuate.wire import Evacuation
from nova.steps import moved_volumes, moves, ports, switch, volumes
from nova.task.flow import SHARING, Flow, Step, Wait
from nova.task.handles import Conductor


def switch_to_dest(h: Conductor, state: Evacuation) -> None:
    switch.to_dest(h, state)
    moves.mark(h, state, 'pre-migrating')


def settle_there(h: Conductor, state: Evacuation) -> None:
    """Set the vm_state that the server had before its host failed: active or stopped."""
    h.instance.vm_state = str(states.VM.ACTIVE if state.runs else states.VM.STOPPED)


def settle_source(h: Conductor, state: Evacuation) -> None:
    """The source was up after all, and has removed its guest; or it owes that, and gives room until then."""
    with h.db.read() as conn:
        owes = owed.owes(conn, state.source, h.instance.uuid)
    if not owes:
        moves.drop_source(h, state)
    moves.mark(h, state, 'done' if owes else 'completed')


class Evacuate(Flow[Evacuation]):
    action = 'evacuate'
    version = '1.1'
    steps = (
        Step(moves.open_migration, undo=moves.close_failed, at='super', shows=states.Task.REBUILDING),
        Step(moves.own_source, undo=moves.give_back, at='super'),
        Step(moves.choose_dest, at='super'),
        Step(moves.take_dest, choice=True),
        Step(moved_volumes.reserve_there, undo=moved_volumes.unreserve_there,
             shows=states.Task.REBUILD_BLOCK_DEVICE_MAPPING),
        Step(switch_to_dest, undo=switch.to_source),
        Step(host.spawn_again, undo=host.undo_spawn, at='dest', elsewhere=True, timeout=Flow.deadline,
             limit='max_concurrent_builds', shows=states.Task.REBUILD_SPAWNING),
        Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
        Step(host.let_run, at='dest', elsewhere=True, when=ports.awaits_plugging),
        Step(settle_there, pivot=True),
        Step(volumes.drop_unnamed),
        Step(host.leave_evacuated, at='source', timeout=1800.0),
        Step(settle_source),
    )


class Evacuated(base.State):
    """The migration that is complete."""

    migration: fields.Uuid


def drop_evacuated(h: Conductor, state: Evacuated) -> None:
    h.clients.placement.drop(state.migration)
    h.db.write(lambda conn: Migration.mark(conn, state.migration, 'completed'))


class CompleteEvacuation(Flow[Evacuated]):
    """The host that had failed has returned and has removed the guest: it gives the server nothing more."""

    name = 'complete_evacuation'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (Step(drop_evacuated, timeout=24 * 3600.0),)
