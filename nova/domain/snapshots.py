"""What an image of a server says: of the server, of the image that it was made of, and what its user adds."""

from collections.abc import Collection, Mapping, Sequence

from nova import errors
from nova.common import jsonutil
from nova.common.jsonutil import JsonObject
from nova.objects.block_device import BlockDeviceMapping
from nova.objects.image_meta import ImageProperties
from nova.objects.instance import Instance

Values = JsonObject

NEVER_INHERITED = frozenset({
    'img_signature', 'img_signature_hash_method', 'img_signature_key_type', 'img_signature_certificate_uuid',
    'cinder_encryption_key_id', 'cinder_encryption_key_deletion_policy',
    'block_device_mapping', 'bdm_v2', 'mappings', 'root_device_name'})
"""Properties of an image that are of its own data, and not of what a server makes of them."""

ATTRIBUTES = frozenset({
    'id', 'name', 'status', 'visibility', 'protected', 'checksum', 'owner', 'size', 'virtual_size',
    'container_format', 'disk_format', 'min_disk', 'min_ram', 'created_at', 'updated_at', 'tags', 'self',
    'file', 'schema', 'os_hidden', 'os_hash_algo', 'os_hash_value', 'direct_url', 'locations', 'stores',
    'members'})
"""What an image has beside properties: no property can be called so."""

_DISKS = frozenset({'raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'vdi', 'ploop'})
"""Formats in which a disk is uploaded; that of a server made from anything else is raw."""

SNAPSHOT, BACKUP = 'snapshot', 'backup'


def values(image_id: str, server: Instance, name: str, kind: str, own: Mapping[str, str],
           dropped: Collection[str] = ()) -> Values:
    """An image of a server, without data yet, as the image service registers it.

    Args:
        kind: `SNAPSHOT` or `BACKUP`.
        own: what the user says of it; that has the last word about what is inherited.
        dropped: properties that servers do not pass on here.

    Raises:
        errors.Invalid: the user names a property as an attribute of images is called.
    """
    wrong = sorted(ATTRIBUTES & set(own))
    if wrong:
        raise errors.Invalid(f"An image's '{wrong[0]}' cannot be set by metadata.")
    meta = server.image_meta
    disk = meta.disk_format if meta is not None and meta.disk_format in _DISKS else 'raw'
    return {
        **_inherited(meta.properties if meta is not None else None, dropped),
        'image_type': kind, 'instance_uuid': server.uuid, 'user_id': server.user_id,
        **({'base_image_ref': server.image_ref} if server.image_ref else {}), **own,
        'id': image_id, 'name': name, 'visibility': 'private', 'container_format': 'bare', 'disk_format': disk,
        'min_ram': meta.min_ram if meta is not None else 0, 'min_disk': server.root_gb or 0}


def _inherited(properties: ImageProperties | None, dropped: Collection[str]) -> Values:
    found = properties.to_image() if properties is not None else {}
    return {key: str(value) for key, value in found.items()
            if value is not None and key not in NEVER_INHERITED | set(dropped) | ATTRIBUTES}


def of_volumes(plain: Values, root: str | None, devices: Sequence[BlockDeviceMapping],
               snapshots: Mapping[str, str]) -> Values:
    """What an image without data says of disks: servers made from it get volumes made of these snapshots.

    Args:
        plain: the image's values, as `values` makes them.
        root: path of the disk that the server boots from.
        snapshots: volume to snapshot.
    """
    listed = [_entry(device, snapshots) for device in devices]
    return {**plain, 'bdm_v2': 'True', 'root_device_name': root or '/dev/vda', 'min_disk': 0,
            'disk_format': 'raw', 'block_device_mapping': jsonutil.text(listed)}


def _entry(device: BlockDeviceMapping, snapshots: Mapping[str, str]) -> JsonObject:
    taken = snapshots.get(device.volume_id or '')
    source = 'snapshot' if taken else device.source_type
    said = {
        'source_type': source, 'destination_type': device.destination_type, 'snapshot_id': taken,
        'image_id': device.image_id if source == 'image' else None, 'boot_index': device.boot_index,
        'device_name': device.device_name, 'device_type': device.device_type, 'disk_bus': device.disk_bus,
        'guest_format': device.guest_format, 'tag': device.tag, 'volume_size': device.volume_size,
        'delete_on_termination': device.delete_on_termination}
    return {key: value for key, value in said.items() if value is not None}
