"""Writes notifications down in the transaction of what they tell of; `nova.conductor.relay` sends them.

So none is lost and none is invented: a transaction that is rolled back told nothing. Where nobody listens (no
driver is configured, or no versioned format) this costs no statement.
"""

import dataclasses
import datetime
import weakref
from typing import NamedTuple

import sqlalchemy as sa
from oslo_config import cfg

from nova import context as nova_context
from nova import states
from nova.common import clock, dbkit, uuids
from nova.common.jsonutil import JsonObject
from nova.domain.notifications import events, payloads
from nova.objects import notification
from nova.objects import task as rows
from nova.objects.aggregate import Aggregate
from nova.objects.flavor import Flavor
from nova.objects.group import InstanceGroup
from nova.objects.instance import FULL, Instance
from nova.objects.keypair import KeyPair
from nova.objects.service import Service
from nova.objects.share_mapping import ShareMapping

API, COMPUTE, CONDUCTOR = 'nova-api', 'nova-compute', 'nova-conductor'


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What is configured.

    Attributes:
        host: name of this process's host.
        volumes: servers' volumes are named.
        shares: servers' shares are named.
        guests: template of their guests' names.
        changes: fields of a server whose change is told.
        sent: a bus is told.
        kept: projects can follow them.
    """

    host: str
    volumes: bool
    shares: bool
    guests: str
    changes: tuple[str, ...]
    sent: bool
    kept: bool


_CHANGES = {None: (), 'vm_state': ('vm_state',), 'vm_and_task_state': ('vm_state', 'task_state')}


def wanted(conf: cfg.ConfigOpts) -> Wanted | None:
    """None when nobody listens."""
    drivers = {name for name in conf.oslo_messaging_notifications.driver if name not in ('', 'noop')}
    sent = bool(drivers) and conf.notifications.notification_format != 'unversioned'
    kept = conf.notifications.event_stream_hours > 0
    if not sent and not kept:
        return None
    return Wanted(conf.host, conf.notifications.bdms_in_notifications, conf.notifications.include_share_mapping,
                  conf.instance_name_template, _CHANGES[conf.notifications.notify_on_state_change], sent, kept)


_known: weakref.WeakKeyDictionary[sa.Engine, Wanted | None] = weakref.WeakKeyDictionary()


def _wanted(conn: sa.Connection) -> Wanted | None:
    """Read once for each database, since every save asks: what is configured holds from the start on."""
    engine = conn.engine
    if engine not in _known:
        conf = dbkit.conf(conn)
        _known[engine] = None if conf is None else wanted(conf)
    return _known[engine]


def by(who: rows.Task | nova_context.RequestContext) -> JsonObject:
    """Who has something done, for a payload."""
    return {'request_id': who.request_id, 'user_id': who.user_id, 'project_id': who.project_id}


def _add(conn: sa.Connection, subject: str, event_type: str, publisher: str, payload: payloads.Payload,
         priority: str = events.INFO, server: Instance | None = None, task: str | None = None) -> None:
    """
    Args:
        server: the one that it is about: its project may follow it.
        task: the operation that it tells of.
    """
    kept = _wanted(conn)
    if kept is None or not kept.sent and server is None:
        return
    notification.add(conn, notification.Notification(
        uuid=uuids.generate(), subject=subject, event_type=event_type, publisher_id=publisher,
        priority=priority, payload=payload.message(), task_uuid=task,
        project_id=server.project_id if server is not None else None), kept.sent)


# Operations --------------------------------------------------------------------------------------

def began(conn: sa.Connection, uuid: str | None) -> None:
    """A task is nobody's but its own from now on: it is no longer inert, and does not wait for its turn."""
    kept = _wanted(conn)
    if kept is None or uuid is None:
        return
    task = rows.get(conn, uuid)
    if task is not None and task.status not in (rows.INERT, rows.QUEUED):
        _tell(conn, kept, task, events.EVENTS.get(task.flow), events.START)


