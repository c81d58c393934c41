"""Block devices: what a server's disks come from and where they are."""

import datetime
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from nova import errors
from nova.db.cell import models
from nova.objects import fields
from nova.objects.persistent import Persistent
from nova.objects.relations import Part, Relation


class BlockDeviceMapping(Persistent):
    """One disk: from `source_type` (image, volume, snapshot, blank) to `destination_type` (local, volume).

    A volume is attached through `attachment_id`, known before anything is connected. How to connect is asked of
    the volume service whenever it is needed.
    """

    table = models.block_device_mappings
    key = ('uuid',)
    missing, fact = errors.block.BlockDeviceNotFound, 'device'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid | None = None
    instance_uuid: fields.Late[fields.Uuid] = fields.NOT_YET
    source_type: str = 'blank'
    destination_type: str = 'local'
    guest_format: str | None = None
    device_type: str | None = None
    disk_bus: str | None = None
    boot_index: int | None = None
    device_name: str | None = None
    delete_on_termination: bool = False
    snapshot_id: str | None = None
    volume_id: fields.Late[str] = fields.NOT_YET
    volume_size: int | None = None
    volume_type: str | None = None
    image_id: str | None = None
    attachment_id: str | None = None
    tag: str | None = None
    encrypted: bool = False
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @classmethod
    def not_found(cls, by: Mapping[str, object]) -> errors.NovaError:
        if 'volume_id' in by:
            return errors.block.VolumeNotAttached(volume=by['volume_id'], server=by.get('instance_uuid'))
        return super().not_found(by)

    @classmethod
    def beside(cls, conn: sa.Connection, instance_uuid: str, volume_id: str) -> 'list[BlockDeviceMapping]':
        """The devices of a server, and those of other servers that are this volume."""
        table = models.block_device_mappings
        return cls.all(conn, sa.or_(table.c.instance_uuid == instance_uuid, table.c.volume_id == volume_id))

    @classmethod
    def keep_attachment(cls, conn: sa.Connection, uuid: str, attachment_id: str) -> bool:
        """Write down the first attachment of a device; False when it has another one, or is gone."""
        table = models.block_device_mappings
        free = sa.or_(table.c.attachment_id.is_(None), table.c.attachment_id == attachment_id)
        return conn.execute(table.update().where(table.c.uuid == uuid, free).values(
            attachment_id=attachment_id)).rowcount == 1

    @classmethod
    def drop(cls, conn: sa.Connection, uuid: str) -> None:
        """Delete the row; one that is gone is deleted."""
        table = models.block_device_mappings
        conn.execute(table.delete().where(table.c.uuid == uuid))

    @property
    def is_volume(self) -> bool:
        return self.destination_type == 'volume'

    @property
    def is_root(self) -> bool:
        return self.boot_index == 0


class Volumes(Relation[str]):
    """The devices that are volumes, and of each what lists of servers show: which, and whether it goes with the
    server."""

    @property
    def columns(self) -> Sequence[sa.ColumnElement]:
        device = self.table.c
        return device.id, device.volume_id, sa.case((device.delete_on_termination, device.volume_id))

    @property
    def where(self) -> Sequence[sa.ColumnElement[bool]]:
        return [self.table.c.volume_id.is_not(None)]

    def gathered(self, parts: Sequence[Part]) -> list[BlockDeviceMapping]:
        return [BlockDeviceMapping.part(volume_id=volume, delete_on_termination=goes is not None)
                for _, volume, goes in parts]
