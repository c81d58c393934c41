"""Requests that clients send with a key are done once."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0010'
down_revision = 'ce0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'idempotency_keys',
        sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('name', types.string(64), nullable=False, unique=True),
        sa.Column('digest', types.string(64), nullable=False),
        sa.Column('task_uuid', types.string(36), index=True),
        sa.Column('status', sa.SmallInteger),
        sa.Column('headers', types.Json),
        sa.Column('body', types.Json),
        sa.Column('created_at', types.time(), nullable=False, index=True),
        **types.MYSQL)
