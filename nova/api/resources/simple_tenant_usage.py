"""What projects have used: hours of servers, and of what servers have, in a period."""

import dataclasses
import datetime
import functools
import heapq
import itertools
from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.common import clock, problem
from nova.domain import usage
from nova.objects import flavor_changes
from nova.objects.instance import Instance
from nova.policies import simple_tenant_usage as rules
from nova.rest import types
from nova.rest.field import ABSENT, Absent, Document, Field
from nova.rest.resource import One, Reply, Resource, get

_ROWS = 1000
"""Servers that are read of a cell at a time."""
_MOMENT = types.text(format='date-time')


@dataclasses.dataclass(frozen=True)
class _Look:
    """What views of one answer share."""

    start: datetime.datetime
    stop: datetime.datetime
    now: datetime.datetime
    detailed: bool
    links: list[dict[str, str]]


class ServerUsage(Document):
    instance_id = Field(types.UUID, attribute='uuid', show='2.1')
    name = Field(types.TEXT, show='2.1')
    tenant_id = Field(types.TEXT, attribute='project_id', show='2.1')
    flavor = Field(types.TEXT, "The flavor's name.", show='2.1')
    state = Field(types.TEXT, 'Its vm_state; terminated when it is no more.',
                  get=lambda run, look: 'terminated' if run.ended else run.vm_state, show='2.1')
    vcpus = Field(types.INTEGER, show='2.1')
    memory_mb = Field(types.INTEGER, show='2.1')
    local_gb = Field(types.INTEGER, show='2.1')
    started_at = Field(_MOMENT, get=lambda run, look: clock.strtime(run.began), show='2.1')
    ended_at = Field(types.nullable(_MOMENT), get=lambda run, look: clock.strtime(run.ended), show='2.1')
    hours = Field(types.NUMBER, 'Within the period.',
                  get=lambda run, look: usage.hours(run, look.start, look.stop, look.now), show='2.1')
    uptime = Field(types.INTEGER, 'Seconds since it was launched.',
                   get=lambda run, look: int(((run.ended or look.now) - run.began).total_seconds()), show='2.1')


class TenantUsage(Document):
    tenant_id = Field(types.TEXT, attribute='project_id', show='2.1')
    start = Field(_MOMENT, get=lambda one, look: clock.strtime(one.start), show='2.1')
    stop = Field(_MOMENT, get=lambda one, look: clock.strtime(one.stop), show='2.1')
    total_hours = Field(types.NUMBER, attribute='hours', show='2.1')
    total_vcpus_usage = Field(types.NUMBER, 'Virtual CPUs by hours.', attribute='vcpus',
                              show='2.1')
    total_memory_mb_usage = Field(types.NUMBER, 'Mebibytes by hours.', attribute='memory_mb',
                                  show='2.1')
    total_local_gb_usage = Field(types.NUMBER, 'Gibibytes of disk by hours.',
                                 attribute='local_gb', show='2.1')
    server_usages = Field(types.array(ServerUsage), 'Its servers; in lists only where details are asked for.',
                          maybe=True, get=lambda one, look: one.runs if look.detailed else ABSENT, show='2.1')


def _links(answer: object, look: _Look) -> list[dict[str, str]] | Absent:
    return look.links or ABSENT


class Usages(Document):
    tenant_usages = Field(types.array(TenantUsage), get=lambda answer, look: answer, show='2.1')
    tenant_usages_links = Field(types.LINKS, 'The next page.', maybe=True, get=_links, show='2.40')


class OneUsage(Document):
    tenant_usage = Field(types.either(TenantUsage, types.EMPTY),
                         'Empty when the project had no servers in the period.',
                         get=lambda answer, look: answer, show='2.1')
    tenant_usage_links = Field(types.LINKS, 'The next page.', maybe=True, get=_links, show='2.40')


class ShowQuery(Document):
    start = Field(types.TEXT, 'The beginning of the period; now where it is not given.', query='2.1')
    end = Field(types.TEXT, 'Its end; likewise.', query='2.1')
    limit = Field(types.LIMIT, 'Most servers of one page.', query='2.40')
    marker = Field(types.TEXT, 'uuid of the last server seen.', query='2.40')


class ListQuery(ShowQuery):
    detailed = Field(types.TEXT, '1 for the servers too.', query='2.1')


