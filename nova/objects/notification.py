"""Notifications that are still to be sent, or are kept for who follows them: rows beside what they tell of.

They are sent in the order of their rows among those of one subject (a server, a flavor …). Who sends them
writes its name on them first: another worker that cares for the same subject waits until they are gone, or
their owner is dead.
"""

import dataclasses
import datetime
from collections.abc import Callable, Collection

import sqlalchemy as sa

from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.db import tasks as tables
from nova.objects import statements
from nova.objects import task as rows

_T = tables.notifications.c


@dataclasses.dataclass(frozen=True, slots=True)
class Notification:
    """One message.

    Attributes:
        uuid: its ``message_id``, the same however often it is sent.
        subject: what it is about; the order of such is kept.
        owner: the worker that sends it.
        project_id: whose server it is about; None is none's.
        task_uuid: the operation that it tells of.
        sent_at: when it went to the bus, or would have if anybody listened there.
    """

    uuid: str
    subject: str
    event_type: str
    publisher_id: str
    priority: str
    payload: JsonObject
    owner: str | None = None
    id: int = 0
    project_id: str | None = None
    task_uuid: str | None = None
    sent_at: datetime.datetime | None = None
    created_at: datetime.datetime | None = None


_COLUMNS = [_T[field.name] for field in dataclasses.fields(Notification)]


def add(conn: sa.Connection, made: Notification, to_be_sent: bool = True) -> None:
    """Add a notification; it is sent after the caller's transaction, unless it is only kept."""
    now = dbkit.now(conn)
    values = dataclasses.asdict(made) | {
        'shard': rows.shard_of(made.subject), 'created_at': now, 'sent_at': None if to_be_sent else now}
    conn.execute(tables.notifications.insert(), {name: value for name, value in values.items() if name != 'id'})


def waiting(conn: sa.Connection, worker: str, shards: Collection[int] | None, limit: int) -> list[Notification]:
    """Read the oldest notifications that this worker has to send: those of its shards, and those that it began.

    Args:
        shards: None are all.
    """
    query = sa.select(*_COLUMNS).where(_T.sent_at.is_(None)).order_by(_T.id).limit(limit)
    if shards is not None:
        query = query.where(sa.or_(_T.shard.in_(list(shards)), _T.owner == worker))
    found = conn.execute(query)
    return [Notification(**row._mapping) for row in found]


def sendable(found: Collection[Notification], worker: str, is_dead: Callable[[str], bool]
             ) -> list[Notification]:
    """Leave out what another living worker has begun to send, and later notifications of the same subject."""
    others: set[str] = set()
    free = []
    for each in found:
        if each.owner not in (None, worker) and not is_dead(str(each.owner)):
            others.add(each.subject)
        elif each.subject not in others:
            free.append(each)
    return free


def take(conn: sa.Connection, worker: str, wanted: Collection[Notification]) -> bool:
    """Write the worker's name on them; False when somebody else was quicker with one: then it looks again."""
    new = [each for each in wanted if each.owner != worker]
    taken = 0
    for owner in {each.owner for each in new}:
        taken += conn.execute(tables.notifications.update().where(
            _T.id.in_([each.id for each in new if each.owner == owner]),
            _T.owner.is_(None) if owner is None else _T.owner == owner).values(owner=worker)).rowcount
    return taken == len(new)


def sent(conn: sa.Connection, done: Collection[Notification]) -> None:
    """Delete notifications that have been sent."""
    conn.execute(tables.notifications.delete().where(_T.id.in_([each.id for each in done])))


def keep(conn: sa.Connection, done: Collection[Notification]) -> None:
    """Note that notifications have been sent: keep those of projects for who follows them, delete the
    others."""
    sent(conn, [each for each in done if each.project_id is None])
    conn.execute(tables.notifications.update().where(_T.id.in_([each.id for each in done])).values(
        sent_at=dbkit.now(conn)))


def count(conn: sa.Connection) -> int:
    """Count the notifications that wait to be sent."""
    return conn.execute(sa.select(sa.func.count()).select_from(tables.notifications).where(
        _T.sent_at.is_(None))).scalar_one()


# Who follows them --------------------------------------------------------------------------------

def numbers(conn: sa.Connection, project_id: str, after: int, limit: int
            ) -> list[tuple[int, datetime.datetime]]:
    """Numbers and times of a project's notifications behind a number, in order.

    One with a lower number may come later: its transaction had not ended yet.
    """
    return [(row.id, row.created_at) for row in conn.execute(
        sa.select(_T.id, _T.created_at).where(_T.project_id == project_id, _T.id > after)
        .order_by(_T.id).limit(limit))]


def last_before(conn: sa.Connection, project_id: str, when: datetime.datetime) -> int:
    """The highest number of those that a project had at a time; 0 when it had none."""
    return conn.execute(sa.select(sa.func.max(_T.id)).where(
        _T.project_id == project_id, _T.created_at <= when)).scalar() or 0


def numbered(conn: sa.Connection, ids: Collection[int]) -> list[Notification]:
    """Those with these numbers, in order."""
    return [Notification(**row._mapping) for row in conn.execute(
        sa.select(*_COLUMNS).where(_T.id.in_(list(ids))).order_by(_T.id))]


_OLD = statements.old(
    _T.id, _T.sent_at < sa.bindparam('before'), _T.created_at < sa.bindparam('before'),
    _T.id < sa.select(sa.func.max(_T.id)).scalar_subquery(), by=_T.sent_at)


def prune(conn: sa.Connection, before: datetime.datetime, limit: int) -> int:
    """Drop up to `limit` that were sent and are from before a time; return how many.

    The newest stays: SQLite would give its number to another one.
    """
    return statements.prune(conn, _OLD, before, limit)
