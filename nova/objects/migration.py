"""Moves of servers between hosts: what operators see, and the owner of the source's allocation meanwhile."""

from typing import Any, ClassVar

import sqlalchemy as sa

from nova import errors
from nova.common import clock
from nova.db.cell import models
from nova.objects import base
from nova.objects.base import fields


class Migration(base.Record):
    """A move.

    Attributes:
        uuid: also the consumer that holds the source's allocation while the move is open.
        migration_type: migration, resize, live-migration or evacuation.
        hidden: done with, and not to be shown any more.
    """

    table = models.migrations
    missing, fact = errors.virt.MigrationNotFound, 'migration'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.UUIDField(),
        'instance_uuid': fields.UUIDField(),
        'migration_type': fields.StringField(),
        'status': fields.StringField(),
        'user_id': fields.maybe(fields.StringField),
        'project_id': fields.maybe(fields.StringField),
        'source_compute': fields.maybe(fields.StringField),
        'source_node': fields.maybe(fields.StringField),
        'dest_compute': fields.maybe(fields.StringField),
        'dest_node': fields.maybe(fields.StringField),
        'dest_host': fields.maybe(fields.StringField),
        'dest_compute_id': fields.maybe(fields.StringField),
        'old_instance_type_id': fields.maybe(fields.IntegerField),
        'new_instance_type_id': fields.maybe(fields.IntegerField),
        'hidden': fields.BooleanField(default=False),
        'cross_cell_move': fields.BooleanField(default=False),
        'memory_total': fields.maybe(fields.IntegerField),
        'memory_processed': fields.maybe(fields.IntegerField),
        'memory_remaining': fields.maybe(fields.IntegerField),
        'disk_total': fields.maybe(fields.IntegerField),
        'disk_processed': fields.maybe(fields.IntegerField),
        'disk_remaining': fields.maybe(fields.IntegerField),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    FIRST: ClassVar[dict[str, str]] = {
        'resize': 'pre-migrating', 'migration': 'pre-migrating', 'live-migration': 'queued',
        'evacuation': 'accepted'}
    """Status with which a move of each type begins."""

    ENDED = ('confirmed', 'reverted', 'error', 'failed', 'completed', 'cancelled', 'done')

    @classmethod
    def open(cls) -> sa.ColumnElement[bool]:
        """Condition: the move is in progress, or a resize waits to be confirmed."""
        return models.migrations.c.status.not_in(cls.ENDED)

    def open_once(self, conn: sa.Connection) -> None:
        """Insert it, unless it is there from an earlier attempt."""
        if type(self).find(conn, uuid=self.uuid) is None:
            self.copy().create(conn)

    @staticmethod
    def mark(conn: sa.Connection, uuid: str, status: str, **values: Any) -> None:
        """Say how far a move is, and what else is known of it by now."""
        table = models.migrations
        conn.execute(table.update().where(table.c.uuid == uuid).values(
            status=status, updated_at=clock.utcnow(), **values))
