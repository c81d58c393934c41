"""Servers that no cell has yet."""

from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.api import models
from nova.objects import base
from nova.objects.base import fields


class BuildRequest(base.Record):
    """A server between its request and its hand-over to a cell.

    `instance` is the whole record, block devices, metadata and tags included. Who deletes the row decides the
    server's fate: the hand-over, or a delete that came first.
    """

    table = models.build_requests
    key = ('instance_uuid',)
    missing, fact = errors.server.BuildRequestNotFound, 'server'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'instance_uuid': fields.UUIDField(),
        'project_id': fields.StringField(),
        'instance': fields.ObjectField('Instance'),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    @classmethod
    def of(cls, instance: base.Record) -> Self:
        """The request for a new server."""
        return cls(instance_uuid=instance.uuid, project_id=instance.project_id, instance=instance)

    @classmethod
    def take(cls, conn: sa.Connection, instance_uuid: str) -> bool:
        """Delete the row; True for the one caller who did."""
        table = models.build_requests
        return conn.execute(table.delete().where(table.c.instance_uuid == instance_uuid)).rowcount == 1
