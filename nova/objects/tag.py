"""Tags: words that users put on servers."""

from collections.abc import Iterable

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.cell import models

TABLE = models.instance_tags


def of_instance(conn: sa.Connection, instance_uuid: str) -> list[str]:
    """A server's tags, sorted."""
    return list(conn.execute(sa.select(TABLE.c.tag).where(TABLE.c.instance_uuid == instance_uuid)
                             .order_by(TABLE.c.tag)).scalars())


def add(conn: sa.Connection, instance_uuid: str, tag: str) -> bool:
    """Put a tag on a server; False when it was there."""
    return dbkit.insert_missing(conn, TABLE, [{'instance_uuid': instance_uuid, 'tag': tag}]) == 1


def replace(conn: sa.Connection, instance_uuid: str, tags: Iterable[str]) -> None:
    """Make these a server's tags, and no others."""
    conn.execute(TABLE.delete().where(TABLE.c.instance_uuid == instance_uuid))
    dbkit.insert_missing(conn, TABLE, [{'instance_uuid': instance_uuid, 'tag': tag} for tag in set(tags)])


def remove(conn: sa.Connection, instance_uuid: str, tag: str) -> None:
    """Take a tag off a server.

    Raises:
        TagNotFound: it was not there.
    """
    if not conn.execute(TABLE.delete().where(
            TABLE.c.instance_uuid == instance_uuid, TABLE.c.tag == tag)).rowcount:
        raise errors.server.TagNotFound(server=instance_uuid, tag=tag)
