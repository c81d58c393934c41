"""Volumes of a server on its way: an attachment at each end, until one of the ends is left for good.

Cinder gives a volume that a server has to the same server once more, so the volume is never free in between.
The record names the attachments of the end where the server is; the move's state those of both.
"""


from nova import objects
from nova.steps import volumes
from nova.task.handles import Conductor, Host


def reserve_there(h: Conductor, state: objects.Move) -> None:
    """Make a second attachment of each volume, for the host that the server goes to; repeatable."""
    devices = [device for device in volumes.volume_devices(h.instance) if device.attachment_id]
    state.sources = {device.volume_id: device.attachment_id for device in devices}
    state.targets = {device.volume_id: h.clients.volume.reserve(device.volume_id, h.instance.uuid)
                     for device in devices}


def connect_there(h: Host, state: objects.Move) -> None:
    """On the host that the server goes to: connect its volumes, though the record names those of the source."""
    for device in volumes.volume_devices(h.instance):
        if device.volume_id in state.targets:
            there = device.copy()
            there.attachment_id = state.targets[device.volume_id]
            volumes.connect(h, there)
            state.targets = {**state.targets, device.volume_id: there.attachment_id}


def unreserve_there(h: Conductor, state: objects.Move) -> None:
    """Undo of `reserve_there`: delete the attachments that the record does not name."""
    volumes.drop_unnamed(h, state)
    state.targets = {}


def use_there(instance: objects.Instance, state: objects.Move) -> None:
    """Write the attachments of the destination into the record."""
    _name(instance, state.targets)


def use_source(instance: objects.Instance, state: objects.Move) -> None:
    """Write the attachments of the source into the record."""
    _name(instance, state.sources)


def left_at_source(instance: objects.Instance, volume_id: str) -> str | None:
    """The attachment of a volume that the source keeps while a resize may be taken back."""
    if instance.migration_context is None:
        return None
    return objects.Move.from_wire(instance.migration_context).sources.get(volume_id)


def forget(instance: objects.Instance, volume_id: str) -> None:
    """The server has lost a volume while its resize may be taken back: neither end has an attachment of it."""
    if instance.migration_context is None:
        return
    state = objects.Move.from_wire(instance.migration_context)
    state.sources = {volume: found for volume, found in state.sources.items() if volume != volume_id}
    state.targets = {volume: found for volume, found in state.targets.items() if volume != volume_id}
    instance.migration_context = state.to_wire()


def _name(instance: objects.Instance, attachments: dict[str, str]) -> None:
    for device in volumes.volume_devices(instance):
        device.attachment_id = attachments.get(device.volume_id, device.attachment_id)