def _ended(conn: sa.Connection, kept: Wanted, task: rows.Task, changes: JsonObject) -> None:
    if 'finished_at' not in changes or task.status in (rows.INERT, rows.QUEUED):
        return
    failed = changes['status'] != rows.DONE
    _tell(conn, kept, dataclasses.replace(task, error=changes.get('error', task.error)),
          events.EVENTS.get(task.flow), events.ERROR if failed else events.END)


def moved(conn: sa.Connection, task: rows.Task, note: rows.Note | None, changes: JsonObject) -> None:
    """A task went from the step that the note is of to another, or ended."""
    kept = _wanted(conn)
    if kept is None:
        return
    if note is not None and note.status == 'done':
        _tell(conn, kept, task, events.STEPS.get((task.flow, note.name, note.direction)), events.END)
    _ended(conn, kept, task, changes)
    if note is not None and changes.get('step') not in (None, note.name):
        _tell(conn, kept, task, events.STEPS.get((task.flow, changes['step'], changes['direction'])),
              events.START)


def _tell(conn: sa.Connection, kept: Wanted, task: rows.Task, event: events.Event | None, phase: str) -> None:
    name = event.named(phase) if event is not None else None
    failed = phase == events.ERROR
    server = _server(conn, task.instance_uuid) if name is not None or event is not None and failed else None
    if event is None or server is None:
        return
    publisher = f'{COMPUTE}:{server.host or kept.host}'
    fault = payloads.ExceptionPayload.of(task.error) if failed else None
    if fault is not None and name is None:
        _add(conn, server.uuid, events.EXCEPTION, publisher, fault, events.ERRORS, server, task.uuid)
        return
    assert name is not None, 'only errors are told of without an event of their own'
    payload = event.payload.about(
        server, by(task), kept.volumes, shares=_shares(conn, kept, server), fault=fault,
        **event.more(server, {**task.state.get('nova_object.data', {}),
                              'guest': server.guest_name(kept.guests)}))
    _add(conn, server.uuid, name, publisher, payload, events.ERRORS if failed else events.INFO, server,
         task.uuid)


def _server(conn: sa.Connection, uuid: str | None) -> Instance | None:
    return None if uuid is None else Instance.find(conn, FULL, uuid=uuid, deleted=None)


def _shares(conn: sa.Connection, kept: Wanted, server: Instance) -> list[payloads.SharePayload]:
    return payloads.SharePayload.all_of(ShareMapping.of_server(conn, server.uuid)) if kept.shares else []


# Servers -----------------------------------------------------------------------------------------

class _Shown(NamedTuple):
    """What of a server is told of when it changes."""

    vm_state: str
    task_state: str | None
    display_name: str | None


class Change:
    """``with Change(conn, uuid, by):`` around what may change a server: tells how its states changed.

    Args:
        by: ``request_id``, ``user_id`` and ``project_id`` of who asked for it.
        service: who says so.
    """

    def __init__(self, conn: sa.Connection, uuid: str | None, by: JsonObject, service: str = COMPUTE
                 ) -> None:
        self._conn, self._uuid, self._by, self._service = conn, uuid, by, service
        self._kept = _wanted(conn)
        self._before: _Shown | None = None

    def _look(self) -> '_Shown | None':
        table = Instance.table.c
        row = self._conn.execute(sa.select(table.vm_state, table.task_state, table.display_name).where(
            table.uuid == self._uuid)).one_or_none()
        return None if row is None else _Shown(*row)

    def __enter__(self) -> None:
        if self._kept is not None and self._kept.changes and self._uuid is not None:
            self._before = self._look()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None or self._before is None or self._kept is None:
            return
        before, after = self._before, self._look()
        if after is None or all(getattr(before, name) == getattr(after, name)
                                for name in (*self._kept.changes, 'display_name')):
            return
        server = _server(self._conn, self._uuid)
        if server is None:
            return
        now = clock.utcnow()
        renamed = before.display_name != after.display_name
        payload = payloads.InstanceUpdatePayload.about(
            server, self._by, self._kept.volumes, tags=list(server.tags),
            shares=_shares(self._conn, self._kept, server),
            old_display_name=before.display_name if renamed else None,
            state_update=payloads.InstanceStateUpdatePayload(
                old_state=before.vm_state, state=after.vm_state, old_task_state=before.task_state,
                new_task_state=after.task_state),
            audit_period=payloads.AuditPeriodPayload(
                audit_period_beginning=_time(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)),
                audit_period_ending=_time(now)))
        host = server.host if self._service == COMPUTE else None
        _add(self._conn, server.uuid, events.UPDATE, f'{self._service}:{host or self._kept.host}', payload,
             server=server)


