"""Moves of servers: all of them, and of one server the live ones that are going on."""


import sqlalchemy as sa

from nova import errors, objects, states
from nova.api.request import Request
from nova.common import clock, problem, units
from nova.objects import Migration
from nova.objects import task as task_rows
from nova.ops.live_migrate import flow
from nova.policies import base as policies
from nova.policies import migrations as rules
from nova.policies import servers as server_rules
from nova.rest import types
from nova.rest.field import ABSENT, Absent, Document, Faces, Field
from nova.rest.resource import Body, Many, One, Page, Reply, Resource, delete, get, post
from nova.task.guard import From

_T = Migration.table.c
_TEXT = types.nullable(types.TEXT)
_NUMBER = types.nullable(types.INTEGER)
_TIME = types.nullable(types.TEXT)
_PATH = '/servers/{server_id}/migrations'
_BOTH: Faces = dict(list='2.1', show='2.1')


def _hidden(name: str) -> Field:
    """Hosts are for those who may know of them; others see that there is something."""
    return Field(_TEXT, get=lambda m, look: getattr(m, name) if look.sees_hosts else None, **_BOTH)


def _time(name: str) -> Field:
    return Field(_TIME, get=lambda m, look: clock.strtime(getattr(m, name)), **_BOTH)


class MigrationView(Document):
    """Face: ``list``."""

    id = Field(types.INTEGER, list='2.1')
    uuid = Field(types.UUID, list='2.59')
    instance_uuid = Field(types.UUID, list='2.1')
    status = Field(types.TEXT, list='2.1')
    migration_type = Field(types.TEXT, list='2.23')
    source_compute = _hidden('source_compute')
    source_node = _hidden('source_node')
    dest_compute = _hidden('dest_compute')
    dest_node = _hidden('dest_node')
    dest_host = _hidden('dest_host')
    old_instance_type_id = Field(_NUMBER, list='2.1')
    new_instance_type_id = Field(_NUMBER, list='2.1')
    project_id = Field(_TEXT, list='2.80')
    user_id = Field(_TEXT, list='2.80')
    created_at = _time('created_at')
    updated_at = _time('updated_at')
    links = Field(types.LINKS, 'Of live migrations that are going on.', maybe=True,
                  get=lambda m, look: look.links(m), list='2.23')


class LiveView(Document):
    """Faces: ``list``, ``show``; of one server's live migration."""

    id = Field(types.INTEGER, **_BOTH)
    uuid = Field(types.UUID, list='2.59', show='2.59')
    server_uuid = Field(types.UUID, attribute='instance_uuid', **_BOTH)
    status = Field(types.TEXT, **_BOTH)
    source_compute = _hidden('source_compute')
    source_node = _hidden('source_node')
    dest_compute = _hidden('dest_compute')
    dest_node = _hidden('dest_node')
    dest_host = _hidden('dest_host')
    memory_total_bytes = Field(_NUMBER, get=lambda m, look: look.copied('memory_total'), **_BOTH)
    memory_processed_bytes = Field(_NUMBER, get=lambda m, look: look.copied('memory_processed'), **_BOTH)
    memory_remaining_bytes = Field(_NUMBER, get=lambda m, look: look.copied('memory_remaining'), **_BOTH)
    disk_total_bytes = Field(_NUMBER, get=lambda m, look: look.copied('disk_total'), **_BOTH)
    disk_processed_bytes = Field(_NUMBER, get=lambda m, look: look.copied('disk_processed'), **_BOTH)
    disk_remaining_bytes = Field(_NUMBER, get=lambda m, look: look.copied('disk_remaining'), **_BOTH)
    project_id = Field(_TEXT, list='2.80', show='2.80')
    user_id = Field(_TEXT, list='2.80', show='2.80')
    created_at = _time('created_at')
    updated_at = _time('updated_at')


