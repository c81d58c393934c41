"""PUT os-volume_attachments: what may be changed about an attached volume, and its replacement by another one.

Only the volume service replaces a volume: it has made the new one, migrates the old one there, and asks us
because a guest uses it. The guest's host copies; then the new volume takes the old one's id at the volume
service, which is told how it went.
"""


from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.policies import volumes_attachments as rules
from nova.rest import types
from nova.rest.resource import Body
from nova.schema.volume_attachment import VolumeAttachment
from nova.states import VM
from nova.steps import attachments, moved_volumes, volumes
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import ANY, From
from nova.task.handles import Conductor, Handle, Host, Request

CHANGES = '2.85'
LONGEST = 6 * 3600.0
"""Seconds for the copying of a volume."""


class SwapState(base.State):
    """
    Attributes:
        device: uuid of the server's block device.
        old, new: ids of the volumes.
        old_attachment, new_attachment: theirs for this server.
        trust: what `Trust.trusted` needs to reserve the new one; None once it is reserved.
    """

    passing = ('trust',)

    device: fields.Uuid
    old: fields.Uuid
    new: fields.Uuid
    old_attachment: fields.Uuid | None = None
    new_attachment: fields.Uuid | None = None
    trust: fields.Secret | None = None


def _old(h: Handle, state: SwapState) -> objects.BlockDeviceMapping:
    return attachments.device(h, state.device)


def _new(h: Handle, state: SwapState) -> objects.BlockDeviceMapping:
    """The same device with the new volume in it."""
    device = _old(h, state).copy()
    device.volume_id, device.attachment_id = state.new, state.new_attachment
    return device


def reserve_new(h: Conductor, state: SwapState) -> None:
    """Reserve the new volume for the server, beside the old one; repeatable."""
    device = _old(h, state)
    if device is None or device.volume_id != state.old:
        raise errors.block.VolumeNotAttached(volume=state.old, server=h.instance.uuid)
    state.old_attachment = device.attachment_id
    if state.new_attachment is None:
        user = h.clients.trust.trusted(h.context, state.trust)
        state.new_attachment = h.clients.volume.reserve(state.new, h.instance.uuid, user)
    state.trust = None


def unreserve_new(h: Conductor, state: SwapState) -> None:
    """Undo of `reserve_new`: delete the attachment of the new volume, and fail the migration at Cinder."""
    attachments.give_up(h, state.new)
    h.clients.volume.migrated(state.old, state.new, error=True)


def swap_volumes(h: Host, state: SwapState) -> None:
    """On the host: connect the new volume and have the guest use it, with the old one's data; repeatable."""
    new = _new(h, state)
    volumes.connect(h, new)
    h.driver.swap_volume(h, _old(h, state), new)
    h.clients.volume.complete(new.attachment_id or '')


def swap_back(h: Host, state: SwapState) -> None:
    """Undo of `swap_volumes`: have the guest use the old volume, and disconnect the new one."""
    old, new = _old(h, state), _new(h, state)
    h.driver.swap_volume(h, new, old)
    h.driver.disconnect_volume(h, new)


def let_go_of_old(h: Host, state: SwapState) -> None:
    h.driver.disconnect_volume(h, _old(h, state))


def take_new(h: Conductor, state: SwapState) -> None:
    """The old volume's attachments are given up, and the volume service goes on; whatever id it keeps is the
    device's, so what has that id now may be the new volume."""
    for attachment in (state.old_attachment, moved_volumes.left_at_source(h.instance, state.old)):
        if attachment is not None:
            h.clients.volume.detach(attachment)
    moved_volumes.forget(h.instance, state.old)
    device = _old(h, state)
    device.volume_id = h.clients.volume.migrated(state.old, state.new, error=False)
    device.attachment_id = state.new_attachment


def rename_on_host(h: Host, state: SwapState) -> None:
    """Have the host know the volume by the id under which Cinder keeps it."""
    h.driver.rename_volume(h, _new(h, state), _old(h, state).volume_id)


