"""From what a user said about disks to the block devices of a server: order of booting, sizes, names.

The two request syntaxes (``block_device_mapping`` and ``..._v2``) become one list of `BlockDeviceMapping`
records; what the flavor promises and the user left out (swap, ephemeral disk, the image's own root disk) is
added. Nothing here asks another service: whether a volume exists and may be used is the caller's to find out.
"""

import re
import string
from collections.abc import Iterable, Sequence

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.objects import fields
from nova.objects.block_device import BlockDeviceMapping

Device = JsonObject

BUSES = frozenset({'fdc', 'ide', 'lxc', 'sata', 'scsi', 'uml', 'usb', 'virtio', 'xen', 'none'})
_PREFIX = {'ide': 'hd', 'scsi': 'sd', 'sata': 'sd', 'usb': 'sd', 'fdc': 'fd', 'xen': 'xvd'}


def _wrong(reason: str) -> errors.block.BlockDeviceInvalid:
    return errors.block.BlockDeviceInvalid(reason=reason)


def parse(legacy: Sequence[Device] | None, modern: Sequence[Device] | None) -> list[BlockDeviceMapping]:
    """The devices a request names, in its order.

    Raises:
        BlockDeviceInvalid: both syntaxes at once, or an entry that makes no sense by itself.
    """
    if legacy and modern:
        raise errors.Invalid(
            'Using different block_device_mapping syntaxes is not allowed in the same request.')
    if modern:
        return [_modern(entry) for entry in modern if not _given(entry, 'no_device')]
    return [device for entry in legacy or () if (device := _legacy(entry)) is not None]


def _given(entry: Device, key: str) -> bool:
    return entry.get(key) not in (None, '', False)


def _modern(entry: Device) -> BlockDeviceMapping:
    source = entry.get('source_type') or _source(entry)
    target = entry.get('destination_type') or ('local' if source in ('blank', 'image') else 'volume')
    ident = entry.get('uuid') or entry.get(f'{source}_id')
    if source != 'blank' and not ident:
        raise _wrong('Missing device UUID.')
    if source == 'blank' and ident:
        raise _wrong('Invalid device UUID.')
    if source in ('volume', 'snapshot') and target == 'local':
        raise _wrong(f'Mapping {source} to local is not supported.')
    boot_index = _whole(entry.get('boot_index'), 'boot_index')
    if source == 'image' and target == 'local' and boot_index != 0:
        raise _wrong('Mapping image to local is not supported.')
    return _device(entry, source, target, ident, None if boot_index is None or boot_index < 0 else boot_index)


def _source(entry: Device) -> str:
    return next((kind for kind in ('volume', 'snapshot', 'image') if _given(entry, f'{kind}_id')), 'blank')


def _legacy(entry: Device) -> BlockDeviceMapping | None:
    """The first syntax knew volumes, snapshots, and local disks by the words ``swap`` and ``ephemeralN``."""
    if _given(entry, 'no_device'):
        return None
    virtual = str(entry.get('virtual_name') or '')
    if _given(entry, 'volume_id'):
        return _device(entry, 'volume', 'volume', entry['volume_id'])
    if _given(entry, 'snapshot_id'):
        return _device(entry, 'snapshot', 'volume', entry['snapshot_id'])
    if virtual == 'swap':
        return _device({**entry, 'guest_format': 'swap', 'delete_on_termination': True}, 'blank', 'local', None)
    if virtual.startswith('ephemeral') and virtual[len('ephemeral'):].isdigit():
        return _device({**entry, 'delete_on_termination': True}, 'blank', 'local', None)
    raise _wrong('Unrecognized legacy format.')


