"""POST os-volume_attachments: everything that can be refused is refused before the answer; the rest is a task.

The server's turn, the device and its name are written in one transaction; then the volume is reserved, in the
user's name; then the task begins. No host is asked. Who dies between leaves a task that begins by itself after
a while, and does what is missing.
"""


import sqlalchemy as sa
from oslo_config import cfg

from nova import errors, objects
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.domain import bdm, placement_request
from nova.ops.attach_volume import flow, wire
from nova.policies import volumes_attachments as rules
from nova.rest import types
from nova.rest.resource import Body, One, Reply
from nova.schema.volume_attachment import Attached, VolumeAttachment
from nova.steps import attachments
from nova.task.action import Action
from nova.task.guard import From
from nova.task.handles import Request

SHARED, LATER = '2.60', '2.101'
WITH_TAG = 'COMPUTE_VOLUME_ATTACH_WITH_TAG'


class AttachVolume(Action):
    method, path = 'POST', '/servers/{server_id}/os-volume_attachments'
    name = 'attach_volume'
    rule = rules.CREATE
    body = Body(VolumeAttachment, face='create', under='volumeAttachment')
    start = From(*attachments.STATES)
    status = {'2.1': 200, LATER: 202}
    returns = One(None, Attached, 'created')

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply | None:
        attachments.check_shelved(req, instance, self.word)
        wanted = body['volumeAttachment']
        volume = req.clients.volume.show(req.context, wanted['volumeId'])
        _check_volume(req, instance, volume)
        _check_host(req, instance, volume, wanted.get('tag'))
        device = objects.BlockDeviceMapping(
            uuid=uuids.generate(), instance_uuid=instance.uuid, source_type='volume', destination_type='volume',
            volume_id=volume['id'], volume_size=volume['size'], device_name=bdm.path(wanted.get('device')),
            tag=wanted.get('tag'), delete_on_termination=types.is_true(wanted.get('delete_on_termination')))
        device = self._reserved(req, instance, device, shared=bool(volume.get('multiattach')))
        return None if req.at(LATER) else Reply(subject=device)

    def _reserved(self, req: Request, instance: objects.Instance, device: objects.BlockDeviceMapping, *,
                  shared: bool) -> objects.BlockDeviceMapping:
        """The device with its name, once the volume is reserved and the task begins.

        Args:
            shared: other servers may have the volume, too.
        """
        kept: list[objects.BlockDeviceMapping] = []
        rows, uuid = objects.BlockDeviceMapping, device.uuid
        assert uuid is not None, 'a device that is made is named before anything is written'

        def keep(conn: sa.Connection, fresh: objects.Instance) -> None:
            kept[:] = [device.copy()]
            there = rows.beside(conn, instance.uuid, device.volume_id)
            if not shared:
                _check_others(conn, device, there)
            own = [each for each in there if each.instance_uuid == instance.uuid]
            _name(conn, req.conf, fresh, kept[0], own)
            kept[0].create(conn)
        state = wire.AttachState(device=uuid, volume_id=device.volume_id,
                                 trust=req.clients.trust.entrust(req.context))
        attachments.begin_reserved(
            req, flow.AttachVolume, instance, state, device.volume_id, guard=self.guard(), also=keep,
            keep=lambda conn, attachment: rows.keep_attachment(conn, uuid, attachment),
            drop=lambda conn: rows.drop(conn, uuid))
        return kept[0]