class MigrationQuery(Document):
    hidden = Field(types.TEXT, query='2.1')
    host = Field(types.TEXT, 'Source or destination.', query='2.1')
    instance_uuid = Field(types.TEXT, query='2.1')
    source_compute = Field(types.TEXT, query='2.1')
    status = Field(types.TEXT, query='2.1')
    migration_type = Field(types.TEXT, query='2.1')
    limit = Field(types.single(types.LIMIT), query='2.59')
    marker = Field(types.single(types.TEXT), 'UUID of the last one seen.', query='2.59')
    changes_since = Field(types.single(types.TIME), key='changes-since', query='2.59')
    changes_before = Field(types.single(types.TIME), key='changes-before', query='2.66')
    user_id = Field(types.single(types.TEXT), query='2.80')
    project_id = Field(types.single(types.TEXT), query='2.80')


class _Look:
    """
    Args:
        rule: who it allows sees hosts.
        progress: of the server's live migration, where its host has told of it.
    """

    def __init__(self, req: Request, rule: policies.Rule, progress: objects.Progress | None = None) -> None:
        self._req, self._progress = req, progress
        self.sees_hosts = req.can(rule)

    def copied(self, name: str) -> int | None:
        """How many bytes, as the host last told."""
        told: int | None = getattr(self._progress, name, None)
        return told

    def links(self, migration: Migration) -> list[dict[str, str]] | Absent:
        if not migration.is_live:
            return ABSENT
        return self._req.links.of('servers', migration.instance_uuid, 'migrations', str(migration.id))


def _wanted(req: Request) -> list[sa.ColumnElement[bool]]:
    """The filters of a list as conditions.

    Raises:
        BadRequest: times in the wrong order.
        Forbidden: another project's are for administrators.
    """
    query = req.query
    found = [_T[name] == query[name] for name in ('instance_uuid', 'source_compute', 'status', 'migration_type')
             if name in query]
    if 'host' in query:
        found.append(sa.or_(_T.source_compute == query['host'], _T.dest_compute == query['host']))
    found.append(_T.hidden.is_(types.is_true(query.get('hidden', 'false'))))
    found += _of_whom(req)
    since, before = (clock.parse(query[name]) if name in query else None
                     for name in ('changes-since', 'changes-before'))
    if since and before and since > before:
        raise problem.BadRequest('The value of changes-since must be less than or equal to changes-before.')
    found += [_T.updated_at >= since] if since else []
    found += [_T.updated_at <= before] if before else []
    return found


def _of_whom(req: Request) -> list[sa.ColumnElement[bool]]:
    project = req.query.get('project_id')
    if project is None and not req.can(rules.INDEX_ALL_PROJECTS):
        project = req.context.project_id
    elif project is not None and project != req.context.project_id:
        req.authorize(rules.INDEX_ALL_PROJECTS)
    found = [_T.project_id == project] if project is not None else []
    return found + ([_T.user_id == req.query['user_id']] if 'user_id' in req.query else [])


def _page(req: Request, where: list[sa.ColumnElement[bool]]) -> Page:
    """The newest first, over all cells; before 2.59 all of them, the oldest first."""
    if not req.at('2.59'):
        answers = req.cells.ask(lambda conn: Migration.all(conn, *where, order=[_T.created_at, _T.uuid]))
        found = [each for _, some in answers for each in some or ()]
        return Page(sorted(found, key=lambda each: (each.created_at, each.uuid)))
    limit, marker = req.paging()
    if marker is not None:
        where = [*where, Migration.behind(_marked(req, marker))]
    answers = req.cells.ask(lambda conn: Migration.newest(conn, *where, limit=limit + 1))
    found = [each for _, some in answers for each in some or ()]
    found.sort(key=lambda each: (each.created_at, each.uuid), reverse=True)
    return Page.of(found, limit, lambda each: each.uuid)


def _marked(req: Request, marker: str) -> Migration:
    for _, found in req.cells.ask(lambda conn: Migration.find(conn, uuid=marker)):
        if found is not None:
            return found
    raise errors.server.MarkerNotFound(marker=marker)


