"""What has to be known and right about a request for servers before anything is written.

Each check asks the service that knows, as the user, and answers 4xx; together they make an `Order`, from which
the records of every server of the request are made.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from nova import errors, objects
from nova.common import units
from nova.domain import bdm, networks, userdata
from nova.ops.build import destination
from nova.policies import servers as rules

MULTIATTACH = '2.60'


@dataclasses.dataclass(slots=True)
class Order:
    """A request that was found right.

    Attributes:
        low, high: how many servers at least and at most.
        image: `ImageMeta` of what the root disk is made from, be it a volume's.
        devices: block devices in boot order, named; every server gets copies.
        password: the administrator's; answered once and kept nowhere.
    """

    server: Mapping[str, Any]
    low: int
    high: int
    flavor: Any
    image: Any
    image_ref: str
    devices: list[Any]
    root_device: str | None
    networks: list[Any]
    security_groups: list[str]
    keypair: Any
    target: destination.Target
    group: Any
    hints: dict[str, list[str]]
    password: str


def order(req: Any, body: Mapping[str, Any]) -> Order:
    """Check everything that can be checked before quota is counted.

    Raises:
        nova.errors: 400, 403 or 409, whatever the client has to hear.
    """
    server = body['server']
    hints = _hints(body.get('os:scheduler_hints') or body.get('OS-SCH-HNT:scheduler_hints') or {})
    low, high = counts(server)
    flavor = find_flavor(req, server['flavorRef'])
    check_text(req, server, high)
    target = destination.parse(req, server)
    image_ref = server.get('imageRef') or ''
    devices = block_devices(req, server, image_ref, flavor)
    image = boot_image(req, image_ref, devices)
    check_image(image, flavor, devices)
    check_disk_config(server, image)
    check_flavor_disk(req, flavor, devices)
    if high > 1 and any(device.volume_id for device in devices):
        raise errors.block.BlockDeviceInvalid(reason='Several servers of one request cannot share a volume.')
    root = bdm.name_devices(
        devices, image.properties.root_device_name, image.properties.hw_disk_bus or 'virtio')
    requested = check_networks(req, server, high)
    return Order(
        server=server, low=low, high=high, flavor=flavor, image=image, image_ref=image_ref, devices=devices,
        root_device=root, networks=requested, security_groups=security_groups(req, server, requested),
        keypair=find_keypair(req, server), target=target, group=destination.find_group(req, hints), hints=hints,
        password=server.get('adminPass') or req.make_password())


def counts(server: Mapping[str, Any]) -> tuple[int, int]:
    """How many servers at least and at most; the limits default to one another."""
    low = int(server.get('min_count') or 1)
    high = int(server.get('max_count') or low)
    if low > high:
        raise errors.Invalid('min_count must be <= max_count')
    return low, high


def _hints(given: Mapping[str, Any]) -> dict[str, list[str]]:
    return {key: [str(item) for item in value] if isinstance(value, list) else [str(value)]
            for key, value in given.items() if value is not None}


def find_flavor(req: Any, ref: Any) -> Any:
    """A flavor that the project may use; one it may not see does not exist for it."""
    with req.dbs.api.read() as conn:
        flavor = objects.Flavor.find(conn, flavorid=str(ref))
        seen = flavor is not None and not flavor.disabled and (
            flavor.is_public or req.context.is_admin or req.context.project_id in flavor.projects(conn))
    if not seen:
        raise errors.Invalid(f'Flavor {ref} could not be found.')
    return flavor


def check_text(req: Any, server: Mapping[str, Any], count: int) -> None:
    """What has no other owner: user data, metadata, names, certificates, files."""
    if server.get('user_data'):
        userdata.check(server['user_data'])
    limit = req.limit('metadata_items')
    if 0 <= limit < len(server.get('metadata') or {}):
        raise errors.server.LimitExceeded(resource='metadata_items')
    if server.get('hostname') and count > 1:
        raise errors.Invalid('A hostname cannot be given for several servers.')
    if server.get('personality'):
        raise errors.Invalid('Files cannot be injected into guests here; use user_data instead.')
    if server.get('trusted_image_certificates'):
        req.authorize(rules.CREATE_TRUSTED_CERTS)


# Disks -------------------------------------------------------------------------------------------

def block_devices(req: Any, server: Mapping[str, Any], image_ref: str, flavor: Any) -> list[Any]:
    """Every disk of a server, the volumes among them looked at."""
    legacy, modern = server.get('block_device_mapping'), server.get('block_device_mapping_v2')
    devices = bdm.parse(legacy, modern)
    if devices:
        req.authorize(rules.CREATE_ATTACH_VOLUME)
    if not image_ref and not devices:
        raise errors.Invalid('Invalid imageRef provided.')
    devices = bdm.complete(devices, image_ref or None, flavor.swap, flavor.ephemeral_gb, legacy=bool(legacy),
                           local_limit=req.conf.max_local_block_devices)
    seen: set[str] = set()
    for device in devices:
        if device.destination_type == 'volume':
            _check_volume(req, device, server.get('availability_zone'))
            if device.volume_id in seen:
                raise errors.block.BlockDeviceInvalid(reason=f'Volume {device.volume_id} is named twice.')
            seen.add(device.volume_id)
    return devices


def _check_volume(req: Any, device: Any, zone: str | None) -> None:
    if device.source_type != 'volume':
        raise errors.block.BlockDeviceInvalid(
            reason=f'A volume cannot be made from {device.source_type} here; create it first and name it.')
    try:
        volume = req.clients.volume.show(req.context, device.volume_id)
    except errors.block.VolumeNotFound as error:
        raise errors.block.BlockDeviceInvalid(reason=f'failed to get volume {device.volume_id}.') from error
    shared = bool(volume.get('multiattach'))
    if shared and not req.at(MULTIATTACH):
        raise errors.block.MultiattachUnsupported(volume=device.volume_id)
    allowed = ('available', 'in-use') if shared else ('available',)
    if volume['status'] not in allowed:
        raise errors.block.VolumeInvalid(reason=f"volume '{device.volume_id}' status must be "
                                                f"'available'. Currently in '{volume['status']}'")
    if device.boot_index == 0 and str(volume.get('bootable')).lower() != 'true':
        raise errors.block.BlockDeviceInvalid(reason=f'Block Device {device.volume_id} is not bootable.')
    if zone and not req.conf.cinder.cross_az_attach and volume.get('availability_zone') != zone:
        raise errors.block.VolumeInvalid(
            reason=f'Server and volume are not in the same availability zone. Server is in: {zone}. '
                   f"Volume is in: {volume.get('availability_zone')}")
    device.volume_size = volume['size']


def boot_image(req: Any, image_ref: str, devices: Sequence[Any]) -> Any:
    """The image the root disk comes from; a boot volume remembers what it was made of."""
    if image_ref:
        try:
            return req.clients.image.show(image_ref, req.context)
        except (errors.image.ImageNotFound, errors.image.ImageForbidden) as error:
            raise errors.Invalid(error.message) from error
    root = bdm.boot_device(devices)
    volume = req.clients.volume.show(req.context, root.volume_id) if root and root.volume_id else {}
    return objects.ImageMeta.from_volume(volume)


def check_image(image: Any, flavor: Any, devices: Sequence[Any]) -> None:
    """The image can be used, and fits."""
    if image.status != 'active':
        raise errors.image.ImageNotActive(image=image.id)
    if flavor.memory_mb < (image.min_ram or 0):
        raise errors.image.FlavorMemoryTooSmall()
    root = bdm.boot_device(devices)
    room = root.volume_size if root is not None and bdm.is_volume(root) else flavor.root_gb
    if not room:
        return
    if (image.size or 0) > room * units.Gi:
        raise errors.image.FlavorDiskTooSmall(disk=room * units.Gi, image=image.size)
    if (image.min_disk or 0) > room:
        raise errors.image.FlavorDiskTooSmall(disk=room * units.Gi, image=image.min_disk * units.Gi)


def check_disk_config(server: Mapping[str, Any], image: Any) -> None:
    wanted = server.get('OS-DCF:diskConfig')
    if wanted == 'AUTO' and image.properties.auto_disk_config is False:
        raise errors.Invalid(f'Requested image {image.id} has automatic disk resize disabled.')


def check_flavor_disk(req: Any, flavor: Any, devices: Sequence[Any]) -> None:
    """A flavor without a root disk is for boot volumes, unless policy says otherwise."""
    if flavor.root_gb == 0 and not bdm.volume_backed(devices) and not req.can(rules.CREATE_ZERO_DISK_FLAVOR):
        raise errors.Forbidden('Only volume-backed servers are allowed for flavors with zero disk.')


# Networks and keys -------------------------------------------------------------------------------

def check_networks(req: Any, server: Mapping[str, Any], count: int) -> list[Any]:
    """Requests for definite networks and ports, checked as the user."""
    given = server.get('networks')
    if given is None and req.at('2.37'):
        raise errors.Invalid("Invalid input for field/attribute server. 'networks' is a required property")
    requested = networks.parse(given)
    if requested:
        req.authorize(rules.CREATE_ATTACH_NETWORK)
    networks.check_count(requested, count)
    try:
        return req.clients.network.check(req.context, requested, count)
    except (errors.network.NetworkNotFound, errors.network.PortNotFound) as error:
        raise errors.Invalid(error.message) from error


def security_groups(req: Any, server: Mapping[str, Any], requested: Sequence[Any]) -> list[str]:
    """ids of the groups that ports we make get; none where Neutron gives them the project's default."""
    names = list(dict.fromkeys(group['name'] for group in server.get('security_groups') or ()))
    if not networks.wanted(requested) or names in ([], ['default']):
        return []
    try:
        return req.clients.network.security_groups(req.context, names)
    except errors.network.SecurityGroupNotFound as error:
        raise errors.Invalid(error.message) from error


def find_keypair(req: Any, server: Mapping[str, Any]) -> Any:
    name = server.get('key_name')
    if not name:
        return None
    with req.dbs.api.read() as conn:
        found = objects.KeyPair.find(conn, user_id=req.context.user_id, name=name)
    if found is None:
        raise errors.Invalid('Invalid key_name provided.')
    return found
