"""Instance actions: the operations on a server, which are its tasks, as clients see them; and its faults.

Nothing is stored twice: an action is a task, its events are the steps that the task took.
"""

import dataclasses
import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.db import paging
from nova.db import tasks as tables
from nova.objects import task as rows

_T = tables.tasks.c
_ORDER = (paging.Key(_T.created_at, True), paging.Key(_T.id, True))
_RESULTS = {'done': 'Success', 'failed': 'Error', 'refused': 'Error', 'cancelled': 'Cancelled'}


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One step of an operation.

    Attributes:
        result: Success, Error, Cancelled, or None while it runs.
        details: what went wrong, for whoever may see it.
    """

    event: str
    start_time: datetime.datetime | None
    finish_time: datetime.datetime | None
    result: str | None
    host: str | None
    details: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """One operation on a server, as os-instance-actions shows it."""

    action: str
    instance_uuid: str
    request_id: str | None
    user_id: str | None
    project_id: str | None
    start_time: datetime.datetime | None
    updated_at: datetime.datetime | None
    finish_time: datetime.datetime | None
    message: str | None
    traceback: str | None
    task: str
    events: tuple[Event, ...] = ()


def _event_name(direction: str, name: str) -> str:
    return name if direction == 'do' else f'undo_{name}'


def events(task: rows.Task, steps: Sequence[sa.Row]) -> tuple[Event, ...]:
    """The steps that a task took, of these rows, and the present one; the newest first."""
    found = [Event(_event_name(row.direction, row.name), row.started_at, row.finished_at,
                   _RESULTS.get(row.status, row.status), row.host, row.detail)
             for row in steps if row.task_uuid == task.uuid]
    if not task.ended and task.step is not None and task.status != rows.QUEUED:
        found.append(Event(_event_name(task.direction, task.step), task.step_started_at, None, None,
                           task.host, None))
    return tuple(reversed(found))


def _action(task: rows.Task, steps: Sequence[sa.Row]) -> Action:
    failed = task.error is not None or task.status in (rows.UNDONE, rows.STUCK, rows.ABANDONED)
    return Action(
        action=task.action or task.flow, instance_uuid=task.instance_uuid or '', request_id=task.request_id,
        user_id=task.user_id, project_id=task.project_id, start_time=task.created_at,
        updated_at=task.updated_at, finish_time=task.finished_at, message='Error' if failed else None,
        traceback=(task.error or {}).get('details'), task=task.uuid, events=events(task, steps))


def page(conn: sa.Connection, instance_uuid: str, limit: int | None, marker: str | None = None,
         since: datetime.datetime | None = None, before: datetime.datetime | None = None) -> list[rows.Task]:
    """Operations that clients see, behind the one that the request `marker` began.

    Args:
        since, before: changed not before, not after these times.

    Raises:
        MarkerNotFound: no request with this id began one.
    """
    where = [*_seen(instance_uuid)]
    if since is not None:
        where.append(_T.updated_at >= since)
    if before is not None:
        where.append(_T.updated_at <= before)
    if marker is not None:
        last = conn.execute(_newest(sa.select(*(key.column for key in _ORDER)), instance_uuid, marker)).first()
        if last is None:
            raise errors.server.MarkerNotFound(marker=marker)
        where.append(paging.after(_ORDER, last))
    return [rows.from_row(row) for row in conn.execute(
        sa.select(tables.tasks).where(*where).order_by(*paging.ordering(_ORDER)).limit(limit))]


def of_request(conn: sa.Connection, instance_uuid: str, request_id: str) -> rows.Task | None:
    """The operation that a request began."""
    row = conn.execute(_newest(sa.select(tables.tasks), instance_uuid, request_id)).first()
    return rows.from_row(row) if row is not None else None


def _seen(instance_uuid: str) -> tuple[sa.ColumnElement[bool], ...]:
    return _T.instance_uuid == instance_uuid, _T.action.is_not(None)


def _newest(query: sa.Select, instance_uuid: str, request_id: str) -> sa.Select:
    return query.where(*_seen(instance_uuid), _T.request_id == request_id).order_by(
        *paging.ordering(_ORDER)).limit(1)


def latest_errors(conn: sa.Connection, instance_uuids: list[str]) -> dict[str, JsonObject]:
    """The newest failure of each server that has one: {uuid: {code, message, details, created}}."""
    ranked = sa.select(
        _T.instance_uuid, _T.error,
        sa.func.row_number().over(
            partition_by=_T.instance_uuid, order_by=(_T.finished_at.desc(), _T.id.desc())).label('place')
    ).where(_T.instance_uuid.in_(instance_uuids), _T.error.is_not(None), _T.finished_at.is_not(None)).subquery()
    return {row.instance_uuid: row.error for row in conn.execute(
        sa.select(ranked.c.instance_uuid, ranked.c.error).where(ranked.c.place == 1)) if row.error}


def list_actions(
        db: dbkit.Database, instance_uuid: str, limit: int | None = None, marker: str | None = None,
        since: datetime.datetime | None = None, before: datetime.datetime | None = None) -> list[Action]:
    """A server's operations, newest first, without events.

    Args:
        marker: request id of the last one seen.
        since, before: changed not before, not after these times.

    Raises:
        MarkerNotFound: that request began no operation of the server.
    """
    with db.read() as conn:
        return [_action(task, []) for task in page(conn, instance_uuid, limit, marker, since, before)]


def show_action(db: dbkit.Database, instance_uuid: str, request_id: str) -> Action | None:
    """The operation that a request began, with its events, newest first."""
    with db.read() as conn:
        task = of_request(conn, instance_uuid, request_id)
        return None if task is None else _action(task, rows.steps(conn, [task.uuid]))


def faults(db: dbkit.Database, instance_uuids: list[str]) -> dict[str, JsonObject]:
    """The newest failure of each server: {uuid: {code, message, details, type, created}}, in one statement."""
    if not instance_uuids:
        return {}
    with db.read() as conn:
        return latest_errors(conn, instance_uuids)


def fault_of(db: dbkit.Database, instance_uuid: str) -> JsonObject | None:
    """`faults` of one server."""
    return faults(db, [instance_uuid]).get(instance_uuid)
