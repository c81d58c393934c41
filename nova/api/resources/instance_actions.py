"""Instance actions: the operations on a server, which are its tasks, and their steps as events."""

import datetime

from nova import objects
from nova.api.request import Request
from nova.common import clock, problem
from nova.objects import instance_action
from nova.policies import instance_actions as rules
from nova.rest import types
from nova.rest.field import ABSENT, Document, Faces, Field
from nova.rest.resource import Many, One, Page, Reply, Resource, get
from nova.schema.server.placement import host_id

_TEXT = types.nullable(types.TEXT)
_PATH = '/servers/{server_id}/os-instance-actions'
_BOTH: Faces = dict(list='2.1', show='2.1')


class EventView(Document):
    event = Field(types.TEXT, 'The step.', show='2.1')
    start_time = Field(_TEXT, get=lambda e, look: clock.strtime(e.start_time), show='2.1')
    finish_time = Field(_TEXT, get=lambda e, look: clock.strtime(e.finish_time), show='2.1')
    result = Field(_TEXT, 'Success or Error; null while it runs.', show='2.1')
    traceback = Field(_TEXT, rule=rules.EVENTS, attribute='details', show='2.1')
    hostId = Field(types.TEXT, get=lambda e, look: host_id(look.project_id, e.host), show='2.62')
    host = Field(types.TEXT, rule=rules.EVENTS, get=lambda e, look: e.host or '', show='2.62')
    details = Field(_TEXT, 'What went wrong.', rule=rules.EVENTS_DETAILS, show='2.84')


class ActionView(Document):
    """Faces: ``list``, ``show``."""

    action = Field(types.TEXT, **_BOTH)
    instance_uuid = Field(types.UUID, **_BOTH)
    request_id = Field(types.TEXT, **_BOTH)
    user_id = Field(_TEXT, **_BOTH)
    project_id = Field(_TEXT, **_BOTH)
    start_time = Field(types.TEXT, get=lambda a, look: clock.strtime(a.start_time), **_BOTH)
    message = Field(_TEXT, 'Error when it failed.', **_BOTH)
    updated_at = Field(_TEXT, get=lambda a, look: clock.strtime(a.updated_at), list='2.58', show='2.58')
    events = Field(types.array(EventView), 'Its steps, newest first.', maybe=True,
                   get=lambda a, look: a.events if look.shows_events else ABSENT, show='2.1')


class ActionQuery(Document):
    limit = Field(types.single(types.LIMIT), query='2.58')
    marker = Field(types.single(types.TEXT), 'Request id of the last action seen.', query='2.58')
    changes_since = Field(types.single(types.TIME), key='changes-since', query='2.58')
    changes_before = Field(types.single(types.TIME), key='changes-before', query='2.66')


class _Look:
    def __init__(self, project_id: str, shows_events: bool) -> None:
        self.project_id = project_id
        self.shows_events = shows_events


class InstanceActions(Resource):

    @get(_PATH, rule=rules.LIST, query=ActionQuery, strict='2.58', deleted='2.21',
         returns=Many('instanceActions', ActionView, links='links'))
    def index(self, req: Request, instance: objects.Instance) -> Page:
        """List the operations on a server, newest first."""
        since, before = _times(req)
        if not req.at('2.58'):
            return Page(instance_action.list_actions(req.place.db, instance.uuid, None, None, since, before))
        limit, marker = req.paging()
        found = instance_action.list_actions(req.place.db, instance.uuid, limit + 1, marker, since, before)
        return Page.of(found, limit, lambda action: action.request_id)

    @get(_PATH + '/{request_id}', rule=rules.SHOW, rules=(rules.EVENTS, rules.EVENTS_DETAILS), deleted='2.21',
         returns=One('instanceAction', ActionView))
    def show(self, req: Request, instance: objects.Instance, request_id: str) -> Reply:
        """Show an operation and its steps; until 2.50 the steps are for administrators."""
        found = instance_action.show_action(req.place.db, instance.uuid, request_id)
        if found is None:
            raise problem.NotFound(f'Action {request_id} not found')
        return Reply(subject=found, look=_Look(instance.project_id, req.at('2.51') or req.can(rules.EVENTS)))


def _times(req: Request) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """changes-since and changes-before.

    Raises:
        BadRequest: the second comes before the first.
    """
    since, before = (clock.parse(req.query[name]) if name in req.query else None
                     for name in ('changes-since', 'changes-before'))
    if since and before and since > before:
        raise problem.BadRequest('The value of changes-since must be less than or equal to changes-before.')
    return since, before
