"""What has to be known and right about a request for servers before anything is written.

Each check asks the service that knows, as the user, and answers 4xx; together they make an `Order`, from which
the records of every server of the request are made.
"""

import dataclasses
from collections.abc import Sequence

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import bdm, files, networks, userdata
from nova.ops.build import destination, disks
from nova.policies import servers as rules
from nova.rest import types
from nova.steps import image_checks, injection
from nova.task.handles import Request


@dataclasses.dataclass(slots=True)
class Order:
    """A request that was found right.

    Attributes:
        low, high: how many servers at least and at most.
        image: `ImageMeta` of what the root disk is made from, be it a volume's.
        devices: block devices in boot order, named; every server gets copies.
        password: the administrator's; answered once, and kept no longer than until the guest has it.
        files: for the guests.
        trust: to make ports and volumes in the user's name.
        shares: the host must be able to share a volume with others.
    """

    server: JsonObject
    low: int
    high: int
    flavor: objects.Flavor
    image: objects.ImageMeta
    image_ref: str
    devices: list[objects.BlockDeviceMapping]
    root_device: str | None
    networks: list[objects.NetworkRequest]
    security_groups: list[str]
    keypair: objects.KeyPair | None
    target: destination.Target
    group: objects.InstanceGroup | None
    hints: dict[str, list[str]]
    password: str
    files: list[injection.InjectedFile]
    trust: str | None
    shares: bool


def order(req: Request, body: JsonObject) -> Order:
    """Check everything that can be checked before quota is counted.

    Raises:
        nova.errors: 400, 403 or 409, whatever the client has to hear.
    """
    server = body['server']
    hints = _hints(body.get('os:scheduler_hints') or body.get('OS-SCH-HNT:scheduler_hints') or {})
    low, high = counts(server)
    flavor = find_flavor(req, types.last_part(str(server['flavorRef'])))
    check_text(req, server, high)
    target = destination.parse(req, server)
    image_ref = types.last_part(server.get('imageRef') or '')
    named = image_checks.named(req, image_ref)
    devices = disks.block_devices(req, server, named, flavor)
    disks.check_sharing(devices, high)
    target = disks.keep_in_zone(req, devices, target)
    image = disks.boot_image(req, named, devices)
    image_checks.check(image, flavor, devices)
    image_checks.check_disk_config(server, image)
    disks.check_flavor_disk(req, flavor, devices)
    root = bdm.name_devices(
        devices, image.properties.root_device_name, image.properties.hw_disk_bus or 'virtio')
    requested, high = check_networks(req, server, low, high)
    return Order(
        server=server, low=low, high=high, flavor=flavor, image=image, image_ref=image_ref, devices=devices,
        root_device=root, networks=requested, security_groups=security_groups(req, server, requested),
        keypair=find_keypair(req, server), target=target, group=destination.find_group(req, hints), hints=hints,
        password=server.get('adminPass') or req.make_password(),
        files=injection.asked(server.get('personality')),
        trust=req.clients.trust.entrust(req.context), shares=disks.shares(req, devices))


def counts(server: JsonObject) -> tuple[int, int]:
    """How many servers at least and at most; the limits default to one another."""
    low = int(server.get('min_count') or 1)
    high = int(server.get('max_count') or low)
    if low > high:
        raise errors.Invalid('min_count must be <= max_count')
    return low, high


def _hints(given: JsonObject) -> dict[str, list[str]]:
    return {key: [str(item) for item in value] if isinstance(value, list) else [str(value)]
            for key, value in given.items() if value is not None}


def find_flavor(req: Request, ref: str) -> objects.Flavor:
    """A flavor that the project may use; one it may not see does not exist for it."""
    with req.dbs.api.read() as conn:
        return objects.Flavor.get_for(conn, str(ref), req.context)


def check_text(req: Request, server: JsonObject, count: int) -> None:
    """What has no other owner: user data, metadata, names, certificates, files."""
    if server.get('user_data'):
        userdata.check(server['user_data'])
    limit = req.limit('metadata_items')
    if 0 <= limit < len(server.get('metadata') or {}):
        raise errors.server.LimitExceeded(resource='metadata_items')
    if server.get('hostname') and count > 1:
        raise errors.Invalid('A hostname cannot be given for several servers.')
    if server.get('personality'):
        files.check(server['personality'], req.limits)
    if server.get('trusted_image_certificates'):
        req.authorize(rules.CREATE_TRUSTED_CERTS)


# Networks and keys -------------------------------------------------------------------------------

def check_networks(req: Request, server: JsonObject, low: int, high: int
                   ) -> tuple[list[objects.NetworkRequest], int]:
    """Requests for definite networks and ports, checked as the user; and how many servers get their ports.

    Raises:
        PortLimitExceeded: not even `low` servers do.
        PortAsksResources: the microversion is older than such ports.
    """
    given = server.get('networks')
    if given is None and req.at('2.37'):
        raise errors.Invalid("Invalid input for field/attribute server. 'networks' is a required property")
    requested = networks.parse(given)
    if requested:
        req.authorize(rules.CREATE_ATTACH_NETWORK)
    networks.check_count(requested, high)
    try:
        found = req.clients.network.check(req.context, requested, low)
    except (errors.network.NetworkNotFound, errors.network.PortNotFound) as error:
        raise errors.Invalid(error.message) from error
    asking = next((request.port_id for request in found if request.claims), None)
    if asking is not None and not req.at('2.72'):
        raise errors.network.PortAsksResources(
            port=asking, reason='a server may have such a port since microversion 2.72.')
    return found, high if high == low else req.clients.network.fitting(req.context, found, high)


def group_names(server: JsonObject) -> list[str]:
    """The security groups that the client names, each once; one without a name means nothing."""
    groups = server.get('security_groups') or ()
    return list(dict.fromkeys(group['name'] for group in groups if 'name' in group))


def security_groups(req: Request, server: JsonObject, requested: Sequence[objects.NetworkRequest]) -> list[str]:
    """ids of the groups that ports we make get; none where Neutron gives them the project's default."""
    names = group_names(server)
    if not networks.wanted(requested) or names in ([], ['default']):
        return []
    try:
        return req.clients.network.security_groups(req.context, names)
    except errors.network.SecurityGroupNotFound as error:
        raise errors.Invalid(error.message) from error


def find_keypair(req: Request, server: JsonObject) -> objects.KeyPair | None:
    name = server.get('key_name')
    if not name:
        return None
    with req.dbs.api.read() as conn:
        found = objects.KeyPair.find(conn, user_id=req.context.user_id, name=name)
    if found is None:
        raise errors.Invalid('Invalid key_name provided.')
    return found
