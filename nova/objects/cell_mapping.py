"""Cells: where each has its database and its bus."""

from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.api import models
from nova.objects import base
from nova.objects.base import fields

CELL0_UUID = '00000000-0000-0000-0000-000000000000'


class CellMapping(base.Record):
    """A cell. Its URLs hold passwords, and may hold the variables of a template (see `db.session`)."""

    table = models.cell_mappings
    missing, fact = errors.host.CellMappingNotFound, 'cell'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.UUIDField(),
        'name': fields.maybe(fields.StringField),
        'transport_url': fields.SecretField(),
        'database_connection': fields.SecretField(),
        'disabled': fields.BooleanField(default=False),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    @property
    def is_cell0(self) -> bool:
        return self.uuid == CELL0_UUID

    @classmethod
    def enabled(cls, conn: sa.Connection) -> list[Self]:
        """Cells that may get new servers: neither disabled nor cell0."""
        table = models.cell_mappings
        return cls.all(conn, table.c.uuid != CELL0_UUID, disabled=False, order=[table.c.id])
