"""Tasks by what they are about: of a flow, of another task, not ended."""

import sqlalchemy as sa

from nova.db import tasks as tables
from nova.objects import task as rows

_T = tables.tasks.c


def of_flow(conn: sa.Connection, flow: str) -> list[rows.Task]:
    """Tasks of a flow that are about no server, the newest first."""
    return [rows.from_row(row) for row in conn.execute(sa.select(tables.tasks).where(
        _T.instance_uuid.is_(None), _T.flow == flow).order_by(_T.id.desc()))]


def children(conn: sa.Connection, parent: str) -> list[rows.Task]:
    """Tasks that another one has begun, the oldest first."""
    return [rows.from_row(row) for row in conn.execute(
        sa.select(tables.tasks).where(_T.parent == parent).order_by(_T.id))]


def unfinished(conn: sa.Connection, limit: int, instance_uuid: str | None = None, ended: bool = False
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
