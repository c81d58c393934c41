"""The cell's half of a build: take a host, give the server its ports and volumes, start the guest.

The scheduler is out of reach from here: a host that refuses is followed by the next alternate, whose resources
are claimed in Placement first. What was done for the host before is undone on the way.

What plugs a port in finds it on the host only when the guest is there. So a guest whose ports are not plugged
in yet starts paused, and runs when the network service says that they are: it never calls into a dead line.
"""

from typing import Any

from nova import states
from nova.ops.build import host, wire
from nova.steps import ports, schedule, volumes
from nova.task.flow import Flow, Step, Wait


def take_host(h: Any, state: wire.BuildState) -> None:
    """The selection that the scheduler claimed, or on a later round the next alternate that can be claimed."""
    selection, state.selections = schedule.take_next(h, state.selections, state.claimed)
    state.claimed = False
    schedule.settle(h.instance, selection)


def adopt_claim(h: Any, state: wire.BuildState) -> None:
    """What the scheduler has claimed is ours from here on: whoever unwinds gives it up."""


def has_volumes(state: wire.BuildState) -> bool:
    return bool(state.has_volumes)


class Build(Flow):
    """`create`: from an inert record without a host to a running guest."""

    name = 'build'
    action = 'create'
    State = wire.BuildState
    steps = (
        Step(adopt_claim, undo=schedule.leave_host, when=has_volumes),
        Step(volumes.make_volumes, undo=volumes.unmake_volumes, when=volumes.makes_volumes,
             shows=states.Task.BLOCK_DEVICE_MAPPING),
        Wait(volumes.volumes_settled, when=volumes.makes_volumes, timeout=Flow.deadline),
        Step(volumes.check_volumes, when=volumes.makes_volumes),
        Step(volumes.reserve_volumes, undo=volumes.unreserve_volumes, when=has_volumes),
        Step(take_host, undo=schedule.leave_host, choice=True, shows=states.Task.SCHEDULING),
        Step(ports.allocate_ports, undo=ports.release_ports, shows=states.Task.NETWORKING),
        Step(volumes.connect_volumes, undo=volumes.disconnect_volumes, at='host', elsewhere=True,
             when=has_volumes, shows=states.Task.BLOCK_DEVICE_MAPPING),
        Step(host.spawn, undo=host.destroy, at='host', elsewhere=True, timeout=Flow.deadline,
             shows=states.Task.SPAWNING),
        Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
        Step(host.let_run, at='host', elsewhere=True, when=ports.awaits_plugging),
    )
    ends = states.VM.ACTIVE
    fails = states.VM.ERROR
