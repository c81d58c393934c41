"""Services of a cell: who runs where, and whether it is alive."""

import datetime
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.common import clock, uuids
from nova.db.cell import models
from nova.objects import base
from nova.objects.base import fields


class Service(base.Record):
    """A service process on a host.

    Attributes:
        version: number of what it can do (`nova.version.SERVICE_VERSION` of its release).
        forced_down: an operator says that the host is dead, whatever its heartbeat says.
    """

    table = models.services
    missing, fact = errors.host.ServiceNotFound, 'service'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.UUIDField(),
        'host': fields.StringField(),
        'binary': fields.StringField(),
        'topic': fields.maybe(fields.StringField),
        'report_count': fields.IntegerField(default=0),
        'last_seen_up': fields.maybe(fields.TimeField),
        'disabled': fields.BooleanField(default=False),
        'disabled_reason': fields.maybe(fields.StringField),
        'forced_down': fields.BooleanField(default=False),
        'version': fields.IntegerField(default=1),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    def is_up(self, down_after: float, now: datetime.datetime | None = None) -> bool:
        """Whether it was heard of in the last `down_after` seconds and is not forced down."""
        seen = self.last_seen_up or self.created_at
        if self.forced_down or seen is None:
            return False
        return abs(((now or clock.utcnow()) - seen).total_seconds()) <= down_after

    @classmethod
    def beat(cls, conn: sa.Connection, host: str, binary: str, version: int) -> Self:
        """Note a sign of life, making the row at the first one; one statement while nothing is new."""
        table = models.services
        seen = conn.execute(table.update().where(table.c.host == host, table.c.binary == binary).values(
            report_count=table.c.report_count + 1, last_seen_up=clock.utcnow(), version=version)).rowcount
        if not seen:
            cls(uuid=uuids.generate(), host=host, binary=binary, topic=binary.removeprefix('nova-'),
                version=version, last_seen_up=clock.utcnow()).create(conn)
        return cls.get(conn, host=host, binary=binary)

    @classmethod
    def oldest(cls, conn: sa.Connection, binary: str) -> int | None:
        """The lowest version among this cell's services of a kind; None when there are none."""
        table = models.services
        return conn.execute(sa.select(sa.func.min(table.c.version)).where(table.c.binary == binary)).scalar()
