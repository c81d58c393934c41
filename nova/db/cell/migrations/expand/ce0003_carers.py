"""Tasks have shards, and workers say what they can run; hosts owe what they could not be told of."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0003'
down_revision = 'ce0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('shard', sa.SmallInteger(), nullable=False, server_default='0'))
    op.create_index(op.f('ix_tasks_status_shard'), 'tasks', ['status', 'shard'])
    op.add_column('workers', sa.Column('supers', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('workers', sa.Column('knows', types.Json()))
    op.add_column('shadow_tasks', sa.Column('shard', sa.SmallInteger()))
    op.add_column('services', sa.Column('epoch', sa.Integer(), nullable=False, server_default='0'))
    op.create_table(
        'owed_steps',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.Column('task_uuid', types.string(36), nullable=False),
        sa.Column('attempt', sa.Integer(), nullable=False),
        sa.Column('call', types.Json(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_owed_steps')),
        sa.UniqueConstraint('task_uuid', 'attempt', name=op.f('uq_owed_steps_task_uuid_attempt')),
        **types.MYSQL)
    op.create_index(op.f('ix_owed_steps_host'), 'owed_steps', ['host'])