class Migrations(Resource):

    @get('/os-migrations', rule=rules.INDEX, rules=(rules.INDEX_HOST, rules.INDEX_ALL_PROJECTS),
         query=MigrationQuery, strict='2.59', returns=Many('migrations', MigrationView))
    def index(self, req: Request) -> Page:
        """List moves of servers."""
        page = _page(req, _wanted(req))
        page.look = _Look(req, rules.INDEX_HOST)
        return page

    @get(_PATH, since='2.23', rule=server_rules.MIGRATIONS_INDEX, rules=(server_rules.MIGRATIONS_INDEX_HOST,),
         returns=Many('migrations', LiveView))
    def of_server(self, req: Request, instance: objects.Instance) -> Page:
        """List the live migrations of a server that are going on."""
        look = _Look(req, server_rules.MIGRATIONS_INDEX_HOST, _progress(req, instance))
        return Page(_live_of(req, instance), look=look)

    @get(_PATH + '/{migration_id}', since='2.23', rule=server_rules.MIGRATIONS_SHOW,
         returns=One('migration', LiveView))
    def show(self, req: Request, instance: objects.Instance, migration_id: str) -> Reply:
        """Show a live migration that is going on."""
        found = _find_live(req, instance, migration_id)
        look = _Look(req, server_rules.MIGRATIONS_SHOW, _progress(req, instance))
        return Reply(subject=found, look=look)

    @delete(_PATH + '/{migration_id}', since='2.24', rule=server_rules.MIGRATIONS_DELETE, ok=202)
    def abort(self, req: Request, instance: objects.Instance, migration_id: str) -> None:
        """Abort a live migration; from 2.65 on also one that has not begun."""
        _MOVES.check_lock(instance, req.context)
        _MOVES.check(instance, 'abort live migration')
        found = _find_live(req, instance, migration_id)
        allowed = ('running', 'queued', 'preparing') if req.at('2.65') else ('running',)
        _check_status(found, allowed, 'abort live migration')
        _tell(req, instance, found, states.Signal.ABORT, 'live_migration_cancel')

    @post(_PATH + '/{migration_id}/action', since='2.22', action='force_complete', ok=202,
          rule=server_rules.MIGRATIONS_FORCE_COMPLETE, body=Body(types.NULL))
    def force_complete(self, req: Request, instance: objects.Instance, migration_id: str) -> None:
        """Have a live migration end although the guest changes its memory faster than that is copied."""
        _RUNS.check_lock(instance, req.context)
        _RUNS.check(instance, 'force_complete')
        try:
            found = _find_live(req, instance, migration_id)
        except errors.virt.MigrationNotFound as error:
            raise problem.BadRequest(error.message) from error
        _check_status(found, ('running',), 'force_complete')
        _tell(req, instance, found, states.Signal.FORCE_COMPLETE, 'live_migration_force_complete')


_MOVES = From(task=(states.Task.MIGRATING,))
_RUNS = From(states.VM.ACTIVE, task=(states.Task.MIGRATING,))


def _check_status(migration: Migration, allowed: tuple[str, ...], action: str) -> None:
    if migration.status not in allowed:
        raise errors.virt.MigrationInState(migration=migration.uuid, server=migration.instance_uuid,
                                           state=migration.status, action=action)


def _tell(req: Request, instance: objects.Instance, migration: Migration, told: states.Signal, action: str
          ) -> None:
    """Tell the operation, and note that it was told.

    Raises:
        MigrationInState: it has just ended.
    """
    try:
        req.signal(flow.LiveMigrate, instance, told, note=action)
    except errors.task.NotInProgress as error:
        raise errors.virt.MigrationInState(migration=migration.uuid, server=instance.uuid, state='completed',
                                           action=action) from error


def _progress(req: Request, instance: objects.Instance) -> objects.Progress | None:
    with req.place.db.read() as conn:
        return task_rows.progress_of(conn, [instance.uuid]).get(instance.uuid)


def _live_of(req: Request, instance: objects.Instance) -> list[Migration]:
    """None of a server that no cell has yet."""
    if req.place.mapping is None:
        return []
    with req.place.db.read() as conn:
        return Migration.live_of(conn, instance.uuid)


def _find_live(req: Request, instance: objects.Instance, text: str) -> Migration:
    """
    Raises:
        MigrationNotFound: the server has no such one, or it has ended.
    """
    try:
        number = units.number(text)
    except ValueError:
        raise errors.virt.MigrationNotFound(migration=text) from None
    found = [each for each in _live_of(req, instance) if each.id == number]
    if not found:
        raise errors.virt.MigrationNotFound(migration=text)
    return found[0]