def _device(entry: Device, source: str, target: str, ident: str | None,
            boot_index: int | None = None) -> BlockDeviceMapping:
    bus = entry.get('disk_bus') or None
    if bus is not None and bus not in BUSES:
        raise _wrong(f"Disk bus '{bus}' is not known.")
    return BlockDeviceMapping(
        source_type=source, destination_type=target, boot_index=boot_index,
        image_id=ident if source == 'image' else None,
        snapshot_id=ident if source == 'snapshot' else None,
        volume_id=ident if source == 'volume' and ident else fields.NOT_YET,
        volume_size=_whole(entry.get('volume_size'), 'volume_size'),
        volume_type=entry.get('volume_type') or None,
        device_name=path(entry.get('device_name')), device_type=entry.get('device_type') or None,
        disk_bus=bus, guest_format=entry.get('guest_format') or None, tag=entry.get('tag'),
        delete_on_termination=_truth(entry.get('delete_on_termination')))


def _whole(value: str | int | None, name: str) -> int | None:
    if value in (None, ''):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise _wrong(f'{name} must be an integer.') from None


def _truth(value: object) -> bool:
    return value is True or str(value).lower() in ('true', '1', 'on', 'yes')


def path(name: str | None) -> str | None:
    """A device's name as guests have it, ``/dev/vda``."""
    if not name:
        return None
    return name if name.startswith('/dev/') else f'/dev/{name}'


# What the flavor and the image add ---------------------------------------------------------------

def complete(devices: Sequence[BlockDeviceMapping], image_id: str | None, swap_mb: int, ephemeral_gb: int,
             legacy: bool = False, local_limit: int = -1) -> list[BlockDeviceMapping]:
    """All devices of the server, the root disk first where the image brings it.

    Args:
        image_id: image of the request; None boots from a volume.
        swap_mb, ephemeral_gb: what the flavor allows, and gives when the user asks for none.
        legacy: the first syntax, which has no boot_index: without an image its first volume boots, with one the
            image does.
        local_limit: how many local disks a server may have; negative is any number.

    Raises:
        BlockDeviceInvalid: no or no unambiguous boot order, or more local disk than the flavor has.
    """
    chosen = list(devices)
    root = boot_device(chosen)
    if image_id and root is None:
        chosen.insert(0, _root_disk(image_id))
    elif not image_id and root is not None and (root.source_type, root.destination_type) == ('image', 'local'):
        raise _wrong('A local root disk is made of the image that the request names as imageRef.')
    if legacy and not image_id:
        first = next((device for device in chosen if device.destination_type == 'volume'), None)
        if first is not None:
            first.boot_index = 0
    _check_boot_order(chosen)
    chosen += _missing_locals(chosen, swap_mb, ephemeral_gb)
    _check_sizes(chosen, swap_mb, ephemeral_gb, local_limit)
    return chosen


def _root_disk(image_id: str) -> BlockDeviceMapping:
    return _device({'delete_on_termination': True, 'device_type': 'disk'}, 'image', 'local', image_id, 0)


def is_swap(device: BlockDeviceMapping) -> bool:
    return device.source_type == 'blank' and device.guest_format == 'swap'


def is_ephemeral(device: BlockDeviceMapping) -> bool:
    return (device.source_type, device.destination_type) == ('blank', 'local') and not is_swap(device)


def is_volume(device: BlockDeviceMapping) -> bool:
    """Whether the disk lives in the volume service."""
    return device.destination_type == 'volume'


def is_made(device: BlockDeviceMapping) -> bool:
    """Whether it is a volume that is made with the server, of an image, a snapshot or nothing."""
    return is_volume(device) and device.source_type != 'volume'


def boot_device(devices: Iterable[BlockDeviceMapping]) -> BlockDeviceMapping | None:
    return next((device for device in devices if device.boot_index == 0), None)


def volume_backed(devices: Iterable[BlockDeviceMapping]) -> bool:
    """Whether the root disk is a volume: then the host needs no room for it."""
    root = boot_device(devices)
    return root is not None and is_volume(root)