def _check_volume(req: Request, instance: objects.Instance, volume: JsonObject) -> None:
    """The volume can be attached to this server.

    Raises:
        MultiattachUnsupported, VolumeInvalid: 400.
    """
    shared = bool(volume.get('multiattach'))
    if shared and (not req.at(SHARED) or instance.vm_state == 'shelved_offloaded'):
        raise errors.block.MultiattachUnsupported(volume=volume['id'])
    if any(device.volume_id == volume['id'] for device in instance.block_devices
           ) and not _is_back(instance, volume):
        raise errors.block.VolumeInvalid(reason=f'volume {volume["id"]} already attached')
    allowed = ('available', 'in-use') if shared else ('available',)
    if volume['status'] not in allowed:
        raise errors.block.VolumeInvalid(
            reason=f"volume '{volume['id']}' status must be {' or '.join(repr(word) for word in allowed)}. "
                   f"Currently in '{volume['status']}'")
    zone = volume.get('availability_zone')
    if not req.conf.cinder.cross_az_attach and instance.availability_zone not in (None, zone):
        raise errors.block.VolumeInvalid(
            reason='Server and volume are not in the same availability zone. Server is in: '
                   f'{instance.availability_zone}. Volume is in: {zone}')


def _is_back(instance: objects.Instance, volume: JsonObject) -> bool:
    """Whether the volume service has the volume back of this server, whose device of it may be about to go."""
    users = [each['server_id'] for each in volume['attachments']]
    return volume['status'] == 'available' or bool(volume.get('multiattach')) and instance.uuid not in users


def _check_host(req: Request, instance: objects.Instance, volume: JsonObject, tag: str | None) -> None:
    """The host can do what this attachment needs, as far as it needs more than any host can.

    Raises:
        MultiattachUnsupported, TaggedAttachUnsupported: 400.
    """
    if not (tag or volume.get('multiattach')) or not attachments.has_guest(instance):
        return
    traits = req.clients.placement.traits(instance.compute_id) if instance.compute_id else set()
    if tag and WITH_TAG not in traits:
        raise errors.block.TaggedAttachUnsupported()
    if volume.get('multiattach') and placement_request.MULTIATTACH not in traits:
        raise errors.block.MultiattachUnsupported(volume=volume['id'])


def _check_others(conn: sa.Connection, device: objects.BlockDeviceMapping,
                  there: list[objects.BlockDeviceMapping]) -> None:
    """No other server of the cell has the volume, whatever the volume service says of it: an operator may have
    had it forget an attachment (``os-reset_status``) that a guest uses still. A device without an attachment
    (its server could not be built) has nothing.

    Raises:
        VolumeInvalid: another one has it.
        VolumeLeaves: another one is losing it; 409 if that takes long.
    """
    for each in there:
        if each.instance_uuid != device.instance_uuid and each.attachment_id is not None:
            _refuse(conn, each)


def _refuse(conn: sa.Connection, there: objects.BlockDeviceMapping) -> None:
    """A device has the volume already.

    Raises:
        VolumeLeaves: it is being detached, and the volume service has it back.
        VolumeInvalid: it stays.
    """
    if attachments.is_leaving(conn, there):
        raise errors.block.VolumeLeaves(volume=there.volume_id, server=there.instance_uuid)
    raise errors.block.VolumeInvalid(
        reason=f'volume {there.volume_id} already attached to instance {there.instance_uuid}')


def _name(conn: sa.Connection, conf: cfg.ConfigOpts, instance: objects.Instance,
          device: objects.BlockDeviceMapping, there: list[objects.BlockDeviceMapping]) -> None:
    """Give the device a name that no other one of the server has; the server's turn is ours meanwhile.

    Args:
        there: the devices that the server has.

    Raises:
        VolumeInvalid: the server has the volume already.
        VolumeLeaves: it is being detached, and the volume service has it back; 409 if that takes long.
        TooManyDevices: 403.
        DeviceNameTaken: 409.
    """
    for each in there:
        if each.volume_id == device.volume_id:
            _refuse(conn, each)
    most = conf.compute.max_disk_devices_to_attach
    if 0 <= most <= len(there):
        raise errors.block.TooManyDevices(most=most)
    used = {each.device_name for each in there if each.device_name} | {instance.root_device_name or ''}
    if device.device_name in used:
        raise errors.block.DeviceNameTaken(device=device.device_name)
    root = instance.root_device_name or next((each.device_name for each in there if each.is_root), None)
    device.device_name = device.device_name or bdm.next_name(used, bdm.bus_of(root))
