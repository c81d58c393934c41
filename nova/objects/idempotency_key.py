"""Keys that clients send with requests which must not be done twice, and what such a request was answered.

A key's row is written in the transaction in which its operation begins, in the same database: so it is there if
and only if the operation is, and its unique name lets of two requests with one key only one begin anything.
"""

import dataclasses
import datetime
from collections.abc import Mapping

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.db import tasks as tables
from nova.objects import statements

_T = tables.idempotency_keys.c


class Repeated(Exception):
    """Another request with this key has begun an operation; nothing may follow in this transaction."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered.

    Attributes:
        body: the document; None is an empty body.
    """

    status: int
    headers: Mapping[str, str]
    body: object = None


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A key that was used.

    Attributes:
        digest: of the request that it came with.
        task: uuid of the operation that was begun; None where none was necessary.
        answer: None while the request has not been answered; or for ever, when its process died first.
    """

    digest: str
    task: str | None
    answer: Answer | None


def find(conn: sa.Connection, name: str, age: datetime.timedelta) -> Kept | None:
    """The key of this name, unless it is older than `age`."""
    row = conn.execute(sa.select(tables.idempotency_keys).where(
        _T.name == name, _T.created_at >= dbkit.now(conn) - age)).one_or_none()
    if row is None:
        return None
    answer = None if row.status is None else Answer(row.status, row.headers or {}, row.body)
    return Kept(row.digest, row.task_uuid, answer)


def add(conn: sa.Connection, name: str, kept: Kept, age: datetime.timedelta) -> None:
    """Write a key down, with the operation that begins.

    Raises:
        Repeated: it is there, and no older than `age`.
    """
    now = dbkit.now(conn)
    conn.execute(tables.idempotency_keys.delete().where(_T.name == name, _T.created_at < now - age))
    answer = kept.answer
    told = {} if answer is None else {
        'status': answer.status, 'headers': dict(answer.headers), 'body': answer.body}
    try:
        conn.execute(tables.idempotency_keys.insert(), {
            'name': name, 'digest': kept.digest, 'task_uuid': kept.task, 'created_at': now, **told})
    except db_exc.DBDuplicateEntry:
        raise Repeated from None


def answered(conn: sa.Connection, name: str, answer: Answer) -> None:
    """Write down what was answered to the request that came with a key first."""
    conn.execute(tables.idempotency_keys.update().where(_T.name == name, _T.status.is_(None)).values(
        status=answer.status, headers=dict(answer.headers), body=answer.body))


def drop_of(conn: sa.Connection, task: str) -> None:
    """Forget the key of an operation that was withdrawn: its request may be sent again."""
    conn.execute(tables.idempotency_keys.delete().where(_T.task_uuid == task))


_OLD = statements.old(_T.id, _T.created_at < sa.bindparam('before'), by=_T.created_at)


def prune(conn: sa.Connection, before: datetime.datetime, limit: int) -> int:
    """Drop up to `limit` keys from before a time; return how many."""
    return statements.prune(conn, _OLD, before, limit)