class SwapVolume(Flow[SwapState]):
    name = 'swap_volume'
    action = 'swap_volume'
    exclusion = QUEUED
    deadline = LONGEST + 600.0
    steps = (
        Step(reserve_new, undo=unreserve_new),
        Step(swap_volumes, undo=swap_back, at='host', timeout=LONGEST, pivot=True),
        Step(let_go_of_old, at='host'),
        Step(take_new),
        Step(rename_on_host, at='host'),
    )


_SWAP = From(VM.ACTIVE, VM.PAUSED, VM.RESIZED, host=True)


class UpdateAttachment(Action):
    method, path = 'PUT', '/servers/{server_id}/os-volume_attachments/{volume_id}'
    name = 'swap_volume'
    rules = (rules.UPDATE, rules.SWAP)
    body = Body(VolumeAttachment, face='update', under='volumeAttachment')
    start = From(task=ANY, launched=False)

    def __call__(self, req: Request, instance: objects.Instance, **names: str) -> object:
        swaps = not req.at(CHANGES) or req.body['volumeAttachment']['volumeId'] != names['volume_id']
        about = {'project_id': instance.project_id, 'user_id': instance.user_id}
        req.authorize(rules.SWAP if swaps else rules.UPDATE, about)
        return super().__call__(req, instance, **names)

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject, volume_id: str = '') -> None:
        """Change what may be changed (from 2.85 on), and replace the volume where another one is named."""
        wanted = body['volumeAttachment']
        if req.at(CHANGES):
            _change(req, instance, attachments.of_volume(instance, volume_id), wanted)
        if not req.at(CHANGES) or wanted['volumeId'] != volume_id:
            self._swap(req, instance, volume_id, wanted['volumeId'])

    def _swap(self, req: Request, instance: objects.Instance, old_id: str, new_id: str) -> None:
        _SWAP.check(instance, self.word)
        req.clients.volume.show(req.context, old_id)
        device = attachments.of_volume(instance, old_id)
        _check_migration(req, old_id, new_id)
        attachments.begin_reserved(
            req, SwapVolume, instance, SwapState(device=device.uuid or '', old=old_id, new=new_id,
                                                 trust=req.clients.trust.entrust(req.context)),
            new_id, guard=_SWAP.guard(self.word))


def _change(req: Request, instance: objects.Instance, device: objects.BlockDeviceMapping,
            wanted: JsonObject) -> None:
    """Make the device what is wanted, as far as that can be changed.

    Raises:
        errors.Invalid: 400, something else differs.
    """
    there = {'device': device.device_name, 'tag': device.tag, 'serverId': instance.uuid, 'id': device.volume_id}
    for name, value in there.items():
        if name in wanted and wanted[name] != value:
            raise errors.Invalid(f'The {name} property is not mutable. Was {value!r}, wanted {wanted[name]!r}.')
    if 'delete_on_termination' not in wanted:
        return

    def alter(fresh: objects.Instance) -> None:
        attachments.of_volume(fresh, device.volume_id).delete_on_termination = types.is_true(
            wanted['delete_on_termination'])
    req.change(instance, alter, loads=('block_devices',))


def _check_migration(req: Request, old_id: str, new_id: str) -> None:
    """The volume service migrates the one volume to the other, and nobody else writes to it.

    Raises:
        VolumeInvalid: 400.
        VolumeNotMigrating: 409.
    """
    volume = req.clients.volume
    old = volume.show(None, old_id)
    try:
        new = volume.show(None, new_id)
    except errors.block.VolumeNotFound as error:
        raise errors.Invalid(error.message) from error
    if old.get('migration_status') in (None, 'none', 'success', 'error') or (
            new.get('migration_status') != f'target:{old_id}'):
        raise errors.block.VolumeNotMigrating(volume=old_id)
    if new['status'] != 'available':
        raise errors.block.VolumeInvalid(reason=f"volume '{new_id}' status must be 'available'. Currently in "
                                                f"'{new['status']}'")
    if new['size'] < old['size']:
        raise errors.block.VolumeInvalid(reason='the new volume is smaller than the old one')
    writers = [one for one in old['attachments'] if len(old['attachments']) > 1
               and volume.attachment(one['attachment_id'])['attach_mode'] == 'rw']
    if len(writers) > 1:
        raise errors.block.MultiattachSwap(volume=old_id)
