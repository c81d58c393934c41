"""Block devices: what a server's disks come from and where they are."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from nova import errors
from nova.db.cell import models
from nova.objects import base
from nova.objects.base import fields


class BlockDeviceMapping(base.Record):
    """One disk: from `source_type` (image, volume, snapshot, blank) to `destination_type` (local, volume).

    A volume is attached through `attachment_id`, known before anything is connected. How to connect is asked of
    the volume service whenever it is needed.
    """

    table = models.block_device_mappings
    key = ('uuid',)
    missing, fact = errors.block.BlockDeviceNotFound, 'device'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.maybe(fields.UUIDField),
        'instance_uuid': fields.maybe(fields.UUIDField),
        'source_type': fields.StringField(default='blank'),
        'destination_type': fields.StringField(default='local'),
        'guest_format': fields.maybe(fields.StringField),
        'device_type': fields.maybe(fields.StringField),
        'disk_bus': fields.maybe(fields.StringField),
        'boot_index': fields.maybe(fields.IntegerField),
        'device_name': fields.maybe(fields.StringField),
        'delete_on_termination': fields.BooleanField(default=False),
        'snapshot_id': fields.maybe(fields.StringField),
        'volume_id': fields.maybe(fields.StringField),
        'volume_size': fields.maybe(fields.IntegerField),
        'volume_type': fields.maybe(fields.StringField),
        'image_id': fields.maybe(fields.StringField),
        'attachment_id': fields.maybe(fields.StringField),
        'tag': fields.maybe(fields.StringField),
        'encrypted': fields.BooleanField(default=False),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    @classmethod
    def not_found(cls, by: Mapping[str, Any]) -> errors.NovaError:
        if 'volume_id' in by:
            return errors.block.VolumeNotAttached(volume=by['volume_id'], server=by.get('instance_uuid'))
        return super().not_found(by)

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
