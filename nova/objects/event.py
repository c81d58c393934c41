"""What other services announced about servers, kept for operations that wait for it now or will do so soon.

An announcement may come before its wait begins; so it is written down first, and a wait asks here. Of the same
thing said several times the last word is kept.
"""

import dataclasses
import datetime
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from nova.common import clock
from nova.db import tasks as tables
from nova.objects import statements

PLUGGED = 'network-vif-plugged'
COMPLETED, FAILED = 'completed', 'failed'


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One announcement.

    Attributes:
        tag: what of the server it is about, such as the id of a port; empty says the server itself.
        status: completed, failed or in-progress.
    """

    instance_uuid: str
    name: str
    tag: str = ''
    status: str = COMPLETED


def store(conn: sa.Connection, told: Sequence[Event]) -> None:
    """Keep announcements, each in place of what was said about the same thing before."""
    if not told:
        return
    table, now = tables.events, clock.utcnow()
    last = {(each.instance_uuid, each.name, each.tag): each for each in told}
    conn.execute(table.delete().where(sa.or_(*(
        sa.and_(table.c.instance_uuid == uuid, table.c.name == name, table.c.tag == tag)
        for uuid, name, tag in last))))
    conn.execute(table.insert(), [{**dataclasses.asdict(each), 'created_at': now} for each in last.values()])


def last_words(conn: sa.Connection, instance_uuid: str, name: str) -> dict[str, str]:
    """Tag to status of everything of one name that was announced about a server."""
    table = tables.events
    return {row.tag: row.status for row in conn.execute(
        sa.select(table.c.tag, table.c.status).where(
            table.c.instance_uuid == instance_uuid, table.c.name == name).order_by(table.c.id))}


def forget(conn: sa.Connection, instance_uuid: str, tags: Collection[str] | None = None) -> None:
    """Drop what was announced about a server, or about some of its parts."""
    table = tables.events
    some = () if tags is None else (table.c.tag.in_(tags),)
    conn.execute(table.delete().where(table.c.instance_uuid == instance_uuid, *some))


_OLD = statements.old(tables.events.c.id, tables.events.c.created_at < sa.bindparam('before'),
                      by=tables.events.c.created_at)


def prune(conn: sa.Connection, before: datetime.datetime, limit: int) -> int:
    """Drop up to `limit` announcements made before a time; return how many."""
    return statements.prune(conn, _OLD, before, limit)
