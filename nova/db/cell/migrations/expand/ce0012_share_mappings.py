"""Shares of servers."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0012'
down_revision = 'ce0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'share_mappings',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('share_id', types.string(36), nullable=False),
        sa.Column('status', types.string(32), nullable=False),
        sa.Column('tag', types.string(255), nullable=False),
        sa.Column('export_location', types.string(1024), nullable=False),
        sa.Column('share_proto', types.string(32), nullable=False),
        sa.Column('access_to', types.string(255)),
        sa.UniqueConstraint('uuid', name='uq_share_mappings_uuid'),
        sa.UniqueConstraint('instance_uuid', 'share_id', name='uq_share_mappings_instance_uuid_share_id'),
        sa.UniqueConstraint('instance_uuid', 'tag', name='uq_share_mappings_instance_uuid_tag'),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index('ix_share_mappings_share_id', 'share_mappings', ['share_id'])
