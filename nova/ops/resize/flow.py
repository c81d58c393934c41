"""From one host, or flavor, to another. Until it is confirmed, everything can be taken back.

Nothing of the source goes before the user says so: its guest's disks are kept aside, its ports and volumes can
be had back, and its part of Placement belongs to the migration.
"""


from nova import states
from nova.objects import Move
from nova.ops.resize import host
from nova.steps import moved_volumes, moves, ports, switch, volumes
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor


def prepare_dest(h: Conductor, state: Move) -> None:
    """Make attachments of the volumes for the destination, where that is another host."""
    if not state.same_host:
        moved_volumes.reserve_there(h, state)
    moves.mark(h, state, 'migrating')


def leave_dest_alone(h: Conductor, state: Move) -> None:
    """Undo of `prepare_dest`: delete these attachments."""
    moved_volumes.unreserve_there(h, state)


def switch_to_dest(h: Conductor, state: Move) -> None:
    switch.to_dest(h, state)
    moves.mark(h, state, 'post-migrating')


def await_decision(h: Conductor, state: Move) -> None:
    """Complete the attachments, and keep with the record what a decision about the move needs."""
    volumes.complete_attachments(h, state)
    h.instance.progress = 0
    h.instance.migration_context = state.to_wire()
    moves.mark(h, state, 'finished')


STEPS = (
    Step(moves.open_migration, undo=moves.close_failed, at='super', shows=states.Task.RESIZE_PREP),
    Step(moves.own_source, undo=moves.give_back, at='super'),
    Step(moves.choose_dest, at='super'),
    Step(moves.take_dest, choice=True, shows=states.Task.RESIZE_PREP),
    Step(prepare_dest, undo=leave_dest_alone),
    Step(host.expect_guest, undo=host.clear_dest, at='dest', elsewhere=True, when=moves.leaves),
    Step(host.leave_source, undo=host.return_to_source, at='source', elsewhere=True,
         timeout=4 * Flow.deadline, shows=states.Task.RESIZE_MIGRATING),
    Step(switch_to_dest, undo=switch.to_source, shows=states.Task.RESIZE_MIGRATED),
    Step(host.arrive, undo=host.undo_arrival, at='dest', elsewhere=True, timeout=4 * Flow.deadline,
         shows=states.Task.RESIZE_FINISH),
    Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
    Step(host.let_run, at='dest', elsewhere=True, when=ports.awaits_plugging),
    Step(await_decision),
)


class Resize(Flow[Move]):
    """Another flavor; as a rule another host, too."""

    action = 'resize'
    deadline = 4 * Flow.deadline
    steps = STEPS
    ends = states.VM.RESIZED


class Migrate(Flow[Move]):
    """Another host with the same flavor."""

    action = 'migrate'
    deadline = 4 * Flow.deadline
    steps = STEPS
    ends = states.VM.RESIZED
