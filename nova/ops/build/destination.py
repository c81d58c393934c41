"""Where a user wants servers: zone, host, hypervisor, server group."""

import dataclasses
from collections.abc import Mapping

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.objects import aggregate
from nova.policies import servers as rules
from nova.task.handles import Request


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What was asked for.

    Attributes:
        host, node: None leaves them open.
        forced: the host is taken as it is, past every filter (``zone:host:node``).
    """

    zone: str | None = None
    host: str | None = None
    node: str | None = None
    forced: bool = False


def parse(req: Request, server: JsonObject) -> Target:
    """The zone, and with it or beside it the host.

    Raises:
        errors.Invalid: both ways at once, or a zone, host or hypervisor that does not exist.
        Forbidden: hosts are for those whom policy allows.
    """
    text = server.get('availability_zone')
    zone, host, node = _split(text)
    forced = host is not None or node is not None
    if forced:
        req.authorize(rules.CREATE_FORCED_HOST)
    asked_host, asked_node = server.get('host'), server.get('hypervisor_hostname')
    if asked_host or asked_node:
        req.authorize(rules.REQUESTED_DESTINATION)
        if forced:
            raise errors.Invalid("Neither 'host' nor 'hypervisor_hostname' can be used together with an "
                                 'availability_zone of the form ZONE:HOST:NODE.')
        host, node = asked_host, asked_node
    zone = zone or req.conf.default_schedule_zone
    if zone is not None and not forced:
        _check_zone(req, zone)
    if host or node:
        _check_host(req, host, node)
    return Target(zone, host, node, forced)


def _split(text: str | None) -> tuple[str | None, str | None, str | None]:
    if text is None or ':' not in text:
        return text, None, None
    parts = text.split(':')
    if len(parts) > 3:
        raise errors.Invalid('Unable to parse availability_zone')
    zone, host, node = (part or None for part in [*parts, ''][:3])
    return zone, host, node


def _check_zone(req: Request, zone: str) -> None:
    with req.dbs.api.read() as conn:
        known = set(aggregate.zones(conn).values())
    if zone != req.conf.default_availability_zone and zone not in known:
        raise errors.Invalid('The requested availability zone is not available')


def _check_host(req: Request, host: str | None, node: str | None) -> None:
    if not req.cells.has_node(host, node):
        raise errors.Invalid(f'Compute host {host or node} could not be found.')


def find_group(req: Request, hints: Mapping[str, list[str]]) -> objects.InstanceGroup | None:
    """The server group that the hints name; only one can be.

    Raises:
        errors.Invalid: it does not exist for this project.
    """
    uuids = hints.get('group')
    if not uuids:
        return None
    with req.dbs.api.read() as conn:
        group = objects.InstanceGroup.find(conn, uuid=uuids[0])
    if group is None or (group.project_id != req.context.project_id and not req.context.is_admin):
        raise errors.Invalid(f'Instance group {uuids[0]} could not be found.')
    return group
