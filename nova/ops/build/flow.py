"""The cell's half of a build: give the server its ports and volumes, take a host, start the guest.

What a user asks of other services is asked in his name, and first: so his token is not needed for long. What
only we may do, claims, bindings and connections, is done for each host.

The scheduler is out of reach from here: a host that refuses is followed by the next alternate, whose resources
are claimed in Placement first. What was done for the host before is undone on the way.

What plugs a port in finds it on the host only when the guest is there. So a guest whose ports are not plugged
in yet starts paused, and runs when the network service says that they are: it never calls into a dead line.
"""


from nova import states
from nova.domain import port_requests
from nova.ops.build import host, wire
from nova.steps import allocate, ports, schedule, tpm, volumes
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor


def make_ports(h: Conductor, state: wire.BuildState) -> None:
    """As the user, whose token is kept no longer than there is something to be done in his name. A TPM gets its
    passphrase by the way."""
    tpm.make_passphrase(h)
    ports.make_ports(h, state)
    if not state.has_volumes:
        state.trust = None


def give_up(h: Conductor, state: wire.BuildState) -> None:
    """Undo of the first step: release the ports of the server, and what the scheduler has claimed for it."""
    tpm.drop_passphrase(h)
    ports.release_ports(h, state)
    allocate.drop_allocation(h, state)


def take_host(h: Conductor, state: wire.BuildState) -> None:
    """Take the host that the scheduler claimed; on a later round claim the next alternate that has room."""
    selection, state.selections = schedule.take_next(h, state.selections, state.claimed)
    state.claimed = False
    state.serving = port_requests.serving(selection.allocation_request)
    schedule.assign(h.instance, selection)


def leave_host(h: Conductor, state: wire.BuildState) -> None:
    """Undo of `take_host`, and what it held: nothing that it may still do touches the server's volumes."""
    volumes.renew_attachments(h)
    schedule.leave_host(h, state)


def has_volumes(state: wire.BuildState) -> bool:
    return bool(state.has_volumes)


class Build(Flow[wire.BuildState]):
    """`create`: from an inert record without a host to a running guest."""

    name = 'build'
    version = '1.1'
    action = 'create'
    steps = (
        Step(make_ports, undo=give_up, shows=states.Task.NETWORKING),
        Step(volumes.make_volumes, undo=volumes.unmake_volumes, when=volumes.makes_volumes,
             shows=states.Task.BLOCK_DEVICE_MAPPING),
        Wait(volumes.volumes_settled, when=volumes.makes_volumes, timeout=Flow.deadline),
        Step(volumes.check_volumes, when=volumes.makes_volumes),
        Step(volumes.reserve_volumes, undo=volumes.unreserve_volumes, when=has_volumes),
        Step(take_host, undo=leave_host, choice=True),
        Step(ports.place_ports, when=ports.has_ports),
        Step(volumes.connect_volumes, undo=volumes.disconnect_volumes, at='host', elsewhere=True,
             when=has_volumes, shows=states.Task.BLOCK_DEVICE_MAPPING),
        Step(host.spawn, undo=host.destroy, at='host', elsewhere=True, timeout=Flow.deadline,
             limit='max_concurrent_builds', shows=states.Task.SPAWNING),
        Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
        Step(host.let_run, at='host', elsewhere=True, when=ports.awaits_plugging),
    )
    ends = states.VM.ACTIVE
    fails = states.VM.ERROR
