"""Hypervisors: the compute nodes of every cell."""


import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.common import clock, jsonutil, problem, threads, units, uuids
from nova.common.jsonutil import JsonObject
from nova.objects import ComputeNode
from nova.objects.question import HostQuestion
from nova.policies import hypervisors as rules
from nova.rest import types
from nova.rest.field import ABSENT, Absent, Document, Faces, Field, Span
from nova.rest.resource import Many, One, Page, Reply, Resource, get

_ALL = ('list', 'detail', 'show', 'uptime')
_LAST = '2.87'
"""Resource numbers are Placement's to tell after this version."""
_MAYBE_INT = types.nullable(types.INTEGER)


def _in(*faces: str, since: str = '2.1', until: str | None = None) -> Faces:
    return dict.fromkeys(faces, Span(since, until))


def _each(faces: tuple[str, ...], *spans: Span) -> Faces:
    return dict.fromkeys(faces, spans)


def _numbers(kind: types.Type = types.INTEGER) -> Field:
    return Field(kind, **_in('detail', 'show', until=_LAST))


class HypervisorView(Document):
    """Faces: ``list``, ``detail``, ``show``, ``uptime``; the subject is a `ComputeNode`."""

    id = Field(types.TEXT, **_each(
        _ALL, Span('2.1', '2.52', type=types.INTEGER, get=lambda n, look: n.id),
        Span('2.53', type=types.UUID, get=lambda n, look: n.uuid)))
    hypervisor_hostname = Field(types.TEXT, 'Name.', **_in(*_ALL))
    state = Field(types.enum('up', 'down'), 'Whether its service lives.',
                  get=lambda n, look: look.state(n), **_in(*_ALL))
    status = Field(types.enum('enabled', 'disabled'), 'Whether it may be used.',
                   get=lambda n, look: look.status(n), **_in(*_ALL))
    servers = Field(types.array(types.OBJECT), 'Servers on it.', maybe=True,
                    get=lambda n, look: look.servers(n), **_in(*_ALL, since='2.53'))
    uptime = Field(types.nullable(types.TEXT), 'How long it has been up.', get=lambda n, look: look.uptime(n),
                   uptime='2.1', **_in('detail', 'show', since='2.88'))
    host_ip = Field(types.nullable(types.TEXT), **_in('detail', 'show'))
    hypervisor_type = Field(types.TEXT, **_in('detail', 'show'))
    hypervisor_version = Field(types.INTEGER, **_in('detail', 'show'))
    service = Field(types.OBJECT, 'Its service.', get=lambda n, look: look.service(n), **_in('detail', 'show'))
    cpu_info = Field(types.OBJECT, 'What its CPUs can do.', **_each(
        ('detail', 'show'),
        Span('2.1', '2.27', type=types.TEXT, get=lambda n, look: jsonutil.text(n.cpu_info or {})),
        Span('2.28', _LAST, get=lambda n, look: n.cpu_info or {})))
    disk_available_least = _numbers(_MAYBE_INT)
    current_workload = _numbers()
    free_disk_gb = _numbers()
    free_ram_mb = _numbers()
    local_gb = _numbers()
    local_gb_used = _numbers()
    memory_mb = _numbers()
    memory_mb_used = _numbers()
    running_vms = _numbers()
    vcpus = _numbers()
    vcpus_used = _numbers()


class WithServers(Document):
    with_servers = Field(types.single(types.BOOLISH), 'Show the servers on them.', query='2.53')


class ListQuery(WithServers):
    limit = Field(types.LIMIT, query=[Span('2.33', '2.52'), Span('2.53', type=types.single(types.LIMIT))])
    marker = Field(types.TEXT, query=[Span('2.33', '2.52'), Span('2.53', type=types.single(types.TEXT))])
    hypervisor_hostname_pattern = Field(types.single(types.HOST), 'Part of the name.', query='2.53')


_Servers = dict[tuple[str | None, str | None], list[dict[str, str | None]]]
"""What is shown of the servers of a host and node."""
Placed = tuple[ComputeNode, objects.CellMapping]
"""A node and its cell."""
_HOSTS_AT_ONCE = 16
"""So many are asked for their uptime at a time."""