class SimpleTenantUsage(Resource):

    @get('/os-simple-tenant-usage', rule=rules.LIST, query=ListQuery, strict='2.75', returns=One(None, Usages))
    def index(self, req: Request) -> Reply:
        """What every project has used."""
        return _answer(req, None, req.query.get('detailed') == '1')

    @get('/os-simple-tenant-usage/{project_id}', rules=(rules.SHOW,), query=ShowQuery, strict='2.75',
         returns=One(None, OneUsage))
    def show(self, req: Request, project_id: str) -> Reply:
        """What a project has used."""
        req.authorize(rules.SHOW, {'project_id': project_id})
        return _answer(req, project_id, True)


def _answer(req: Request, project_id: str | None, detailed: bool) -> Reply:
    now = clock.utcnow()
    start, stop = _moment(req.query.get('start'), now), _moment(req.query.get('end'), now)
    if start > stop:
        raise problem.BadRequest('Invalid start time. The start time cannot occur after the end time.')
    limit, marker = req.paging() if req.at('2.40') else (None, None)
    if marker is not None:
        with req.dbs.api.read() as conn:
            if objects.InstanceMapping.find(conn, instance_uuid=marker) is None:
                raise errors.server.MarkerNotFound(marker=marker)
    found = _runs(req, project_id, start, stop, marker)
    page = list(found if limit is None else itertools.islice(found, limit))
    more = limit is not None and len(page) == limit > 0 and next(found, None) is not None
    used = usage.sum_up(page, start, stop, now)
    look = _Look(start, stop, now, detailed, req.next_link(page[-1].uuid) if more else [])
    if project_id is None:
        return Reply(subject=list(used.values()), look=look)
    if project_id not in used:
        return Reply(body={'tenant_usage': {}})
    return Reply(subject=used[project_id], look=look)


def _moment(text: str | None, now: datetime.datetime) -> datetime.datetime:
    """A time as clients have always written it: with ``T`` or a blank, with or without a fraction.

    Raises:
        BadRequest: it is none.
    """
    try:
        return now if text is None else clock.parse(text)
    except ValueError:
        raise problem.BadRequest(f'Invalid time {text!r}: use YYYY-MM-DDThh:mm:ss.') from None


def _runs(req: Request, project_id: str | None, start: datetime.datetime, stop: datetime.datetime,
          marker: str | None) -> Iterator[usage.Run]:
    """The servers that ran in the period, by uuid, behind the marker.

    Raises:
        CellDown: 503; one that has, or had, servers of the project does not answer, so that usage is not known.
    """
    table = Instance.table
    where = [table.c.launched_at <= stop,
             sa.or_(table.c.terminated_at.is_(None), table.c.terminated_at >= start)]
    if project_id is not None:
        where.append(table.c.project_id == project_id)

    def page(conn: sa.Connection, after: str) -> list[usage.Run]:
        servers = Instance.all(conn, *where, table.c.uuid > after, order=[table.c.uuid], limit=_ROWS,
                               deleted=None, prefetch=('flavor',))
        changes = flavor_changes.of_servers(conn, [server.uuid for server in servers])
        return [_run(server, changes.get(server.uuid, ())) for server in servers]

    def stream(cell: objects.CellMapping, rows: list[usage.Run]) -> Iterator[usage.Run]:
        while rows:
            yield from rows
            if len(rows) < _ROWS:
                return
            rows = req.cells.ask_one(cell, functools.partial(page, after=rows[-1].uuid))
    first = req.cells.ask(functools.partial(page, after=marker or ''))
    down = [cell.id for cell, rows in first if rows is None]
    if down and _may_have(req, down, project_id):
        raise errors.host.CellDown()
    return heapq.merge(*(stream(cell, rows or []) for cell, rows in first), key=lambda run: run.uuid)


def _may_have(req: Request, cells: list[int], project_id: str | None) -> bool:
    """Whether these cells have servers of a project (None: any), or had some that are not archived."""
    table = objects.InstanceMapping.table
    where = [table.c.project_id == project_id] if project_id is not None else []
    with req.dbs.api.read() as conn:
        return bool(objects.InstanceMapping.all(conn, *where, cell_id=cells, limit=1))


def _run(server: Instance, changes: Sequence[flavor_changes.Change]) -> usage.Run:
    assert server.launched_at is not None, 'it is chosen by when it was launched'
    return usage.Run(
        server.uuid, server.project_id, server.display_name or '', server.flavor.name, server.vm_state,
        server.vcpus, server.memory_mb, server.root_gb + server.ephemeral_gb, server.launched_at,
        server.terminated_at, tuple(_earlier(change) for change in changes))


def _earlier(change: flavor_changes.Change) -> usage.Earlier:
    had = change.before
    return usage.Earlier(change.when, had.vcpus, had.memory_mb, had.root_gb + had.ephemeral_gb)
