"""What a view of servers reads beside the servers: faults, zones, services, groups, request specs.

Everything is fetched for a whole page at once, and only what the view's version shows.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from nova import objects, states
from nova.common import clock, dbkit
from nova.common.jsonutil import JsonObject
from nova.objects import aggregate, instance_action
from nova.policies import servers as rules
from nova.rest.field import ABSENT, Absent

if TYPE_CHECKING:
    from nova.api.request import Request

SERVICES = 'services'
"""Among a view's needs: the services of the servers' hosts."""


def needs_of_page(req: 'Request') -> frozenset[str]:
    """What a page of servers is to bring: the services of hosts only where the caller may see them."""
    needs = frozenset(req.needs)
    return needs if req.can(rules.SHOW_HOST_STATUS) or req.can(rules.SHOW_HOST_STATUS_UNKNOWN_ONLY) else (
        needs - {SERVICES})


class Look:
    """Passed to the getters of `nova.schema.server`.

    Args:
        req: the request.
        servers: the page, as pairs of an instance and its cell's database (None when no cell has it).
        needs: what the view shows (`Request.needs`).
        password: shown by what a rebuild answers.
        services: the compute services of their hosts, where these were read already.
    """

    def __init__(self, req: 'Request', servers: Sequence[tuple[objects.Instance, dbkit.Database | None]],
                 needs: Collection[str], password: str | None = None,
                 services: Mapping[str, objects.Service] | None = None) -> None:
        self.links = req.links
        self.password = password
        self.is_admin = req.context.is_admin
        self.shows_extra_specs = req.can(rules.SHOW_FLAVOR_EXTRA_SPECS)
        self._conf = req.conf
        self._host_status = req.can(rules.SHOW_HOST_STATUS)
        self._unknown_only = not self._host_status and req.can(rules.SHOW_HOST_STATUS_UNKNOWN_ONLY)
        self._by_db: dict[int, tuple[dbkit.Database, list[objects.Instance]]] = {}
        for server, place in servers:
            # The reason why a server got no cell, not even cell0, is in the API database.
            db = req.dbs.api if place is None and server.vm_state == states.VM.ERROR else place
            if db is not None:
                self._by_db.setdefault(id(db), (db, []))[1].append(server)
        self._services = dict(services or {})
        self.faults: Mapping[str, JsonObject] = {}
        self._load_cells(needs if services is None else set(needs) - {SERVICES})
        self._load_api(req, [server.uuid for server, _ in servers], needs)

    def _load_cells(self, needs: Collection[str]) -> None:
        wants_services = SERVICES in needs and (self._host_status or self._unknown_only)
        faults: dict[str, JsonObject] = {}
        for db, servers in self._by_db.values():
            broken = [server.uuid for server in servers if server.deleted or server.vm_state == 'error']
            if 'fault' in needs and broken:
                faults.update(instance_action.faults(db, broken))
            hosts = {server.host for server in servers if server.host}
            if wants_services and hosts:
                with db.read() as conn:
                    self._services.update({service.host: service for service in objects.Service.all(
                        conn, host=hosts, binary='nova-compute')})
        self.faults = faults

    def _load_api(self, req: 'Request', uuids: list[str], needs: Collection[str]) -> None:
        with req.dbs.api.read() as conn:
            self._zones = aggregate.zones(conn)
            self._wishes = objects.RequestSpec.wishes(conn, uuids) if 'request_spec' in needs else {}
            self._groups = {}
            if 'groups' in needs:
                for uuid in uuids:
                    group = objects.InstanceGroup.of_instance(conn, uuid)
                    self._groups[uuid] = [group.uuid] if group else []

    def time(self, when: datetime.datetime | str) -> str:
        return when if isinstance(when, str) else clock.isotime(when)

    def zone(self, server: objects.Instance) -> str:
        """The host's zone; before there is a host, the one that was asked for."""
        if not server.host:
            return server.availability_zone or ''
        return self._zones.get(server.host, self._conf.default_availability_zone)

    def host_status(self, server: objects.Instance) -> str | Absent:
        """UP, DOWN, MAINTENANCE or UNKNOWN; empty without a host."""
        if not (self._host_status or self._unknown_only):
            return ABSENT
        status = self._status_of(server.host)
        return status if self._host_status or status == 'UNKNOWN' else ABSENT

    def _status_of(self, host: str | None) -> str:
        if not host:
            return ''
        service = self._services.get(host)
        if service is None:
            return 'UNKNOWN'
        if service.forced_down:
            return 'DOWN'
        if not service.is_up(self._conf.service_down_time):
            return 'UNKNOWN'
        return 'MAINTENANCE' if service.disabled else 'UP'

    def groups(self, server: objects.Instance) -> list[str]:
        return self._groups.get(server.uuid, [])

    def pinned_zone(self, server: objects.Instance) -> str | None:
        return self._wishes.get(server.uuid, (None, {}))[0]

    def hints(self, server: objects.Instance) -> JsonObject:
        return self._wishes.get(server.uuid, (None, {}))[1]

    def instance_name(self, server: objects.Instance) -> str:
        """The guest's name; none while no cell has the server."""
        return objects.Instance.guest_name(server, self._conf.instance_name_template) if server.id else ''
