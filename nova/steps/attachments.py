"""One volume of a server that is there already: how it is looked at, connected and let go.

`nova.steps.volumes` has what is done to all of them when a server is built or deleted.
"""

from collections.abc import Callable
from typing import Protocol, cast

import sqlalchemy as sa

from nova import errors, objects
from nova.objects import task as task_rows
from nova.states import VM
from nova.steps import moved_volumes, volumes
from nova.task import guard as guards
from nova.task.flow import AnyFlow
from nova.task.handles import Conductor, Handle, Host, Request

SHELVED = frozenset({VM.SHELVED, VM.SHELVED_OFFLOADED})
STATES = (VM.ACTIVE, VM.PAUSED, VM.STOPPED, VM.RESIZED, VM.SOFT_DELETED, VM.SHELVED, VM.SHELVED_OFFLOADED)
"""In which a server gets and loses volumes."""

PATIENCE = 150.0
"""Seconds after which a task begins whose request has not said so: longer than the volume service may take."""

Keep = Callable[[sa.Connection, str], bool]
Drop = Callable[[sa.Connection], None]


# What users may ask ------------------------------------------------------------------------------

def check_shelved(req: Request, instance: objects.Instance, action: str) -> None:
    """Volumes of shelved servers are attached and detached from 2.20 on.

    Raises:
        ServerInState: 409.
    """
    if instance.vm_state in SHELVED and not req.at('2.20'):
        raise errors.server.ServerInState(
            action=action, server=instance.uuid, attribute='vm_state', state=instance.vm_state)


def of_volume(instance: objects.Instance, volume_id: str) -> objects.BlockDeviceMapping:
    """Find the server's device that is this volume.

    Raises:
        VolumeNotAttached: 404.
    """
    for device in instance.block_devices:
        if device.volume_id == volume_id:
            return device
    raise errors.block.VolumeNotAttached(volume=volume_id, server=instance.uuid)


class _Detaching(Protocol):
    device: str


def is_leaving(conn: sa.Connection, device: objects.BlockDeviceMapping) -> bool:
    """Whether the operation whose turn it is detaches this device from its server, or deletes the server."""
    holder = task_rows.holder(conn, device.instance_uuid or '')
    if holder is None or holder.flow not in ('delete', 'detach_volume'):
        return False
    if holder.flow == 'delete':
        return True
    state = cast(_Detaching, objects.Record.from_wire(holder.state))
    return state.device == device.uuid


def begin_reserved(req: Request, flow: type[AnyFlow], instance: objects.Instance, state: objects.State,
                   volume_id: str, *, guard: guards.Check,
                   also: Callable[[sa.Connection, objects.Instance], None] | None = None,
                   keep: Keep = lambda conn, attachment: True, drop: Drop = lambda conn: None) -> None:
    """Begin an operation whose volume is reserved for the server, as the user, before the answer.

    The task is there first, and waits. Who dies before it may begin leaves one that begins by itself, finds the
    reservation, or makes it.

    Args:
        also: ``also(conn, server)``, what is written with the task.
        keep: writes the attachment down; False where there is nothing (any more) to write it to.
        drop: undoes what `also` wrote.

    Raises:
        VolumeInvalid: the volume cannot be reserved, 400; nothing is left.
        ServerBusy: the server was deleted meanwhile.
    """
    task = req.submit(flow, instance, state, guard=guard, also=also, wait=PATIENCE)
    volumes_of = req.clients.volume
    try:
        attachment = volumes_of.reserve(volume_id, instance.uuid, req.context)
    except errors.NovaError as error:
        refused = isinstance(error, (errors.Invalid, errors.NotFound, errors.Conflict, errors.Forbidden))
        req.withdraw(task, drop, doubt=not refused)
        if isinstance(error, errors.block.VolumeBusy):
            raise errors.block.VolumeInvalid(reason=error.message) from error
        raise
    if not req.let_begin(task, lambda conn: keep(conn, attachment)):
        volumes_of.detach(attachment)
        raise errors.server.ServerBusy(action=flow.name, server=instance.uuid)


# Steps -------------------------------------------------------------------------------------------

def has_guest(instance: objects.Instance) -> bool:
    """Whether a host has to be told: there is one, and it has the server's guest."""
    return instance.host is not None and instance.vm_state != VM.SHELVED_OFFLOADED


def find(h: Handle, uuid: str | None) -> objects.BlockDeviceMapping | None:
    """The server's device with this uuid; None when it has none (any more)."""
    return next((device for device in h.instance.block_devices if device.uuid == uuid), None)


def device(h: Handle, uuid: str) -> objects.BlockDeviceMapping:
    """The server's device with this uuid.

    Raises:
        VolumeNotAttached: it is gone.
    """
    found = find(h, uuid)
    if found is None:
        raise errors.block.VolumeNotAttached(volume=uuid, server=h.instance.uuid)
    return found


def give_to_guest(h: Host, device: objects.BlockDeviceMapping) -> None:
    """On the host: connect the volume, attach it to the guest, and have Cinder show it in use; repeatable."""
    volumes.connect(h, device)
    h.driver.attach_volume(h, device)
    h.clients.volume.complete(device.attachment_id or '')


def give_up(h: Conductor, volume_id: str) -> None:
    """Delete the attachments of this volume by the server, recorded or not; the volume may be in use
    elsewhere."""
    for attachment in h.clients.volume.attachments(h.instance.uuid):
        if attachment['volume_id'] == volume_id:
            h.clients.volume.detach(attachment['id'])
    moved_volumes.forget(h.instance, volume_id)


def forget_row(h: Conductor, uuid: str) -> None:
    """Delete the row of the device."""
    h.db.write(lambda conn: objects.BlockDeviceMapping.drop(conn, uuid))


def remove(h: Conductor, uuid: str, volume_id: str) -> None:
    """Delete the attachments of a device's volume, then the device; repeatable.

    Once the device is gone nothing is done again: the volume is free since then, and what the server has of it
    now is another device, whose attachment is not ours to delete.
    """
    if find(h, uuid) is None:
        moved_volumes.forget(h.instance, volume_id)
        return
    give_up(h, volume_id)
    forget_row(h, uuid)
    h.instance.block_devices = [device for device in h.instance.block_devices if device.uuid != uuid]
