"""Block devices and shares of servers."""

import sqlalchemy as sa

from nova.db import types
from nova.db.cell.models import meta

block_device_mappings = meta.table(
    'block_device_mappings',
    types.uuid(nullable=False, unique=True),
    types.uuid('instance_uuid', nullable=False),
    sa.Column('source_type', types.string(16), nullable=False),
    sa.Column('destination_type', types.string(16), nullable=False),
    sa.Column('guest_format', types.string(16)),
    sa.Column('device_type', types.string(16)),
    sa.Column('disk_bus', types.string(16)),
    sa.Column('boot_index', sa.Integer),
    sa.Column('device_name', types.string(255)),
    sa.Column('delete_on_termination', sa.Boolean, nullable=False, default=False),
    types.uuid('snapshot_id'),
    types.uuid('volume_id'),
    sa.Column('volume_size', sa.Integer),
    sa.Column('volume_type', types.string(255)),
    types.uuid('image_id'),
    types.uuid('attachment_id'),
    sa.Column('tag', types.string(60)),
    sa.Column('encrypted', sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint('instance_uuid', 'device_name'),
    sa.UniqueConstraint('instance_uuid', 'volume_id'),
    sa.Index(None, 'volume_id'),
)
"""The unique names and volumes are what keeps two parallel attachments of one server apart."""

share_mappings = meta.table(
    'share_mappings',
    types.uuid(nullable=False, unique=True),
    types.uuid('instance_uuid', nullable=False),
    types.uuid('share_id', nullable=False, index=True),
    sa.Column('status', types.string(32), nullable=False),
    sa.Column('tag', types.string(255), nullable=False),
    sa.Column('export_location', types.string(1024), nullable=False),
    sa.Column('share_proto', types.string(32), nullable=False),
    sa.Column('access_to', types.string(255)),
    sa.UniqueConstraint('instance_uuid', 'share_id'),
    sa.UniqueConstraint('instance_uuid', 'tag'),
)
"""``access_to`` is whom the share service lets use the share for this server; null until it is asked to."""
