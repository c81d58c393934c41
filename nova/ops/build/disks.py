"""The disks a request names: every volume, snapshot, image and type among them looked at, as the user."""

import dataclasses
from collections.abc import Sequence

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import bdm, image_disks
from nova.ops.build import destination
from nova.policies import servers as rules
from nova.task.handles import Request

MULTIATTACH = '2.60'


def block_devices(req: Request, server: JsonObject, image: objects.ImageMeta | None,
                  flavor: objects.Flavor) -> list[objects.BlockDeviceMapping]:
    """The disks of a new server, each with its size; images, snapshots and volumes that they name exist.

    Args:
        image: the `ImageMeta` that the request names, which may bring disks along; or None.
    """
    image_ref = image.id if image is not None else None
    legacy, modern = server.get('block_device_mapping'), server.get('block_device_mapping_v2')
    devices = bdm.parse(legacy, modern)
    if devices:
        req.authorize(rules.CREATE_ATTACH_VOLUME)
    if not image_ref and not devices:
        raise errors.Invalid('Invalid imageRef provided.')
    root = bdm.boot_device(devices)
    source = image
    if root is not None and root.image_id not in (None, image_ref):
        source = _find_image(req, root.image_id)
    if source is not None:
        devices = image_disks.merge(devices, image_disks.parse(
            source.properties, flavor.swap, flavor.ephemeral_gb))
    devices = bdm.complete(devices, image_ref, flavor.swap, flavor.ephemeral_gb, legacy=bool(legacy),
                           local_limit=req.conf.max_local_block_devices)
    seen: set[str] = set()
    for device in devices:
        if device.volume_id:
            _check_volume(req, device)
            if device.volume_id in seen:
                raise errors.block.BlockDeviceInvalid(reason=f'Volume {device.volume_id} is named twice.')
            seen.add(device.volume_id)
        elif device.snapshot_id:
            size = _find_snapshot(req, device.snapshot_id)['size']
            device.volume_size = device.volume_size or size
        elif device.image_id and device.image_id != image_ref and device is not root:
            _find_image(req, device.image_id)
    _check_types(req, devices)
    return devices


def shares(req: Request, devices: Sequence[objects.BlockDeviceMapping]) -> bool:
    """Whether one of the volumes may be used by other servers too; then not every host will do (MAT-F1)."""
    return any(_find_volume(req, device.volume_id).get('multiattach') for device in devices if device.volume_id)


def check_sharing(devices: Sequence[objects.BlockDeviceMapping], count: int) -> None:
    """Several servers of one request cannot have the same volume; each gets its own of those that are made.

    Raises:
        errors.Invalid: they were told to.
    """
    if count > 1 and any(device.volume_id for device in devices):
        raise errors.block.BlockDeviceInvalid(reason='Several servers of one request cannot share a volume.')


def _check_volume(req: Request, device: objects.BlockDeviceMapping) -> None:
    volume = _find_volume(req, device.volume_id)
    shared = bool(volume.get('multiattach'))
    if shared and not req.at(MULTIATTACH):
        raise errors.block.MultiattachUnsupported(volume=device.volume_id)
    allowed = ('available', 'in-use') if shared else ('available',)
    if volume['status'] not in allowed:
        raise errors.block.VolumeInvalid(reason=f"volume '{device.volume_id}' status must be "
                                                f"'available'. Currently in '{volume['status']}'")
    if device.boot_index == 0 and str(volume.get('bootable')).lower() != 'true':
        raise errors.block.BlockDeviceInvalid(reason=f'Block Device {device.volume_id} is not bootable.')
    device.volume_size = volume['size']


def _find_volume(req: Request, ident: str) -> JsonObject:
    try:
        return dict(req.clients.volume.show(req.context, ident))
    except errors.block.VolumeNotFound as error:
        raise errors.block.BlockDeviceInvalid(reason=f'failed to get volume {ident}.') from error


def _find_snapshot(req: Request, ident: str) -> JsonObject:
    try:
        return dict(req.clients.volume.snapshot(req.context, ident))
    except errors.block.SnapshotNotFound as error:
        raise errors.block.BlockDeviceInvalid(reason=f'failed to get snapshot {ident}.') from error


def _find_image(req: Request, ident: str) -> objects.ImageMeta:
    try:
        return req.clients.image.show(ident, req.context)
    except (errors.image.ImageNotFound, errors.image.ImageForbidden) as error:
        raise errors.block.BlockDeviceInvalid(reason=f'failed to get image {ident}.') from error


def _check_types(req: Request, devices: Sequence[objects.BlockDeviceMapping]) -> None:
    """Types of volumes to be made exist; from here on they go by their names."""
    typed = [device for device in devices if device.volume_type]
    known = req.clients.volume.types(req.context) if typed else []
    names = {**{kind['id']: kind['name'] for kind in known}, **{kind['name']: kind['name'] for kind in known}}
    for device in typed:
        if device.volume_type not in names:
            raise errors.block.VolumeTypeNotFound(volume_type=device.volume_type)
        device.volume_type = names[device.volume_type]


def keep_in_zone(req: Request, devices: Sequence[objects.BlockDeviceMapping],
                 target: destination.Target) -> destination.Target:
    """Where volumes cannot be attached across zones: the target, in the zone of the volumes.

    Raises:
        VolumeInvalid: they are elsewhere than the server is to be, or in several zones.
    """
    if req.conf.cinder.cross_az_attach:
        return target
    zone = target.zone
    for ident in [device.volume_id for device in devices if device.volume_id]:
        theirs = _find_volume(req, ident).get('availability_zone')
        zone = zone or theirs
        if theirs != zone:
            raise errors.block.VolumeInvalid(
                reason=f'Server and volume are not in the same availability zone. Server is in: {zone}. '
                       f'Volume is in: {theirs}')
    return dataclasses.replace(target, zone=zone)


# Images ------------------------------------------------------------------------------------------

def boot_image(req: Request, image: objects.ImageMeta | None,
               devices: Sequence[objects.BlockDeviceMapping]) -> objects.ImageMeta:
    """The image the root disk comes from; volumes remember what they, or those they stem from, were made of."""
    if image is not None:
        return image
    root = bdm.boot_device(devices)
    if root is not None and root.image_id:
        return _find_image(req, root.image_id)
    volume = root.volume_id if root is not None else None
    if root is not None and root.snapshot_id:
        volume = _find_snapshot(req, root.snapshot_id)['volume_id']
    return objects.ImageMeta.from_volume(_find_volume(req, volume) if volume else {})


def check_flavor_disk(req: Request, flavor: objects.Flavor,
                      devices: Sequence[objects.BlockDeviceMapping]) -> None:
    """A flavor without a root disk is for boot volumes, unless policy says otherwise."""
    if flavor.root_gb == 0 and not bdm.volume_backed(devices) and not req.can(rules.CREATE_ZERO_DISK_FLAVOR):
        raise errors.Forbidden('Only volume-backed servers are allowed for flavors with zero disk.')