def _time(when: datetime.datetime) -> str:
    return clock.isotime(when) or ''


def of_action(conn: sa.Connection, action: str, uuid: str, context: nova_context.RequestContext) -> None:
    """The API did this with a server within a request (`events.REQUESTS`)."""
    kept = _wanted(conn)
    server = _server(conn, uuid) if kept is not None and action in events.REQUESTS else None
    if kept is None or server is None:
        return
    for name in events.REQUESTS[action]:
        _add(conn, uuid, name, f'{API}:{kept.host}', payloads.InstanceActionPayload.about(
            server, by(context), kept.volumes, shares=_shares(conn, kept, server), fault=None), server=server)


def of_unplaced(conn: sa.Connection, uuid: str, error: JsonObject | None) -> None:
    """No host was found for a new server, which is in error now."""
    kept = _wanted(conn)
    if kept is not None:
        _add(conn, uuid, events.UNPLACED, f'{CONDUCTOR}:{kept.host}', payloads.ComputeTaskPayload(
            instance_uuid=uuid, state=str(states.VM.ERROR), reason=payloads.ExceptionPayload.of(error)),
            events.ERRORS, _server(conn, uuid) if kept.kept else None)


# What the API keeps ------------------------------------------------------------------------------

def of_flavor(conn: sa.Connection, action: str, made: Flavor) -> None:
    """create, update or delete; before a delete, which takes what is told with it."""
    kept = _wanted(conn)
    if kept is not None:
        _add(conn, made.flavorid, f'flavor.{action}', f'{API}:{kept.host}',
             payloads.FlavorPayload.of(made, made.projects(conn)))


def of_aggregate(conn: sa.Connection, action: str, phase: str, made: Aggregate) -> None:
    """create, delete, update_prop, update_metadata, add_host, remove_host or cache_images, whose end says that
    every host was told; both its start and its end."""
    kept = _wanted(conn)
    if kept is not None:
        _add(conn, made.uuid, f'aggregate.{action}.{phase}', f'{API}:{kept.host}',
             payloads.AggregatePayload.of(made))


def of_keypair(conn: sa.Connection, action: str, pair: KeyPair) -> None:
    """create, import or delete: it began and ended in one transaction."""
    kept = _wanted(conn)
    if kept is None:
        return
    for phase in (events.START, events.END):
        _add(conn, f'{pair.user_id}/{pair.name}'[:255], f'keypair.{action}.{phase}', f'{API}:{kept.host}',
             payloads.KeypairPayload.of(pair))


def of_group(conn: sa.Connection, action: str, group: InstanceGroup) -> None:
    """create, delete or add_member."""
    kept = _wanted(conn)
    if kept is not None:
        _add(conn, group.uuid, f'server_group.{action}', f'{API}:{kept.host}',
             payloads.ServerGroupPayload.of(group))


def of_service(conn: sa.Connection, action: str, service: Service) -> None:
    """create, update or delete; beats are no updates."""
    kept = _wanted(conn)
    if kept is not None:
        _add(conn, service.uuid, f'service.{action}', f'{COMPUTE}:{service.host}',
             payloads.ServiceStatusPayload.of(service))
