"""Builds as the release before begins them, and as they are begun while services of it are left.

The user's ports are made for each host anew, and with our own credentials, where the user's word was not kept.
"""

from nova import errors, states
from nova.ops.build import flow, handover, host, schedule, unplaced, wire
from nova.steps import ports, tpm, volumes
from nova.steps.schedule import leave_host
from nova.task.flow import SHARING, Flow, Step, Wait
from nova.task.handles import Conductor, SuperConductor


def adopt_claim(h: Conductor, state: wire.BuildState) -> None:
    """Take over what the scheduler has claimed: whoever unwinds this task gives it up."""


def allocate_ports(h: Conductor, state: wire.BuildState) -> None:
    """Make the ports and bind them, in one step: between two of them that release would not keep their ids."""
    tpm.make_passphrase(h)
    if state.trust is None:
        state.ports = h.clients.network.make(
            h.context, h.instance, state.networks, state.security_groups, key=h.task.uuid)
    else:
        ports.make_ports(h, state)
    if state.ports:
        ports.place_ports(h, state)


class Build(Flow[wire.BuildState]):
    """A build up to the first release's end."""

    name = 'build'
    version = '1.0'
    action = 'create'
    steps = (
        Step(adopt_claim, undo=leave_host, when=flow.has_volumes),
        Step(volumes.make_volumes, undo=volumes.unmake_volumes, when=volumes.makes_volumes,
             shows=states.Task.BLOCK_DEVICE_MAPPING),
        Wait(volumes.volumes_settled, when=volumes.makes_volumes, timeout=Flow.deadline),
        Step(volumes.check_volumes, when=volumes.makes_volumes),
        Step(volumes.reserve_volumes, undo=volumes.unreserve_volumes, when=flow.has_volumes),
        Step(flow.take_host, undo=leave_host, choice=True, shows=states.Task.SCHEDULING),
        Step(allocate_ports, undo=ports.release_ports, shows=states.Task.NETWORKING),
        Step(volumes.connect_volumes, undo=volumes.disconnect_volumes, at='host', elsewhere=True,
             when=flow.has_volumes, shows=states.Task.BLOCK_DEVICE_MAPPING),
        Step(host.spawn, undo=host.destroy, at='host', elsewhere=True, timeout=Flow.deadline,
             limit='max_concurrent_builds', shows=states.Task.SPAWNING),
        Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
        Step(host.let_run, at='host', elsewhere=True, when=ports.awaits_plugging),
    )
    ends = states.VM.ACTIVE
    fails = states.VM.ERROR


def write_cells(h: SuperConductor, state: wire.ScheduleState) -> None:
    """With builds of that release, since its API hands on no user's word for ports. A cell that is away fails
    the request: no other one is looked for."""
    handover.write_cells(h, state, Build)
    if any(not server.selections for server in state.living()):
        raise errors.host.CellDown()


class Schedule(Flow[wire.ScheduleState]):
    """All servers of one request."""

    name = 'schedule'
    version = '1.0'
    exclusion = SHARING
    steps = (
        Step(schedule.choose_hosts, undo=unplaced.end_in_error, at='super'),
        Step(write_cells, undo=handover.purge_cells, at='super'),
        Step(handover.hand_over, at='super', pivot=True),
        Step(schedule.activate, at='super'),
    )
    looks_later = schedule.Schedule.looks_later
