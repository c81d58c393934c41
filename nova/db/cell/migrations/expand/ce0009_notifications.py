"""Notifications are written down with what they tell of, and wait here until they are sent."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0009'
down_revision = 'ce0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'notifications',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('uuid', types.string(36), nullable=False, unique=True),
        sa.Column('subject', types.string(255), nullable=False),
        sa.Column('shard', sa.SmallInteger, nullable=False),
        sa.Column('owner', types.string(36)),
        sa.Column('event_type', types.string(255), nullable=False),
        sa.Column('publisher_id', types.string(255), nullable=False),
        sa.Column('priority', types.string(16), nullable=False),
        sa.Column('payload', types.Json, nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        **types.MYSQL)
