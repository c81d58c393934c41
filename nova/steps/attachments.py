"""One volume of a server that is there already: how it is looked at, connected and let go.

`nova.steps.volumes` has what is done to all of them when a server is built or deleted.
"""

from typing import Any

from nova import errors, objects
from nova.states import VM
from nova.steps import volumes

SHELVED = frozenset({VM.SHELVED, VM.SHELVED_OFFLOADED})
STATES = (VM.ACTIVE, VM.PAUSED, VM.STOPPED, VM.RESIZED, VM.SOFT_DELETED, VM.SHELVED, VM.SHELVED_OFFLOADED)
"""In which a server gets and loses volumes."""


# What users may ask ------------------------------------------------------------------------------

def check_shelved(req: Any, instance: Any, action: str) -> None:
    """Volumes of shelved servers are attached and detached from 2.20 on.

    Raises:
        ServerInState: 409.
    """
    if instance.vm_state in SHELVED and not req.at('2.20'):
        raise errors.server.ServerInState(
            action=action, server=instance.uuid, attribute='vm_state', state=instance.vm_state)


def of_volume(instance: Any, volume_id: str) -> Any:
    """The server's device that is this volume.

    Raises:
        VolumeNotAttached: 404.
    """
    for device in instance.block_devices:
        if device.volume_id == volume_id:
            return device
    raise errors.block.VolumeNotAttached(volume=volume_id, server=instance.uuid)


# Steps -------------------------------------------------------------------------------------------

def has_guest(instance: Any) -> bool:
    """Whether a host has to be told: there is one, and it has the server's guest."""
    return instance.host is not None and instance.vm_state != VM.SHELVED_OFFLOADED


def find(h: Any, uuid: str) -> Any:
    """The server's device with this uuid; None when it has none (any more)."""
    return next((device for device in h.instance.block_devices if device.uuid == uuid), None)


def give_to_guest(h: Any, device: Any) -> None:
    """On the host: connect the volume, attach it to the guest, and have Cinder show it in use; repeatable."""
    volumes.connect(h, device)
    h.driver.attach_volume(h, device)
    h.clients.volume.complete(device.attachment_id)


def give_up(h: Any, volume_id: str) -> None:
    """The server has no attachment of this volume, recorded or not; the volume may be somebody else's."""
    for attachment in h.clients.volume.attachments(h.instance.uuid):
        if attachment['volume_id'] == volume_id:
            h.clients.volume.detach(attachment['id'])


def forget(h: Any, uuid: str) -> None:
    """The server has no such device any more."""
    h.db.write(lambda conn: objects.BlockDeviceMapping.drop(conn, uuid))
    h.instance.block_devices = [device for device in h.instance.block_devices if device.uuid != uuid]
