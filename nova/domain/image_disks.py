"""The disks that an image brings along: a snapshot of a volume-backed server is an image that names snapshots.

Images say so in the property ``block_device_mapping``, a list or its JSON text, in the newer form where
``bdm_v2`` is true, else in the older; and in ``mappings``, which names local disks of the flavor.
"""

from collections.abc import Sequence

from nova import errors
from nova.common import jsonutil
from nova.common.jsonutil import JsonObject
from nova.domain import bdm
from nova.objects.block_device import BlockDeviceMapping
from nova.objects.image_meta import ImageProperties


def parse(properties: ImageProperties, swap_mb: int, ephemeral_gb: int) -> list[BlockDeviceMapping]:
    """The disks of an image, the one it boots from marked as such.

    Args:
        swap_mb, ephemeral_gb: what the flavor has; ``mappings`` means nothing without.

    Raises:
        BlockDeviceInvalid: the image says what makes no sense.
    """
    listed = _entries(properties.block_device_mapping, 'block_device_mapping')
    if str(properties.rest.get('bdm_v2')).lower() in ('true', '1', 'yes'):
        devices = bdm.parse(None, listed)
    else:
        devices = bdm.parse(listed, None)
        _mark_root(devices, properties.root_device_name)
    names = {device.device_name for device in devices}
    able = {'swap': swap_mb, 'ephemeral': ephemeral_gb}
    local = [{'virtual_name': str(each.get('virtual')), 'device_name': each.get('device')}
             for each in _entries(properties.mappings, 'mappings')
             if able.get(str(each.get('virtual')).rstrip('0123456789'))]
    return devices + [device for device in bdm.parse(local, None) if device.device_name not in names]


def _entries(value: object, name: str) -> list[JsonObject]:
    try:
        found = jsonutil.loads(value) if isinstance(value, str | bytes) and value else value or []
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise errors.block.BlockDeviceInvalid(reason=f"Image property '{name}' is no list of objects.")
    return found


def _mark_root(devices: Sequence[BlockDeviceMapping], root_name: str | None) -> None:
    """The older form has no order: the disk with the root's name boots, or the first one that is a volume."""
    volumes = [device for device in devices if bdm.is_volume(device)]
    named = [device for device in volumes if root_name and device.device_name == bdm.path(root_name)]
    for device in [*named, *volumes][:1]:
        device.boot_index = 0


def merge(asked: Sequence[BlockDeviceMapping],
          brought: Sequence[BlockDeviceMapping]) -> list[BlockDeviceMapping]:
    """What a request and its image name together: by the name of the device the request has the last word.

    An image that has a disk to boot from is not itself the disk, though clients say so in the request.
    """
    kept = list(asked)
    if bdm.boot_device(brought) is not None:
        kept = [device for device in kept if not (device.boot_index == 0 and device.source_type == 'image')]
    names = {device.device_name for device in kept if device.device_name}
    booted = bdm.boot_device(kept) is not None
    return kept + [device for device in brought if device.device_name not in names
                   and not (booted and device.boot_index == 0)]
