"""Volumes of a server, by Cinder attachments: reserved, connected on the host, given up at the end.

An attachment is the one truth about who may use a volume: its id is in the block device's row before anything
is connected. Connection details are asked of Cinder whenever they are needed and kept nowhere.
"""

from typing import Any

from nova import errors, objects


def volume_devices(instance: objects.Instance) -> list[Any]:
    """The block devices that are volumes."""
    return [device for device in instance.block_devices if device.volume_id]


def reserve_volumes(h: Any, state: Any) -> None:
    """Nobody else gets the volumes from here on. Repeatable: a reservation that is there is found again."""
    for device in volume_devices(h.instance):
        device.attachment_id = h.clients.volume.reserve(device.volume_id, h.instance.uuid)


def unreserve_volumes(h: Any, state: Any) -> None:
    """Undo of `reserve_volumes`: the server has no attachment, recorded or not."""
    for attachment in h.clients.volume.attachments(h.instance.uuid):
        h.clients.volume.detach(attachment['id'])
    for device in volume_devices(h.instance):
        device.attachment_id = None


def connect_volumes(h: Any, state: Any) -> None:
    """On the host: tell Cinder who connects and connect every volume; repeatable."""
    connector = h.driver.connector()
    for device in volume_devices(h.instance):
        connection = h.clients.volume.connect(device.attachment_id, connector)
        h.driver.connect_volume(h.instance, device, connection)


def disconnect_volumes(h: Any, state: Any) -> None:
    """On the host: let every volume go, and keep it reserved for the server as it was before.

    An attachment that has met a host cannot forget it, so a new one takes its place.
    """
    for device in volume_devices(h.instance):
        h.driver.disconnect_volume(h.instance, device)
        _reserve_anew(h.clients.volume, h.instance.uuid, device)


def _reserve_anew(volumes: Any, server: str, device: Any) -> None:
    fresh = volumes.reserve(device.volume_id, server)
    for attachment in volumes.attachments(server):
        if attachment['volume_id'] == device.volume_id and attachment['id'] != fresh:
            volumes.detach(attachment['id'])
    device.attachment_id = fresh


def complete_attachments(h: Any, state: Any) -> None:
    """The guest has its volumes: Cinder shows them in use."""
    for device in volume_devices(h.instance):
        h.clients.volume.complete(device.attachment_id)


def release_volumes(h: Any, state: Any) -> None:
    """End of a server: no attachment is left, and what was to die with it is deleted.

    Asks Cinder for the server's attachments rather than trusting the rows: what a crash left is found too.
    """
    volumes = h.clients.volume
    for attachment in volumes.attachments(h.instance.uuid):
        volumes.detach(attachment['id'])
    for device in volume_devices(h.instance):
        if device.delete_on_termination:
            delete_volume(volumes, device.volume_id)


def delete_volume(volumes: Any, volume_id: str) -> None:
    """Delete a volume that ends with its server; one that is shared with another server stays (MAT-F3)."""
    try:
        volumes.delete(volume_id)
    except (errors.Conflict, errors.Invalid):
        return
