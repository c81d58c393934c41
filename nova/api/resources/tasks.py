"""Tasks of a server: what is done to it, how far it is, and how it ended; for who waits, when it has ended."""


from nova import errors, objects
from nova.api.request import Request
from nova.api.resources.instance_actions import EventView
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.objects import instance_action
from nova.objects import task as rows
from nova.ops.build import place
from nova.policies import instance_actions as rules
from nova.rest import types
from nova.rest.field import Document, Faces, Field
from nova.rest.resource import Many, One, Page, Reply, Resource, get

_TEXT = types.nullable(types.TEXT)
_PATH = '/servers/{server_id}/tasks'
_BOTH: Faces = dict(list='2.1', show='2.1')
LONGEST = 60
"""Most seconds that a request waits."""
STATUSES = ('queued', 'running', 'undoing', 'done', 'failed', 'aborted', 'stuck', 'abandoned')


def status(task: rows.Task) -> str:
    """One of `STATUSES`."""
    match task.status:
        case rows.QUEUED | rows.DONE | rows.STUCK | rows.ABANDONED:
            return task.status
        case rows.UNDONE:
            return 'failed' if task.error is not None else 'aborted'
    return 'running' if task.direction == 'do' else 'undoing'


_STAGE = {'type': 'object', 'properties': {
    'stage': types.TEXT, 'name': types.TEXT, 'removed': types.nullable(types.INTEGER),
    'left': types.nullable(types.INTEGER)}}
_ERROR = {'type': 'object', 'properties': {
    'code': types.INTEGER, 'message': types.TEXT, 'stages': types.array(_STAGE)}}


def _told(error: JsonObject | None) -> JsonObject | None:
    """What users are told of an error: of hosts only how many there were; the rest is for administrators."""
    return None if error is None else {name: error[name] for name in _ERROR['properties'] if name in error}


class TaskView(Document):
    """Faces: ``list``, ``show``."""

    id = Field(types.UUID, attribute='uuid', **_BOTH)
    action = Field(types.TEXT, 'What is done.', **_BOTH)
    server_id = Field(types.UUID, get=lambda task, look: look.server, **_BOTH)
    request_id = Field(_TEXT, 'Of the request that began it.', **_BOTH)
    user_id = Field(_TEXT, **_BOTH)
    project_id = Field(_TEXT, **_BOTH)
    status = Field(types.enum(*STATUSES), get=lambda task, look: status(task), **_BOTH)
    step = Field(_TEXT, 'The present step; null when it has ended.',
                 get=lambda task, look: None if task.ended else task.step, **_BOTH)
    progress = Field(types.nullable(types.INTEGER), 'Percent of that step, where it tells.',
                     get=lambda task, look: _percent(task), **_BOTH)
    error = Field(types.nullable(_ERROR), 'The first failure.', get=lambda task, look: _told(task.error),
                  **_BOTH)
    created_at = Field(types.TEXT, get=lambda task, look: clock.isotime(task.created_at), **_BOTH)
    updated_at = Field(_TEXT, get=lambda task, look: clock.isotime(task.updated_at), **_BOTH)
    finished_at = Field(_TEXT, get=lambda task, look: clock.isotime(task.finished_at), **_BOTH)
    steps = Field(types.array(EventView), 'The newest first.', get=lambda task, look: look.steps, show='2.1')


def _percent(task: rows.Task) -> int | None:
    told = (task.progress or {}).get('nova_object.data', {})
    return None if task.ended else told.get('percent')


class TaskQuery(Document):
    wait = Field(types.single(types.integer(0, LONGEST)), 'Seconds to wait for its end.', query='2.1')


class TasksQuery(Document):
    limit = Field(types.single(types.LIMIT), query='2.1')
    marker = Field(types.single(types.TEXT), 'Request id of the last task seen.', query='2.1')


class _Look:
    """What views read beside a task; `steps` are those that it took."""

    def __init__(self, server: objects.Instance, steps: tuple[instance_action.Event, ...] = ()) -> None:
        self.server, self.project_id, self.steps = server.uuid, server.project_id, steps


class Tasks(Resource):

    @get(_PATH, rule=rules.LIST, query=TasksQuery, deleted='2.1',
         returns=Many('tasks', TaskView, links='links'))
    def index(self, req: Request, instance: objects.Instance) -> Page:
        """List the tasks of a server, newest first."""
        limit, marker = req.paging()
        with req.place.db.read() as conn:
            found = instance_action.page(conn, instance.uuid, limit + 1, marker)
            if req.place.mapping is None and (made := place.build_of(conn, instance.uuid)) is not None:
                found = [made, *found]
        page = Page.of(found, limit, lambda task: task.request_id)
        page.look = _Look(instance)
        return page

    @get(_PATH + '/{task_id}', rule=rules.SHOW, rules=(rules.EVENTS, rules.EVENTS_DETAILS), query=TaskQuery,
         deleted='2.1', returns=One('task', TaskView))
    def show(self, req: Request, instance: objects.Instance, task_id: str) -> Reply:
        """Show a task and its steps; with ``wait``, when it has ended or that time is over.

        A task can also be named by the id of the request that began it. A process that has no room for one more
        who waits answers at once, with ``Retry-After``.
        """
        task, headers = _find(req, instance, task_id), {}
        seconds = int(req.query.get('wait', 0))
        if seconds and not task.ended:
            with req.waits.room() as has:
                headers = {} if has else {'Retry-After': '1'}
                for _ in req.waits.rounds(clock.Deadline(seconds if has else 0)):
                    # Found anew, because a cell may have taken the server over.
                    task = _find(req, req.server(instance.uuid), task_id)
                    if task.ended:
                        break
        return Reply(subject=task, look=_Look(instance, _steps(req, task)), headers=headers)


def _find(req: Request, server: objects.Instance, name: str) -> rows.Task:
    """The task of a server with this id, or which the request with this id began.

    Raises:
        TaskNotFound: there is none that clients see.
    """
    with req.place.db.read() as conn:
        task = rows.get(conn, name)
        if task is None or task.instance_uuid != server.uuid or task.action is None:
            task = instance_action.of_request(conn, server.uuid, name)
        if task is None and req.place.mapping is None:
            made = place.build_of(conn, server.uuid)
            task = made if made is not None and name in (made.uuid, made.request_id) else None
    if task is None:
        raise errors.task.TaskNotFound(task=name)
    return task


def _steps(req: Request, task: rows.Task) -> tuple[instance_action.Event, ...]:
    """Its steps; below 2.51 they are, as those of instance actions, for administrators."""
    if not (req.at('2.51') or req.can(rules.EVENTS)):
        return ()
    with req.place.db.read() as conn:
        return instance_action.events(task, rows.steps(conn, [task.uuid]))