def _missing_locals(devices: list[BlockDeviceMapping], swap_mb: int,
                    ephemeral_gb: int) -> list[BlockDeviceMapping]:
    more = []
    if ephemeral_gb and not any(is_ephemeral(device) for device in devices):
        more.append(_device({'delete_on_termination': True, 'volume_size': ephemeral_gb},
                            'blank', 'local', None))
    if swap_mb and not any(is_swap(device) for device in devices):
        more.append(_device({'delete_on_termination': True, 'volume_size': swap_mb, 'guest_format': 'swap'},
                            'blank', 'local', None))
    return more


def _check_boot_order(devices: list[BlockDeviceMapping]) -> None:
    order = sorted(device.boot_index for device in devices if device.boot_index is not None)
    if not order or order != list(range(len(order))):
        raise _wrong('Boot sequence for the instance and image/block device mapping combination is not valid.')


def _check_sizes(devices: list[BlockDeviceMapping], swap_mb: int, ephemeral_gb: int, limit: int) -> None:
    swaps = [device for device in devices if is_swap(device)]
    ephemerals = [device for device in devices if is_ephemeral(device)]
    if len(swaps) > 1:
        raise _wrong('More than one swap drive requested.')
    for device in swaps:
        device.volume_size = swap_mb if device.volume_size is None else device.volume_size
    for device in ephemerals:
        device.volume_size = ephemeral_gb if device.volume_size is None else device.volume_size
    if sum(device.volume_size or 0 for device in ephemerals) > ephemeral_gb:
        raise _wrong('Ephemeral disks requested are larger than the instance type allows.')
    if any((device.volume_size or 0) > swap_mb for device in swaps):
        raise _wrong('Swap drive requested is larger than instance type allows.')
    for device in devices:
        if is_made(device) and device.source_type != 'snapshot' and not device.volume_size:
            raise _wrong(f'Volume size must be given to make a volume from {device.source_type}.')
    if 0 <= limit < sum(device.destination_type == 'local' for device in devices):
        raise _wrong(f'You specified more local devices than the limit allows ({limit}).')


# Names -------------------------------------------------------------------------------------------

def letters(number: int) -> str:
    """0 -> a, 25 -> z, 26 -> aa: how kernels count disks."""
    name = ''
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = string.ascii_lowercase[rest] + name
    return name


def name_devices(devices: Sequence[BlockDeviceMapping], root_name: str | None = None,
                 bus: str = 'virtio') -> str | None:
    """Give every device a name that no other one has; return that of the root disk.

    Names the user chose are kept. They are hints: a guest may see another one.

    Raises:
        BlockDeviceInvalid: two devices were given the same name, or one the root disk's.
    """
    taken = [device.device_name for device in devices if device.device_name]
    if len(set(taken)) != len(taken):
        raise _wrong('Two devices have the same name.')
    root = boot_device(devices)
    used = set(taken)
    ordered = sorted(devices, key=lambda each: (each is not root, is_swap(each), not is_ephemeral(each)))
    for device in ordered:
        if device.device_name:
            continue
        if device is root:
            device.device_name = path(root_name) or next_name((), device.disk_bus or bus)
            if device.device_name in used:
                raise _wrong(f'The root disk is {device.device_name}, which another device was given.')
        else:
            device.device_name = next_name(used, device.disk_bus or bus)
        used.add(device.device_name)
    return root.device_name if root else None


def bus_of(name: str | None) -> str:
    """A bus whose devices are named like this one."""
    prefixes = {prefix: bus for bus, prefix in reversed(_PREFIX.items())}
    found = re.fullmatch(r'(?:/dev/)?([a-z]+?d)[a-z]+[0-9]*', name or '')
    return prefixes.get(found[1], 'virtio') if found else 'virtio'


def next_name(used: Iterable[str], bus: str = 'virtio') -> str:
    """The first free device path on a bus."""
    taken, prefix, number = set(used), _PREFIX.get(bus, 'vd'), 0
    while (name := f'/dev/{prefix}{letters(number)}') in taken:
        number += 1
    return name
