"""GET /events: what happens to a project's servers, as it happens (server-sent events)."""

import contextlib
from collections.abc import Iterator

from nova.api import following
from nova.api.request import Request
from nova.common import clock, jsonutil, problem
from nova.common.jsonutil import JsonObject
from nova.objects import notification
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Reply, Resource, get

MEDIA = 'text/event-stream'
LIFE = 300.0
"""Seconds after which a stream ends, so that who follows it is asked for his token again."""
SILENCE = 15.0
"""Seconds after which something is sent, so that a connection that is gone is noticed."""


class NoStream(problem.Problem):
    status, code = 501, 'no_event_stream'
    template = 'This cloud keeps no events: its operator has set [notifications] event_stream_hours to 0.'


class NoRoom(problem.Unavailable):
    code = 'no_room_to_wait'
    template = 'As many requests wait here as may; come again in some seconds.'


class EventsQuery(Document):
    last_event_id = Field(types.single(types.text(1, 8000)), 'For clients that cannot send Last-Event-ID.',
                          query='2.1')


class Events(Resource):

    @get('/events', rule=rules.DETAIL, query=EventsQuery,
         returns={'type': 'string', 'contentMediaType': MEDIA})
    def follow(self, req: Request) -> Reply:
        """Follow what happens to the project's servers and to the tasks on them.

        Each event has an ``id``; who comes back with it in ``Last-Event-ID`` is told all that came after it,
        and perhaps something twice: ``data.id`` is the same then.
        """
        hours = req.conf.notifications.event_stream_hours
        if not hours:
            raise NoStream()
        text = req.last_event_id or req.query.get('last_event_id')
        place = None if text is None else following.Place.parse(text)
        with contextlib.ExitStack() as stack:
            if not stack.enter_context(req.waits.room()):
                raise NoRoom(headers={'Retry-After': '5'})
            late = place is not None and following.is_late(place, req.dbs.api.now(), hours)
            stream = Stream(req, place, late, stack.pop_all())
        return Reply(stream=stream, headers={
            'Content-Type': MEDIA, 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no'})


class Stream:
    """The body of an answer: one event after the other, until `LIFE` is over or the client is gone.

    Args:
        late: events may have been dropped since `place`.
        room: to be given back.
    """

    def __init__(self, req: Request, place: following.Place | None, late: bool, room: contextlib.ExitStack
                 ) -> None:
        self._req, self._late, self._room = req, late, room
        self._following = following.Following(
            req.dbs, req.context.project_id or '', place, req.conf.api.cell_timeout)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._parts()
        finally:
            self.close()

    def close(self) -> None:
        """Called by web servers when all is sent, or nobody reads."""
        self._room.close()

    def _parts(self) -> Iterator[bytes]:
        yield b'retry: 1000\n\n'
        if self._late:
            yield from following.lines('gap', jsonutil.dumps(
                {'message': 'Events between your last one and the oldest that is kept may be missing.'}))
        down, said = 0, clock.monotonic()
        for _ in self._req.waits.rounds(clock.Deadline(LIFE)):
            more = True
            while more:
                seen = self._following.look(self._req.cells.every())
                place, more = self._following.place, seen.more and bool(seen.told)
                for each in seen.told:
                    yield from following.lines(each.event_type, jsonutil.dumps(shown(each)), place)
                if seen.told:
                    said = clock.monotonic()
            if seen.down != down:
                down, said = seen.down, clock.monotonic()
                yield from following.lines('cells', jsonutil.dumps({'down': down}), place)
            if clock.monotonic() - said >= SILENCE:
                said = clock.monotonic()
                yield b':\n\n'


def shown(each: notification.Notification) -> JsonObject:
    """What a project is told of a notification: nothing of hosts, and of errors the message."""
    data = each.payload.get('nova_object.data', {})
    fault = data.get('fault') or data.get('reason') or {}
    message = fault.get('nova_object.data', {}).get('exception_message') or data.get('exception_message')
    return {
        'id': each.uuid, 'type': each.event_type, 'time': clock.isotime(each.created_at),
        'server': {'id': each.subject, 'name': data.get('display_name'), 'state': data.get('state'),
                   'task_state': data.get('task_state'), 'power_state': data.get('power_state')},
        'task': {'id': each.task_uuid, 'request_id': data.get('request_id')} if each.task_uuid else None,
        'error': {'message': message} if message else None}
