"""Shelving: an image has the server's disk, then its host is given up; and the way back, to any host of its
cell.

A server that is shelved holds its host's part of Placement until it has left it. One that has left holds none:
its volumes are reserved, its ports are its own and on no host.
"""

import sqlalchemy as sa

from nova import errors, objects, states
from nova.ops.shelve import host, wire
from nova.states import VM, Power, Task
from nova.steps import allocate, destination, images, ports, schedule, shelving, volumes
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor, SuperConductor


def note_shelved(h: Conductor, state: wire.ShelveState) -> None:
    """The server is shelved; whether it leaves its host at once is the operator's choice, but for volumes."""
    shelving.note(h, None if state.of_volumes else state.image_id)
    h.instance.vm_state = str(VM.SHELVED)
    state.offloads = state.of_volumes or h.conf.shelved_offload_time == 0


def offloads(state: wire.ShelveState) -> bool:
    return bool(state.offloads)


def leave_host(h: Conductor, state: objects.State) -> None:
    """Give up the host: its allocation, ports and connections; the volumes stay reserved (VOL-S6)."""
    volumes.renew_attachments(h)
    h.clients.network.unbind(h.instance)
    h.instance.network_info = h.clients.network.info(h.instance)
    allocate.drop_allocation(h, state)
    instance = h.instance
    instance.host = instance.node = instance.compute_id = None
    instance.vm_state, instance.power_state = str(VM.SHELVED_OFFLOADED), int(Power.NOSTATE)


class Shelve(Flow[wire.ShelveState]):
    action = 'shelve'
    deadline = 12 * 3600.0
    steps = (
        Step(images.register_image, undo=images.drop_image, when=images.is_local, shows=Task.SHELVING),
        Step(host.power_off, undo=host.go_on, at='host', timeout=1800.0, shows=Task.SHELVING),
        Step(images.snapshot, at='host', when=images.is_local, timeout=images.MAKING_SECONDS,
             limit='max_concurrent_snapshots', shows=Task.SHELVING_IMAGE_UPLOADING),
        Step(note_shelved, pivot=True),
        Step(host.offload_guest, at='host', when=offloads, timeout=1800.0, shows=Task.SHELVING_OFFLOADING),
        Step(leave_host, when=offloads),
    )


def begin_offload(h: Conductor, state: objects.State) -> None:
    """From here on there is no way back: whatever is left of the guest goes."""
    shelving.note(h, shelving.image_of(h.instance))


class ShelveOffload(Flow[objects.State]):
    """A shelved server leaves its host: now, or because its time there is over."""

    name = 'shelve_offload'
    action = 'shelveOffload'
    steps = (
        Step(begin_offload, pivot=True, shows=Task.SHELVING_OFFLOADING),
        Step(host.offload_guest, at='host', timeout=1800.0, shows=Task.SHELVING_OFFLOADING),
        Step(leave_host),
    )


# The way back ------------------------------------------------------------------------------------

def is_here(state: wire.UnshelveState) -> bool:
    return not state.offloaded


def is_away(state: wire.UnshelveState) -> bool:
    return bool(state.offloaded)


def choose_host(h: SuperConductor, state: wire.UnshelveState) -> None:
    """Where the server is to be, its zone being changed first if that was asked for."""
    if state.pins:
        state.pinned = _pin(h, state.pin)
    destination.choose(h, state)


def give_up_choice(h: SuperConductor, state: wire.UnshelveState) -> None:
    """Undo of `choose_host`: give the claim up, and pin the server to the zone that it was pinned to."""
    allocate.drop_allocation(h, state)
    if state.pins:
        _pin(h, state.pinned)


def _pin(h: SuperConductor, zone: str | None) -> str | None:
    """Tie the server to a zone; the one it was tied to."""
    def write(conn: sa.Connection) -> str | None:
        spec = objects.RequestSpec.get(conn, instance_uuid=h.instance.uuid)
        was: str | None = spec.availability_zone
        spec.availability_zone = zone
        spec.save(conn)
        return was
    return h.api_db.write(write)


def take_host(h: Conductor, state: wire.UnshelveState) -> None:
    """Take the next host that was chosen, and claim its resources."""
    schedule.assign(h.instance, destination.take(h, state))


def leave_again(h: Conductor, state: wire.UnshelveState) -> None:
    """Undo of `take_host`: renew the attachments, give the claim up, and clear the host in the record."""
    volumes.renew_attachments(h)
    schedule.leave_host(h, state)


def place_ports(h: Conductor, state: wire.UnshelveState) -> None:
    """
    Raises:
        Refused: nothing on this host can bind a port.
    """
    try:
        awaited = ports.move_ports(h, h.instance.host or '', state.serving)
    except errors.network.PortBindingFailed as error:
        raise errors.task.Refused(error.message) from error
    state.unplugged = awaited if h.conf.vif_plugging_timeout > 0 else []


def unplace_ports(h: Conductor, state: wire.UnshelveState) -> None:
    """Undo of `place_ports`: unbind the ports."""
    h.clients.network.unbind(h.instance)
    h.instance.network_info = h.clients.network.info(h.instance)
    state.unplugged = []


def forget_shelved(h: Conductor, state: wire.UnshelveState) -> None:
    """Clear what the record says of shelving, and delete the image that had the disk."""
    shelving.drop_image(h, h.instance)
    shelving.forget(h.instance)


class Unshelve(Flow[wire.UnshelveState]):
    """A server that failed to come back is shelved as before."""

    action = 'unshelve'
    steps = (
        Step(host.power_on, undo=host.power_off_again, at='host', when=is_here, shows=Task.UNSHELVING),
        Step(choose_host, undo=give_up_choice, at='super', when=is_away, shows=Task.UNSHELVING),
        Step(take_host, undo=leave_again, when=is_away, choice=True),
        Step(place_ports, undo=unplace_ports, when=is_away),
        Step(volumes.connect_volumes, undo=volumes.disconnect_volumes, at='host', elsewhere=True, when=is_away),
        Step(host.respawn, undo=host.unspawn, at='host', elsewhere=True, when=is_away, timeout=Flow.deadline,
             limit='max_concurrent_builds', shows=Task.SPAWNING),
        Wait(ports.vifs_plugged, when=ports.awaits_plugging, timeout=Flow.deadline),
        Step(host.let_run, at='host', elsewhere=True, when=ports.awaits_plugging),
        Step(forget_shelved, pivot=True),
    )
    ends = states.VM.ACTIVE
