"""A volume of a server has grown: its host and its guest are told of the new size.

The operation waits until the server is free, since it was nobody's decision here; a server that has no guest
on a host learns of the size when it gets one.
"""

from nova.objects import base, fields
from nova.steps import attachments, turn
from nova.task.flow import SHARING, Flow, Step
from nova.task.handles import Conductor, Host


class ExtendState(base.State):
    """
    Attributes:
        volume_id: the volume.
        device: uuid of the server's block device; None where it has the volume no more.
        size_gb: its size now.
        guest: a host has a guest that has it.
    """

    volume_id: fields.Uuid
    device: fields.Uuid | None = None
    size_gb: int = 0
    guest: bool = False


def look_at_volume(h: Conductor, state: ExtendState) -> None:
    """Read the volume's size from the volume service; what the event said is not trusted."""
    with h.db.read() as conn:
        h.instance.refresh(conn)  # others may have been at work until now
    device = next((one for one in h.instance.block_devices if one.volume_id == state.volume_id), None)
    if device is not None:
        state.device = device.uuid
        state.size_gb = h.clients.volume.show(None, state.volume_id)['size']
        state.guest = attachments.has_guest(h.instance)


def reaches_guest(state: ExtendState) -> bool:
    return bool(state.guest)


def extend_on_host(h: Host, state: ExtendState) -> None:
    """Have the host and the guest see the new size. Repeatable, without undo: volumes do not shrink."""
    device = attachments.find(h, state.device)
    if device is not None:
        h.driver.extend_volume(h, device, state.size_gb)


def keep_size(h: Conductor, state: ExtendState) -> None:
    device = attachments.find(h, state.device)
    if device is not None:
        device.volume_size = state.size_gb


class ExtendVolume(Flow[ExtendState]):
    name = 'extend_volume'
    action = 'extend_volume'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (
        Step(turn.hold_server, timeout=24 * 3600.0),
        Step(look_at_volume),
        Step(extend_on_host, at='host', when=reaches_guest),
        Step(keep_size),
    )
