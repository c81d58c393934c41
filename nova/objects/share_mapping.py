"""Shares: file systems of the share service that servers have."""

import datetime
import enum
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.cell import models
from nova.objects import fields
from nova.objects.persistent import Persistent

TABLE = models.share_mappings
_BY_ID = (TABLE.c.id,)


class ShareStatus(enum.StrEnum):
    """How far a server has a share. That it is `ACTIVE`, a guest that runs says (`nova.schema.share`)."""

    ATTACHING = 'attaching'
    INACTIVE = 'inactive'
    ACTIVE = 'active'
    DETACHING = 'detaching'
    ERROR = 'error'


class ShareMapping(Persistent):
    """A share that a server has, or is to have.

    Attributes:
        tag: the name by which the guest mounts it.
        share_proto: ``NFS`` or ``CEPHFS``.
        access_to: whom the share service lets use it for this server: the address of the host, or a user of
            Ceph's; None until it has been asked to.
    """

    table = TABLE
    key = ('uuid',)
    missing = errors.share.ShareNotAttached

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    instance_uuid: fields.Uuid
    share_id: fields.Uuid
    status: str
    tag: str
    export_location: str
    share_proto: str
    access_to: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def access_type(self) -> str:
        """What kind of name `access_to` is, in the share service's words."""
        return 'cephx' if self.share_proto == 'CEPHFS' else 'ip'

    @classmethod
    def of_server(cls, conn: sa.Connection, server: str) -> list[Self]:
        """The shares of a server, in the order in which it got them."""
        return cls.all(conn, order=_BY_ID, instance_uuid=server)

    @classmethod
    def one(cls, conn: sa.Connection, server: str, share_id: str) -> Self:
        """A share of a server.

        Raises:
            ShareNotAttached: 404; it has no such share.
        """
        found = cls.find(conn, instance_uuid=server, share_id=share_id)
        if found is None:
            raise errors.share.ShareNotAttached(share=share_id, server=server)
        return found

    @classmethod
    def mark(cls, conn: sa.Connection, uuid: str, status: ShareStatus) -> None:
        """Write down how far it is; one that is gone is nothing any more."""
        conn.execute(TABLE.update().where(TABLE.c.uuid == uuid).values(status=str(status)))

    @classmethod
    def drop(cls, conn: sa.Connection, uuid: str) -> None:
        """Delete the row; one that is gone is deleted."""
        conn.execute(TABLE.delete().where(TABLE.c.uuid == uuid))

    @classmethod
    def keep_access(cls, conn: sa.Connection, uuid: str, access_to: str) -> bool:
        """Write down whom the share service is about to let in; False when the share is gone."""
        return conn.execute(TABLE.update().where(TABLE.c.uuid == uuid).values(
            access_to=access_to)).rowcount == 1

    def is_needed_by_others(self, conn: sa.Connection) -> bool:
        """Whether another server of this cell has the share by the same `access_to`: those of a host are let in
        by its one address. Servers that are giving it up do not need it."""
        return conn.execute(sa.select(TABLE.c.id).where(
            TABLE.c.share_id == self.share_id, TABLE.c.access_to == self.access_to, TABLE.c.uuid != self.uuid,
            TABLE.c.status.not_in([str(ShareStatus.ERROR), str(ShareStatus.DETACHING)])).limit(1)
        ).first() is not None
