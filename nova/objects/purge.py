"""Taking a server out of a cell without a trace: for rows that were written ahead and are not wanted.

A server that lived is deleted, not purged: its row and its history stay until they are archived.
"""

import sqlalchemy as sa

from nova.db.cell import models
from nova.objects import event, task


def instance(conn: sa.Connection, uuid: str) -> None:
    """Delete every row that belongs to a server; nothing happens when there is none."""
    task.remove_of(conn, uuid)
    event.forget(conn, uuid)
    for owned in (models.instance_extra, models.instance_metadata, models.instance_tags,
                  models.block_device_mappings):
        conn.execute(owned.delete().where(owned.c.instance_uuid == uuid))
    conn.execute(models.instances.delete().where(models.instances.c.uuid == uuid))
