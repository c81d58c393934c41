"""Servers and what belongs to one.

A deleted server keeps its row (``deleted`` is then its id) until it is archived; everything else of it goes at
once. Columns are what listings filter, sort and show; `instance_extra` holds whole records that are read with
one server.
"""

import sqlalchemy as sa

from nova.db import types
from nova.db.cell.models import meta

instances = meta.table(
    'instances',
    types.uuid(nullable=False, unique=True),
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('user_id', types.string(255), nullable=False),
    sa.Column('display_name', types.string(255)),
    sa.Column('display_description', types.string(255)),
    sa.Column('hostname', types.string(255)),
    sa.Column('image_ref', types.string(255)),
    sa.Column('kernel_id', types.string(255)),
    sa.Column('ramdisk_id', types.string(255)),
    sa.Column('vm_state', types.string(32), nullable=False),
    sa.Column('task_state', types.string(32)),
    sa.Column('power_state', sa.Integer, nullable=False, default=0),
    sa.Column('host', types.string(255)),
    sa.Column('node', types.string(255)),
    types.uuid('compute_id'),
    sa.Column('launched_on', types.string(255)),
    sa.Column('flavorid', types.string(255)),
    sa.Column('instance_type_id', sa.Integer),
    sa.Column('memory_mb', sa.Integer, nullable=False, default=0),
    sa.Column('vcpus', sa.Integer, nullable=False, default=0),
    sa.Column('root_gb', sa.Integer, nullable=False, default=0),
    sa.Column('ephemeral_gb', sa.Integer, nullable=False, default=0),
    sa.Column('availability_zone', types.string(255)),
    sa.Column('key_name', types.string(255)),
    sa.Column('user_data', types.long_text()),
    sa.Column('config_drive', sa.Boolean, nullable=False, default=False),
    sa.Column('locked_by', types.string(16)),
    sa.Column('access_ip_v4', types.string(45)),
    sa.Column('access_ip_v6', types.string(45)),
    sa.Column('root_device_name', types.string(255)),
    sa.Column('default_ephemeral_device', types.string(255)),
    sa.Column('default_swap_device', types.string(255)),
    sa.Column('auto_disk_config', sa.Boolean, nullable=False, default=False),
    sa.Column('progress', sa.Integer, nullable=False, default=0),
    sa.Column('reservation_id', types.string(255)),
    sa.Column('launch_index', sa.Integer, nullable=False, default=0),
    sa.Column('hidden', sa.Boolean, nullable=False, default=False),
    sa.Column('system_metadata', types.Json),
    sa.Column('launched_at', types.time()),
    sa.Column('terminated_at', types.time()),
    sa.Column('deleted', sa.Integer, nullable=False, default=0),
    sa.Column('deleted_at', types.time()),
    sa.Index('ix_instances_listing', 'project_id', 'deleted', 'created_at', 'uuid', 'vm_state', 'hidden'),
    sa.Index('ix_instances_listing_all', 'deleted', 'created_at', 'uuid', 'vm_state', 'hidden'),
    sa.Index(None, 'host', 'deleted'),
    sa.Index(None, 'reservation_id'),
    sa.Index(None, 'task_state'),
    sa.Index(None, 'updated_at'),
)

instance_extra = sa.Table(
    'instance_extra', meta.cell_metadata,
    types.uuid('instance_uuid', primary_key=True),
    *(sa.Column(name, types.Json) for name in (
        'flavor', 'old_flavor', 'new_flavor', 'image_meta', 'keypair', 'network_info', 'numa_topology',
        'pci_requests', 'trusted_certs', 'device_metadata', 'migration_context')),
    **types.MYSQL)

instance_metadata = meta.table(
    'instance_metadata',
    types.uuid('instance_uuid', nullable=False),
    sa.Column('key', types.string(255), nullable=False),
    sa.Column('value', types.string(255), nullable=False),
    sa.UniqueConstraint('instance_uuid', 'key'),
)

instance_tags = sa.Table(
    'instance_tags', meta.cell_metadata,
    types.uuid('instance_uuid', primary_key=True),
    sa.Column('tag', types.string(60), primary_key=True),
    sa.Index(None, 'tag'),
    **types.MYSQL)