class Look:
    """Services and servers of a page of nodes.

    Args:
        with_servers, with_uptime: whether servers and uptimes are shown.
    """

    def __init__(self, req: Request, nodes: list[Placed], with_servers: bool,
                 with_uptime: bool = False) -> None:
        self._down_time = req.conf.service_down_time
        self._uuids = req.at('2.53')
        self._always = req.at('2.75')
        self._services: dict[str, objects.Service] = {}
        self._servers: _Servers | None = {} if with_servers else None
        by_cell: dict[str, list[Placed]] = {}
        for node, cell in nodes:
            by_cell.setdefault(cell.uuid, []).append((node, cell))
        for own in by_cell.values():
            with req.cells.db(own[0][1]).read() as conn:
                self._load(conn, [node.host for node, _ in own])
        self._uptimes = self._ask_uptimes(req, nodes) if with_uptime else {}

    def _ask_uptimes(self, req: Request, nodes: list[Placed]) -> dict[str, str | None]:
        """By host, of those that are up; None where a host does not say.

        Of many hosts some may be as good as down: nobody is asked any more when the time for cells is over.
        """
        cells = {node.host: cell for node, cell in nodes if self.state(node) == 'up'}
        deadline = clock.Deadline(req.conf.api.cell_timeout)
        found = threads.each(
            'uptimes', lambda host: None if deadline.passed() else _uptime(req, cells[host], host), cells,
            _HOSTS_AT_ONCE)
        return dict(zip(cells, found, strict=True))

    def _load(self, conn: sa.Connection, hosts: list[str]) -> None:
        for service in objects.Service.all(conn, host=hosts, binary='nova-compute'):
            self._services[service.host] = service
        if self._servers is None:
            return
        for server in objects.Instance.all(conn, host=hosts):
            self._servers.setdefault((server.host, server.node), []).append(
                {'uuid': server.uuid, 'name': server.display_name})

    def state(self, node: ComputeNode) -> str:
        service = self._services.get(node.host)
        return 'up' if service is not None and service.is_up(self._down_time) else 'down'

    def status(self, node: ComputeNode) -> str:
        service = self._services.get(node.host)
        return 'disabled' if service is not None and service.disabled else 'enabled'

    def service(self, node: ComputeNode) -> JsonObject:
        service = self._services.get(node.host)
        number = None if service is None else service.uuid if self._uuids else service.id
        return {'id': number, 'host': node.host,
                'disabled_reason': service.disabled_reason if service else None}

    def servers(self, node: ComputeNode) -> list[dict[str, str | None]] | Absent:
        """Shown when asked for; a node without servers shows none, from 2.75 on an empty list."""
        if self._servers is None:
            return ABSENT
        found = self._servers.get((node.host, node.hypervisor_hostname), [])
        return found if found or self._always else ABSENT

    def uptime(self, node: ComputeNode) -> str | None:
        return self._uptimes.get(node.host)


def _uptime(req: Request, cell: objects.CellMapping, host: str) -> str | None:
    """As ``uptime`` prints it; None where the host does not say."""
    try:
        return req.questions(cell, host).uptime(req.context, HostQuestion(host=host)).text
    except errors.Unavailable:
        return None


class NotFoundByPattern(errors.NotFound):
    template = "No hypervisor matching '{pattern}' could be found."


def _nodes(req: Request, *where: sa.ColumnElement[bool]) -> list[Placed]:
    """Nodes with their cells, cell by cell, the oldest first."""
    order = [ComputeNode.table.c.id]
    answers = req.cells.ask(lambda conn: ComputeNode.all(conn, *where, order=order))
    return [(node, cell) for cell, nodes in answers for node in nodes or ()]


def _matching(req: Request, pattern: str) -> list[Placed]:
    name = ComputeNode.table.c.hypervisor_hostname
    found = _nodes(req, name.contains(pattern, autoescape=True))
    if not found:
        raise NotFoundByPattern(pattern=pattern)
    return found


def _shows_servers(req: Request) -> bool:
    return types.is_true(req.query.get('with_servers', False))


def _tells_uptime(req: Request) -> bool:
    """Of a hypervisor that is shown with what there is to say of it."""
    return req.at('2.88')


def _page(req: Request, details: bool = False) -> Page:
    pattern = req.query.get('hypervisor_hostname_pattern')
    if pattern and ('limit' in req.query or 'marker' in req.query):
        raise problem.BadRequest('Paging over results with the hypervisor_hostname_pattern query parameter is '
                                 'not supported.')
    found = _matching(req, pattern) if pattern else _nodes(req)
    limit, marker = req.paging()
    if not req.at('2.33') or pattern:
        limit = len(found)
    page = Page.of(found[_after(req, found, marker):], limit, lambda pair: _mark(req, pair[0]))
    return Page([node for node, _ in page.items], page.marker,
                look=Look(req, list(page.items), _shows_servers(req), details and _tells_uptime(req)))


