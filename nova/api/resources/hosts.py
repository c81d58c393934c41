"""Hosts as clients up to 2.42 know them: which there are, what they have, and keeping them out of use.

What no hypervisor of today does for its host, power and maintenance, is answered with 501.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.api.resources import services
from nova.common import problem
from nova.objects import Service
from nova.policies import hosts as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field
from nova.rest.resource import Body, Many, One, Page, Reply, Resource, get, put

_UNTIL = '2.42'
_CHOICE = types.enum('enable', 'disable', 'Enable', 'Disable', 'ENABLE', 'DISABLE')


class HostView(Document):
    host_name = Field(types.TEXT, attribute='host', list='2.1')
    service = Field(types.TEXT, 'Name of the program, without nova-.',
                    get=lambda service, look: service.binary.removeprefix('nova-'), list='2.1')
    zone = Field(types.TEXT, 'Availability zone.', get=lambda service, look: look.zone(service), list='2.1')


class Amounts(Document):
    """``project`` is (total), (used_now), (used_max), or a project's id."""

    host = Field(types.TEXT, show='2.1')
    project = Field(types.TEXT, show='2.1')
    cpu = Field(types.INTEGER, show='2.1')
    memory_mb = Field(types.INTEGER, show='2.1')
    disk_gb = Field(types.INTEGER, show='2.1')


class HostResource(Document):
    resource = Field(Amounts, get=lambda amounts, look: amounts, show='2.1')


class HostShow(Document):
    host = Field(types.array(HostResource), get=lambda amounts, look: amounts, show='2.1')


class HostQuery(Document):
    zone = Field(types.TEXT, query='2.1')


class Change(Document):
    status = Field(_CHOICE, 'Whether it may be given servers.', body='2.1')
    maintenance_mode = Field(_CHOICE, 'Whether its servers are to leave it; no hypervisor does so.', body='2.1')


class Changed(Document):
    host = Field(types.TEXT, get=lambda changed, look: changed[0], changed='2.1')
    status = Field(types.enum('enabled', 'disabled'), maybe=True, get=lambda changed, look: changed[1],
                   changed='2.1')
    maintenance_mode = Field(types.enum('on_maintenance', 'off_maintenance'), maybe=True,
                             get=lambda changed, look: ABSENT, changed='2.1')


class Powered(Document):
    host = Field(types.TEXT, show='2.1')
    power_action = Field(types.ANY, show='2.1')


class HostUnsupported(errors.NovaError):
    """The hypervisor cannot do this for its host."""

    status, code = 501, 'host_unsupported'
    template = 'The virt driver does not implement host {what} function.'


class _Amounts:
    def __init__(self, host: str, project: str, cpu: int = 0, memory_mb: int = 0, disk_gb: int = 0) -> None:
        self.host, self.project, self.cpu, self.memory_mb, self.disk_gb = host, project, cpu, memory_mb, disk_gb

    def add(self, server: objects.Instance) -> None:
        self.cpu += server.vcpus
        self.memory_mb += server.memory_mb
        self.disk_gb += server.root_gb + server.ephemeral_gb


class Hosts(Resource):

    @get('/os-hosts', rule=rules.LIST, until=_UNTIL, query=HostQuery, returns=Many('hosts', HostView))
    def index(self, req: Request) -> Page:
        """List hosts and what runs on them."""
        look = services.Look(req)
        answers = req.cells.ask(lambda conn: Service.all(conn), req.cells.every())
        found = [service for _, many in answers for service in many or ()]
        wanted = req.query.get('zone')  # an empty one is none
        return Page([one for one in found if not wanted or wanted == look.zone(one)], look=look)

    @get('/os-hosts/{host}', rule=rules.SHOW, until=_UNTIL, returns=One(None, HostShow))
    def show(self, req: Request, host: str) -> Reply:
        """Show what a host has, and what its servers have of it, by project."""
        cell, _ = _find(req, host)

        def read(conn: sa.Connection) -> list[_Amounts]:
            nodes = objects.ComputeNode.all(conn, host=host)
            servers = objects.Instance.all(conn, host=host)
            if not nodes:
                raise errors.host.HostNotFound(host=host)
            return _amounts(host, nodes, servers)
        return Reply(subject=req.cells.ask_one(cell, read))

    @put('/os-hosts/{host}', rule=rules.UPDATE, until=_UNTIL, body=Body(Change),
         returns=One(None, Changed, 'changed'))
    def update(self, req: Request, host: str) -> Reply:
        """Have a host given servers, or none."""
        if not req.body:
            raise problem.BadRequest('Give a status or a maintenance_mode.')
        cell, service = _find(req, host)
        if 'maintenance_mode' in req.body:
            raise HostUnsupported(what='maintenance mode')
        disabled = req.body['status'].lower() == 'disable'
        services.change(req, cell, service, disabled=disabled, disabled_reason=None)
        return Reply(subject=(host, 'disabled' if disabled else 'enabled'))

    @get('/os-hosts/{host}/startup', rule=rules.START, until=_UNTIL, returns=One(None, Powered))
    def startup(self, req: Request, host: str) -> None:
        """Start a host."""
        _refuse_power(req, host)

    @get('/os-hosts/{host}/shutdown', rule=rules.SHUTDOWN, until=_UNTIL, returns=One(None, Powered))
    def shutdown(self, req: Request, host: str) -> None:
        """Shut a host down."""
        _refuse_power(req, host)

    @get('/os-hosts/{host}/reboot', rule=rules.REBOOT, until=_UNTIL, returns=One(None, Powered))
    def reboot(self, req: Request, host: str) -> None:
        """Reboot a host."""
        _refuse_power(req, host)


def _find(req: Request, host: str) -> tuple[objects.CellMapping, Service]:
    """A compute host's cell and service.

    Raises:
        HostNotFound: 404.
    """
    try:
        cell = req.cells.of_host(host)
    except errors.NotFound:
        raise errors.host.HostNotFound(host=host) from None

    service = req.cells.ask_one(cell, lambda conn: Service.find(conn, host=host, binary=services.COMPUTE))
    if service is None:
        raise errors.host.HostNotFound(host=host)
    return cell, service


def _refuse_power(req: Request, host: str) -> None:
    _, service = _find(req, host)
    if not service.is_up(req.conf.service_down_time):
        raise problem.BadRequest(f'Compute service of {host} is unavailable at this time.')
    raise HostUnsupported(what='power')


def _amounts(host: str, nodes: Iterable[objects.ComputeNode], servers: Iterable[objects.Instance]
             ) -> list[_Amounts]:
    total, used = _Amounts(host, '(total)'), _Amounts(host, '(used_now)')
    by_project: dict[str, _Amounts] = {}
    for node in nodes:
        total.cpu += node.vcpus
        total.memory_mb += node.memory_mb
        total.disk_gb += node.local_gb
    for server in servers:
        used.add(server)
        by_project.setdefault(server.project_id, _Amounts(host, server.project_id)).add(server)
    most = _Amounts(host, '(used_max)', used.cpu, used.memory_mb, used.disk_gb)
    return [total, used, most, *(by_project[project] for project in sorted(by_project))]
