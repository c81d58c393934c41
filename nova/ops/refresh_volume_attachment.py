"""A new attachment, and a new connection, for a volume of a server that is off.

Operators do this by ``nova-manage volume_attachment refresh``, when a volume has moved at the storage and the
host still knows the old way to it.
"""


from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.states import VM
from nova.steps import attachments, volumes
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host

START = From(VM.STOPPED, host=True)


class RefreshState(base.State):
    """
    Attributes:
        device: uuid of the server's block device.
        connector: what the host tells the volume service of itself.
        old_attachment, new_attachment: the volume's.
    """

    device: fields.Uuid
    connector: fields.Json
    old_attachment: str = ''
    new_attachment: str = ''


def reserve_anew(h: Conductor, state: RefreshState) -> None:
    """Make a second attachment of the volume, so that nobody else gets it meanwhile; repeatable."""
    device = attachments.find(h, state.device)
    if device is None or not device.volume_id:
        raise errors.block.BlockDeviceNotFound(device=state.device)
    state.old_attachment = device.attachment_id or ''
    state.new_attachment = h.clients.volume.reserve(device.volume_id, h.instance.uuid)


def drop_new(h: Conductor, state: RefreshState) -> None:
    """Undo of `reserve_anew`: delete the second attachment."""
    device = attachments.find(h, state.device)
    for one in h.clients.volume.attachments(h.instance.uuid):
        if device is not None and one['volume_id'] == device.volume_id and one['id'] != device.attachment_id:
            h.clients.volume.detach(one['id'])


def _connect(h: Host, device: objects.BlockDeviceMapping, attachment: str, connector: JsonObject) -> str:
    """Connect the volume by an attachment; the one that it came to be."""
    device = device.copy()
    device.attachment_id = attachment
    h.driver.disconnect_volume(h, device)
    volumes.connect(h, device, connector)
    h.clients.volume.complete(device.attachment_id or '')
    return device.attachment_id or ''


def connect_anew(h: Host, state: RefreshState) -> None:
    """Let the volume go, and connect it by the new attachment; repeatable."""
    device = attachments.device(h, state.device)
    state.new_attachment = _connect(h, device, state.new_attachment, state.connector)


def connect_as_before(h: Host, state: RefreshState) -> None:
    """Undo of `connect_anew`: connect the volume by the old attachment."""
    _connect(h, attachments.device(h, state.device), state.old_attachment, state.connector)


def take_new(h: Conductor, state: RefreshState) -> None:
    h.clients.volume.detach(state.old_attachment)
    attachments.device(h, state.device).attachment_id = state.new_attachment


class RefreshVolumeAttachment(Flow[RefreshState]):
    name = 'refresh_volume_attachment'
    action = 'refresh_volume_attachment'
    steps = (
        Step(reserve_anew, undo=drop_new),
        Step(connect_anew, undo=connect_as_before, at='host', pivot=True),
        Step(take_new),
    )