def _mark(req: Request, node: ComputeNode) -> str:
    return node.uuid if req.at('2.53') else str(node.id)


def _after(req: Request, found: list[Placed], marker: str | None) -> int:
    if marker is None:
        return 0
    for index, (node, _) in enumerate(found):
        if marker == _mark(req, node):
            return index + 1
    raise errors.server.MarkerNotFound(marker=marker)


def _find(req: Request, text: str) -> Placed:
    """A node by uuid from 2.53 on, by number before.

    Raises:
        BadRequest, ComputeNodeNotFound: 400, 404.
    """
    if req.at('2.53'):
        if not uuids.is_uuid(text):
            raise problem.BadRequest(f'Invalid uuid {text}')
        found = _nodes(req, ComputeNode.table.c.uuid == text)
    else:
        try:
            found = _nodes(req, ComputeNode.table.c.id == units.number(text))
        except ValueError:
            found = []
    if not found:
        raise errors.host.ComputeNodeNotFound(node=text)
    return found[0]


class Hypervisors(Resource):

    @get('/os-hypervisors', rule=rules.LIST, query=ListQuery, strict='2.53',
         returns=Many('hypervisors', HypervisorView))
    def index(self, req: Request) -> Page:
        """List hypervisors."""
        return _page(req)

    @get('/os-hypervisors/detail', rule=rules.LIST_DETAIL, query=ListQuery, strict='2.53',
         returns=Many('hypervisors', HypervisorView, 'detail'))
    def detail(self, req: Request) -> Page:
        """List hypervisors with details."""
        return _page(req, details=True)

    @get('/os-hypervisors/statistics', until=_LAST, rule=rules.STATISTICS, returns=types.OBJECT)
    def statistics(self, req: Request) -> JsonObject:
        """Sum up the hypervisors that may be used."""
        names = ('vcpus', 'vcpus_used', 'memory_mb', 'memory_mb_used', 'local_gb', 'local_gb_used',
                 'free_ram_mb', 'free_disk_gb', 'current_workload', 'running_vms', 'disk_available_least')
        found = _nodes(req)
        look = Look(req, found, False)
        live = [node for node, _ in found if look.status(node) == 'enabled']
        sums = {name: sum(getattr(node, name) or 0 for node in live) for name in names}
        return {'hypervisor_statistics': {'count': len(live), **sums}}

    @get('/os-hypervisors/{hypervisor_id}', rule=rules.SHOW, query=WithServers, strict='2.53',
         returns=One('hypervisor', HypervisorView))
    def show(self, req: Request, hypervisor_id: str) -> Reply:
        """Show a hypervisor."""
        found = _find(req, hypervisor_id)
        return Reply(subject=found[0], look=Look(req, [found], _shows_servers(req), _tells_uptime(req)))

    @get('/os-hypervisors/{hypervisor_id}/uptime', until=_LAST, rule=rules.UPTIME,
         returns=One('hypervisor', HypervisorView, 'uptime'))
    def uptime(self, req: Request, hypervisor_id: str) -> Reply:
        """Show how long a hypervisor has been up."""
        found = _find(req, hypervisor_id)
        look = Look(req, [found], False, with_uptime=True)
        if look.state(found[0]) == 'down':
            raise problem.BadRequest(f'Service on host {found[0].host} is not up.')
        return Reply(subject=found[0], look=look)

    @get('/os-hypervisors/{hypervisor_id}/search', until='2.52', rule=rules.SEARCH,
         returns=Many('hypervisors', HypervisorView))
    def search(self, req: Request, hypervisor_id: str) -> Page:
        """List the hypervisors with a part of the name."""
        found = _matching(req, hypervisor_id)
        return Page([node for node, _ in found], look=Look(req, found, False))

    @get('/os-hypervisors/{hypervisor_id}/servers', until='2.52', rule=rules.SERVERS,
         returns=types.OBJECT)
    def servers(self, req: Request, hypervisor_id: str) -> JsonObject:
        """List the servers on the hypervisors with a part of the name."""
        found = _matching(req, hypervisor_id)
        look, render = Look(req, found, True), req.renderer(HypervisorView, 'list')
        return {'hypervisors': [_with(render(node, look), look.servers(node)) for node, _ in found]}


def _with(shown: JsonObject, servers: list[dict[str, str | None]] | Absent) -> JsonObject:
    return shown if servers is ABSENT else {**shown, 'servers': servers}
