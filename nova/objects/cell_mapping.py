"""Cells: where each has its database and its bus."""

import datetime
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.api import models
from nova.objects import fields
from nova.objects.persistent import Persistent

CELL0_UUID = '00000000-0000-0000-0000-000000000000'
_NOT_CELL0 = models.cell_mappings.c.uuid != CELL0_UUID
_BY_ID = (models.cell_mappings.c.id,)


class CellMapping(Persistent):
    """A cell. Its URLs hold passwords, and may hold the variables of a template (see `db.session`)."""

    table = models.cell_mappings
    missing, fact = errors.host.CellMappingNotFound, 'cell'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    name: str | None = None
    transport_url: fields.Secret
    database_connection: fields.Secret
    disabled: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def is_cell0(self) -> bool:
        return self.uuid == CELL0_UUID

    @classmethod
    def of_host(cls, conn: sa.Connection, host: str) -> Self | None:
        """The cell of a host; None when it is mapped to none."""
        mapped = models.host_mappings.c
        return cls._only(conn, sa.select(mapped.cell_id).where(mapped.host == host))

    @classmethod
    def of_server(cls, conn: sa.Connection, uuid: str) -> Self | None:
        """The cell of a server; None when there is no such server, or no cell has it yet."""
        mapped = models.instance_mappings.c
        return cls._only(conn, sa.select(mapped.cell_id).where(mapped.instance_uuid == uuid))

    @classmethod
    def _only(cls, conn: sa.Connection, ids: sa.Select) -> Self | None:
        return next(iter(cls.all(conn, models.cell_mappings.c.id.in_(ids))), None)

    @classmethod
    def enabled(cls, conn: sa.Connection) -> list[Self]:
        """Cells that may get new servers: neither disabled nor cell0."""
        return cls.all(conn, _NOT_CELL0, disabled=False, order=_BY_ID)
