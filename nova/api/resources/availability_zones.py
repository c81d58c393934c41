"""Availability zones: which there are, and whether anything lives in them."""


from nova import objects
from nova.api.request import Request
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.objects import aggregate
from nova.policies import availability_zone as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Many, Resource, get


class Zone:
    """A zone with the services in it."""

    def __init__(self, name: str, available: bool, services: list[objects.Service] | None = None) -> None:
        self.name = name
        self.available = available
        self.services = services


def _hosts(zone: Zone, look: Request) -> JsonObject | None:
    """Services by binary by host; null in the short list, and for zones without any that is enabled."""
    if zone.services is None:
        return None
    found: dict[str, JsonObject] = {}
    for service in zone.services:
        found.setdefault(service.host, {})[service.binary] = {
            'active': not service.disabled, 'available': service.is_up(look.conf.service_down_time),
            'updated_at': clock.strtime(service.last_seen_up)}
    return found


class ZoneView(Document):
    zoneName = Field(types.TEXT, 'Name.', attribute='name', list='2.1')
    zoneState = Field({'type': 'object', 'properties': {'available': types.BOOLEAN}}, 'Whether it can be used.',
                      get=lambda z, look: {'available': z.available}, list='2.1')
    hosts = Field(types.nullable(types.OBJECT), 'Services by host.', get=_hosts, list='2.1')


_LIST = Many('availabilityZoneInfo', ZoneView)


def _by_zone(req: Request) -> dict[str, list[objects.Service]]:
    """Services by zone: computes by their host's aggregate, the others in the internal zone."""
    with req.dbs.api.read() as conn:
        zones = aggregate.zones(conn)
    found: dict[str, list[objects.Service]] = {}
    for _, services in req.cells.ask(lambda conn: objects.Service.all(conn), req.cells.every()):
        for service in services or ():
            zone = (zones.get(service.host, req.conf.default_availability_zone)
                    if service.binary == 'nova-compute' else req.conf.internal_service_availability_zone)
            found.setdefault(zone, []).append(service)
    return found


def _split(req: Request) -> tuple[dict[str, list[objects.Service]], dict[str, list[objects.Service]]]:
    """Zones with a service that is enabled, and zones of disabled ones only."""
    every = _by_zone(req)
    live = {name: [one for one in services if not one.disabled] for name, services in sorted(every.items())}
    return ({name: services for name, services in live.items() if services},
            {name: every[name] for name, services in live.items() if not services})


class AvailabilityZones(Resource):

    @get('/os-availability-zone', rule=rules.LIST, returns=_LIST)
    def index(self, req: Request) -> list[Zone]:
        """List the zones that servers can be in."""
        live, dead = _split(req)
        internal = req.conf.internal_service_availability_zone
        return [Zone(name, available) for names, available in ((live, True), (dead, False)) for name in names
                if name != internal]

    @get('/os-availability-zone/detail', rule=rules.DETAIL, returns=_LIST)
    def detail(self, req: Request) -> list[Zone]:
        """List zones with their services."""
        live, dead = _split(req)
        return [*(Zone(name, True, services) for name, services in live.items()),
                *(Zone(name, False) for name in dead)]
