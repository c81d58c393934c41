"""Volumes of a server, by Cinder attachments: reserved, connected on the host, given up at the end.

An attachment is the one truth about who may use a volume: its id is in the block device's row before anything
is connected. Connection details are asked of Cinder whenever they are needed and kept nowhere.

A volume that is made with a server says in its metadata for which server, device and task, until that has been
written down: so it is found again when whoever asked for it did not live to write down its id, and is never
made twice; and what comes late is found by `nova.steps.late`.
"""

import contextlib
import logging
from typing import TYPE_CHECKING, Protocol

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import bdm
from nova.objects import fields
from nova.task.handles import Conductor, Handle, Host

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.clients.protocols import VolumeClient

LOG = logging.getLogger(__name__)

SERVER, DEVICE, TASK = TAGS = 'nova_server', 'nova_device', 'nova_task'
"""Keys of the metadata of volumes that are being made with a server, until its record has them."""

MAKING = frozenset({'creating', 'downloading'})
"""Statuses of a volume that is not there yet."""

SHARING = ('multiattach', 'shared_targets', 'service_uuid')
"""What a host has to know of a volume beside its connection: whether others use it, or its path to storage."""

PATIENCE = 4
"""How often it is tried to delete a volume of a build that has failed, before that is left to the deletion of
the server; less than the engine has."""


# Making ------------------------------------------------------------------------------------------

class Reserved(Protocol):
    """State of a flow that reserves volumes; `trust` is what it needs for that in the name of its user."""

    trust: str | None


class Made(Reserved, Protocol):
    """State of a flow that makes volumes, in the zone of the first of `selections`."""

    makes_volumes: bool
    selections: list[objects.Selection]


def makes_volumes(state: Made) -> bool:
    return bool(state.makes_volumes)


def make_volumes(h: Conductor, state: Made) -> None:
    """Ask for the volumes that the server brings into being; they take their time to become available.

    They are made as the user, which makes them his project's.
    """
    volumes = h.clients.volume
    there = {one['metadata'].get(DEVICE): one['id'] for one in _of_server(h)}
    user = h.clients.trust.trusted(h.context, state.trust)
    for device in filter(bdm.is_made, h.instance.block_devices):
        device.volume_id = there.get(device.device_name) or volumes.create(user, _wanted(h, state, device))


def made_for(clients: 'Clients', uuid: str, project: str | None) -> list[JsonObject]:
    """Volumes that say they were made for a server; strangers may write metadata too, but into their own."""
    return [one for one in clients.volume.find({SERVER: uuid})
            if one.get('os-vol-tenant-attr:tenant_id', project) == project]


def _of_server(h: Handle) -> list[JsonObject]:
    return made_for(h.clients, h.instance.uuid, h.instance.project_id)


def _wanted(h: Conductor, state: Made, device: objects.BlockDeviceMapping) -> JsonObject:
    """What to ask Cinder for. Where servers have to stay in their zone, the volume is made in the host's."""
    zone = None
    if not h.conf.cinder.cross_az_attach:
        zone = next((each.availability_zone for each in state.selections), None) or h.instance.availability_zone
    wanted = {
        'size': device.volume_size, 'volume_type': device.volume_type, 'availability_zone': zone,
        'name': f'{h.instance.uuid}-blank-vol' if device.source_type == 'blank' else '',
        'imageRef': device.image_id, 'snapshot_id': device.snapshot_id,
        'metadata': {SERVER: h.instance.uuid, DEVICE: device.device_name, TASK: h.task.uuid}}
    return {name: value for name, value in wanted.items() if value is not None}


