"""A server's operations as clients page through them: the newest first, as many as are asked for."""

import datetime
from typing import Any

import sqlalchemy as sa

from nova import errors
from nova.db import paging
from nova.db import tasks as tables
from nova.objects import task as rows

_T = tables.tasks.c
_ORDER = (paging.Key(_T.created_at, True), paging.Key(_T.id, True))


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


def _newest(query: sa.Select[Any], instance_uuid: str, request_id: str) -> sa.Select[Any]:
    return query.where(*_seen(instance_uuid), _T.request_id == request_id).order_by(
        *paging.ordering(_ORDER)).limit(1)


def latest_errors(conn: sa.Connection, instance_uuids: list[str]) -> dict[str, dict[str, Any]]:
    """The newest failure of each server that has one: {uuid: {code, message, details, created}}."""
    ranked = sa.select(
        _T.instance_uuid, _T.error,
        sa.func.row_number().over(
            partition_by=_T.instance_uuid, order_by=(_T.finished_at.desc(), _T.id.desc())).label('place')
    ).where(_T.instance_uuid.in_(instance_uuids), _T.error.is_not(None), _T.finished_at.is_not(None)).subquery()
    return {row.instance_uuid: row.error for row in conn.execute(
        sa.select(ranked.c.instance_uuid, ranked.c.error).where(ranked.c.place == 1)) if row.error}


def of_flow(conn: sa.Connection, flow: str) -> list[rows.Task]:
    """Tasks of a flow that are about no server, the newest first."""
    return [rows.from_row(row) for row in conn.execute(sa.select(tables.tasks).where(
        _T.instance_uuid.is_(None), _T.flow == flow).order_by(_T.id.desc()))]


def children(conn: sa.Connection, parent: str) -> list[rows.Task]:
    """Tasks that another one has begun, the oldest first."""
    return [rows.from_row(row) for row in conn.execute(
        sa.select(tables.tasks).where(_T.parent == parent).order_by(_T.id))]


def unsettled(conn: sa.Connection, limit: int, instance_uuid: str | None = None, ended: bool = False
              ) -> list[rows.Task]:
    """Tasks that are open or stuck, with those that clients do not see; the newest first.

    Args:
        ended: those that have ended well, too.
    """
    where: list[sa.ColumnElement[bool]] = [] if ended else [_T.status.in_((*rows.OPEN, rows.STUCK))]
    if instance_uuid is not None:
        where.append(_T.instance_uuid == instance_uuid)
    return [rows.from_row(row) for row in conn.execute(
        sa.select(tables.tasks).where(*where).order_by(_T.id.desc()).limit(limit))]
