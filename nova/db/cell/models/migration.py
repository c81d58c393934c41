"""Moves of servers between hosts."""

import sqlalchemy as sa

from nova.db import types
from nova.db.cell.models import meta

migrations = meta.table(
    'migrations',
    types.uuid(nullable=False, unique=True),
    types.uuid('instance_uuid', nullable=False),
    sa.Column('migration_type', types.string(16), nullable=False),
    sa.Column('status', types.string(32), nullable=False),
    sa.Column('user_id', types.string(255)),
    sa.Column('project_id', types.string(255)),
    sa.Column('source_compute', types.string(255)),
    sa.Column('source_node', types.string(255)),
    sa.Column('dest_compute', types.string(255)),
    sa.Column('dest_node', types.string(255)),
    sa.Column('dest_host', types.string(255)),
    types.uuid('dest_compute_id'),
    sa.Column('old_instance_type_id', sa.Integer),
    sa.Column('new_instance_type_id', sa.Integer),
    sa.Column('hidden', sa.Boolean, nullable=False, default=False),
    sa.Column('cross_cell_move', sa.Boolean, nullable=False, default=False),
    # Nobody writes these any more: the release before reads them, and the next one's contract drops them.
    *(sa.Column(f'{what}_{part}', sa.BigInteger) for what in ('memory', 'disk')
      for part in ('total', 'processed', 'remaining')),
    sa.Index(None, 'instance_uuid', 'status'),
    sa.Index(None, 'source_compute', 'status'),
    sa.Index(None, 'dest_compute', 'status'),
    sa.Index(None, 'updated_at'),
)