def unmake_volumes(h: Conductor, state: objects.State) -> None:
    """Undo of `make_volumes`: whatever was made for the server is deleted, recorded or not.

    Cinder deletes none that it is still making. For a moment that is waited for; after it, or when the server
    is being deleted anyway, the record keeps the volume, which goes with its server whatever the user wished.
    """
    found = _of_server(h)
    there = {one['metadata'].get(DEVICE): one['id'] for one in found}
    made = [device for device in h.instance.block_devices if bdm.is_made(device)]
    for device in made:
        device.delete_on_termination = True
        device.volume_id = there.get(device.device_name) or device.volume_id
    left: set[str] = set()
    for ident in {*(one['id'] for one in found), *(device.volume_id for device in made if device.volume_id)}:
        try:
            h.clients.volume.delete(ident)
        except errors.block.VolumeBusy:
            if not h.task.cancel and h.task.tries < PATIENCE:
                raise
            left.add(ident)
    for each in made:
        if each.volume_id not in left:
            each.volume_id = fields.NOT_YET


def volumes_settled(h: Conductor, state: objects.State) -> bool:
    """Whether Cinder has made all of them, has given up, or has had all the time there is."""
    seconds = h.conf.block_device_allocate_retries * h.conf.block_device_allocate_retries_interval
    if h.task.elapsed(h.db.now()) >= seconds:
        return True
    made = filter(bdm.is_made, h.instance.block_devices)
    try:
        return not any(_status(h, device) in MAKING for device in made)
    except errors.Unavailable:
        return False


def _status(h: Handle, device: objects.BlockDeviceMapping) -> str:
    try:
        return str(h.clients.volume.show(None, device.volume_id)['status'])
    except errors.block.VolumeNotFound:
        return 'deleted'


def check_volumes(h: Conductor, state: objects.State) -> None:
    """The volumes are there, once each: a second one is what a request became whose sender died.

    The record has them, so their tags go: what carries one after that has come late, or is a copy.

    Raises:
        VolumeNotCreated: Cinder could not make one, or not in time.
    """
    for device in filter(bdm.is_made, h.instance.block_devices):
        status = _status(h, device)
        if status != 'available':
            raise errors.block.VolumeNotCreated(volume=device.volume_id, status=status)
    ours = {device.volume_id for device in h.instance.block_devices}
    for one in _of_server(h):
        if one['id'] not in ours:
            h.clients.volume.delete(one['id'])
    for device in filter(bdm.is_made, h.instance.block_devices):
        h.clients.volume.untag(device.volume_id, TAGS)


# Attaching ---------------------------------------------------------------------------------------

def volume_devices(instance: objects.Instance) -> list[objects.BlockDeviceMapping]:
    """The block devices that are volumes."""
    return [device for device in instance.block_devices if device.volume_id]


def root_volume(instance: objects.Instance) -> objects.BlockDeviceMapping:
    """The volume that it boots from; to be asked of a server that does."""
    root = instance.root_device
    if root is None or root.volume_id is None:
        raise errors.block.BlockDeviceInvalid(reason=f'Instance {instance.uuid} boots from no volume.')
    return root


def reserve_volumes(h: Conductor, state: Reserved) -> None:
    """Reserve the volumes for the server. Repeatable: a reservation that is there is found again.

    The user reserves what he named. His token is needed for nothing after that, and goes.
    """
    user = h.clients.trust.trusted(h.context, state.trust)
    for device in volume_devices(h.instance):
        device.attachment_id = h.clients.volume.reserve(
            device.volume_id, h.instance.uuid, None if bdm.is_made(device) else user)
    state.trust = None


def unreserve_volumes(h: Conductor, state: objects.State) -> None:
    """Undo of `reserve_volumes`: delete the attachments of the server, recorded or not."""
    for attachment in h.clients.volume.attachments(h.instance.uuid):
        h.clients.volume.detach(attachment['id'])
    for device in volume_devices(h.instance):
        device.attachment_id = None


def connect_volumes(h: Host, state: objects.State) -> None:
    """On the host: tell Cinder who connects and connect every volume; repeatable."""
    for device in volume_devices(h.instance):
        connect(h, device)


