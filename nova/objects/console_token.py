"""Tokens that open consoles: who has one may look, until it ends. Only their hashes are kept."""

import dataclasses
import datetime
import hashlib
import secrets
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.cell import models
from nova.objects import statements
from nova.objects.question import ConsolePlace

TABLE = models.console_auth_tokens
ENDED = 100
"""Tokens that have ended and are removed when one is made."""
_OLD = statements.old(TABLE.c.id, TABLE.c.expires <= sa.bindparam('before'), by=TABLE.c.expires)


@dataclasses.dataclass(frozen=True)
class ConsoleToken:
    """What a token opens.

    Attributes:
        token: known only to who has just made it.
        console_type: ``novnc``, ``serial`` ...
        expires: seconds since the epoch, by the database's clock.
    """

    token: str = dataclasses.field(repr=False)
    instance_uuid: str
    console_type: str
    host: str
    port: int
    tls_port: int | None
    internal_access_path: str | None = dataclasses.field(repr=False)
    expires: int

    @classmethod
    def create(cls, conn: sa.Connection, instance_uuid: str, kind: str, place: ConsolePlace,
               seconds: int) -> Self:
        """A new token; some of those that have ended (`ENDED`) are removed, so that they never become many."""
        now = _now(conn)
        statements.prune(conn, _OLD, now, ENDED)
        made = cls(secrets.token_urlsafe(32), instance_uuid, kind, place.host, place.port, place.tls_port,
                   place.internal_access_path, now + seconds)
        conn.execute(TABLE.insert().values(
            token_hash=_hash(made.token), instance_uuid=instance_uuid, console_type=kind, host=place.host,
            port=place.port, tls_port=place.tls_port, internal_access_path=place.internal_access_path,
            access_url_base=place.base_url, expires=made.expires))
        return made

    @classmethod
    def find(cls, conn: sa.Connection, token: str) -> Self | None:
        """What the token opens, if it is of this cell, has not ended and its server is still there."""
        servers = models.instances
        row = conn.execute(sa.select(TABLE).join(servers, servers.c.uuid == TABLE.c.instance_uuid).where(
            TABLE.c.token_hash == _hash(token), TABLE.c.expires > _now(conn), servers.c.deleted == 0)).first()
        return None if row is None else cls(
            token, row.instance_uuid, row.console_type, row.host, row.port, row.tls_port,
            row.internal_access_path,
            row.expires)

    @classmethod
    def get(cls, conn: sa.Connection, token: str) -> Self:
        """`find` that raises ConsoleTokenNotFound."""
        found = cls.find(conn, token)
        if found is None:
            raise errors.virt.ConsoleTokenNotFound()
        return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now(conn: sa.Connection) -> int:
    return int(dbkit.now(conn).replace(tzinfo=datetime.UTC).timestamp())
