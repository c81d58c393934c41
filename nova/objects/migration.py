"""Moves of servers between hosts: what operators see, and the owner of the source's allocation meanwhile."""

import datetime
from typing import ClassVar, Self

import sqlalchemy as sa

from nova import errors
from nova.common import clock
from nova.db import paging
from nova.db.cell import models
from nova.objects import fields
from nova.objects.persistent import Persistent

_T = models.migrations.c
_MAY_HOLD = _T.status.not_in(('confirmed', 'completed'))
_NEWEST = (_T.id.desc(),)
_ORDER = (paging.Key(_T.created_at, True), paging.Key(_T.uuid, True))


class Migration(Persistent):
    """A move.

    Attributes:
        uuid: also the consumer that holds the source's allocation while the move is open.
        migration_type: migration, resize, live-migration or evacuation.
        hidden: done with, and not to be shown any more.
    """

    table = models.migrations
    missing, fact = errors.virt.MigrationNotFound, 'migration'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    instance_uuid: fields.Uuid
    migration_type: str
    status: str
    user_id: str | None = None
    project_id: str | None = None
    source_compute: str | None = None
    source_node: str | None = None
    dest_compute: str | None = None
    dest_node: str | None = None
    dest_host: str | None = None
    dest_compute_id: str | None = None
    old_instance_type_id: int | None = None
    new_instance_type_id: int | None = None
    hidden: bool = False
    cross_cell_move: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    FIRST: ClassVar[dict[str, str]] = {
        'resize': 'pre-migrating', 'migration': 'pre-migrating', 'live-migration': 'queued',
        'evacuation': 'accepted'}
    """Status with which a move of each type begins."""

    ENDED = ('confirmed', 'reverted', 'error', 'failed', 'completed', 'cancelled', 'done')

    GOING_ON = ('queued', 'preparing', 'running', 'post-migrating')
    """Statuses of live migrations that clients see with their server."""

    @property
    def is_live(self) -> bool:
        """Whether it is a live migration that goes on."""
        return self.migration_type == 'live-migration' and self.status in self.GOING_ON

    @classmethod
    def live_of(cls, conn: sa.Connection, instance_uuid: str) -> list[Self]:
        """Live migrations of a server that are going on, the oldest first."""
        return cls.all(conn, instance_uuid=instance_uuid, migration_type='live-migration',
                       status=list(cls.GOING_ON), order=[models.migrations.c.id])

    @classmethod
    def open(cls) -> sa.ColumnElement[bool]:
        """Condition: the move is in progress, or a resize waits to be confirmed."""
        return models.migrations.c.status.not_in(cls.ENDED)

    @classmethod
    def evacuated(cls, conn: sa.Connection, host: str | None = None) -> list[Self]:
        """Evacuations from a host, or from any, that may have the guest still."""
        here = () if host is None else (_T.source_compute == host,)
        return cls.all(conn, *here, migration_type='evacuation', status='done')

    @classmethod
    def newest(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], limit: int) -> list[Self]:
        """Moves, the newest first."""
        return cls.all(conn, *where, order=paging.ordering(_ORDER), limit=limit)

    @staticmethod
    def behind(marker: 'Migration') -> sa.ColumnElement[bool]:
        """Condition: in the order of `newest`, it comes after this one, in whichever cell."""
        return paging.after(_ORDER, (marker.created_at, marker.uuid))

    @classmethod
    def waiting(cls, conn: sa.Connection, before: datetime.datetime, limit: int) -> list[Self]:
        """Resizes that have been waiting to be confirmed since before a time."""
        table = models.migrations
        return cls.all(conn, table.c.updated_at < before, status='finished', order=[table.c.id], limit=limit)

    @classmethod
    def unfinished(cls, conn: sa.Connection, instance_uuid: str) -> list[Self]:
        """Moves of a server that may hold something still, the newest first: all but those that went right to
        the end."""
        return cls.all(conn, _MAY_HOLD, instance_uuid=instance_uuid, order=_NEWEST)

    def open_once(self, conn: sa.Connection) -> None:
        """Insert it, unless it is there from an earlier attempt."""
        if type(self).find(conn, uuid=self.uuid) is None:
            self.copy().create(conn)

    @staticmethod
    def mark(conn: sa.Connection, uuid: str, status: str, **values: object) -> None:
        """Say how far a move is, and what else is known of it by now."""
        table = models.migrations
        conn.execute(table.update().where(table.c.uuid == uuid).values(
            status=status, updated_at=clock.utcnow(), **values))