def connect(h: Host, device: objects.BlockDeviceMapping, connector: JsonObject | None = None) -> None:
    """`connect_volumes` of one of them; the device names the attachment that is connected.

    Args:
        connector: what Cinder is told of the host, where that is not what the host says of itself.
    """
    volumes = h.clients.volume
    connection = volumes.connect(
        device.attachment_id or '', {**(connector or h.driver.connector()), 'mountpoint': device.device_name})
    if connection['attachment_id'] != device.attachment_id:  # unchanged, it is no change of the record
        device.attachment_id = connection['attachment_id']
    volume = volumes.show(None, device.volume_id)
    told = {**connection, **{name: volume.get(name) for name in SHARING}}
    if connection.get('encrypted'):
        told['encryption'] = volumes.encryption(str(device.volume_id))
    h.driver.connect_volume(h, device, told)


def drop_unnamed(h: Conductor, state: objects.State) -> None:
    """Delete the attachments of the server that its record does not name."""
    devices = volume_devices(h.instance)
    kept = {device.attachment_id for device in devices}
    for attachment in h.clients.volume.attachments(h.instance.uuid) if devices else ():
        if attachment['id'] not in kept:
            h.clients.volume.detach(attachment['id'])


def let_go(h: Host) -> None:
    """On the host: disconnect the server's volumes; its attachments stay."""
    for device in volume_devices(h.instance):
        h.driver.disconnect_volume(h, device)


def disconnect_volumes(h: Host, state: objects.State) -> None:
    """On the host: `let_go`, and nothing else. One that was given up does so when it returns, and by then the
    server's attachments may be another host's."""
    let_go(h)


def renew_attachments(h: Conductor) -> None:
    """A host is left: the volumes stay reserved for the server, by attachments that it does not know.

    An attachment that has met a host cannot forget it. A host that was given up, and goes on later, finds
    that there is none.
    """
    for device in volume_devices(h.instance):
        reserve_anew(h.clients.volume, h.instance.uuid, device)


def reserve_anew(volumes: 'VolumeClient', server: str, device: objects.BlockDeviceMapping) -> None:
    """Cinder reserves no volume that a host is connecting; one that is in use, it does.

    Where it does not (the volume is gone, or is somebody else's now), the server has lost it: who connects
    next is told so.
    """
    mine = [one for one in volumes.attachments(server) if one['volume_id'] == device.volume_id]
    if all(one['status'] == 'attaching' for one in mine):
        for one in mine:
            volumes.complete(one['id'])
    fresh = None
    try:
        fresh = volumes.reserve(device.volume_id, server)
    except (errors.block.VolumeNotFound, errors.block.VolumeBusy) as error:
        LOG.warning('Server %s has lost volume %s while it was built: %s', server, device.volume_id, error)
    for one in mine:
        if one['id'] != fresh:
            volumes.detach(one['id'])
    device.attachment_id = fresh or device.attachment_id


def complete_attachments(h: Handle, state: objects.State) -> None:
    """Complete the attachments, so that Cinder shows the volumes in use."""
    for device in volume_devices(h.instance):
        h.clients.volume.complete(device.attachment_id or '')


def release_volumes(h: Conductor, state: objects.State) -> None:
    """End of a server: delete its attachments, and the volumes that end with it.

    Asks Cinder for the server's attachments rather than trusting the rows: what a crash left is found too.
    """
    volumes = h.clients.volume
    for attachment in volumes.attachments(h.instance.uuid):
        volumes.detach(attachment['id'])
    for device in volume_devices(h.instance):
        if device.delete_on_termination:
            delete_volume(volumes, device.volume_id)


def delete_volume(volumes: 'VolumeClient', volume_id: str) -> None:
    """Delete a volume that ends with its server; one that is shared with another server stays (MAT-F3).

    Raises:
        VolumeBusy: it is still being made, and can be deleted later.
    """
    try:
        volumes.delete(volume_id)
    except (errors.Conflict, errors.Invalid):
        if volumes.show(None, volume_id)['status'] in MAKING:
            raise
        with contextlib.suppress(errors.Conflict, errors.Invalid):  # perhaps it has become available just now
            volumes.delete(volume_id)
