"""Tasks have shards, and workers say what they can run."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ae0003'
down_revision = 'ae0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('shard', sa.SmallInteger(), nullable=False, server_default='0'))
    op.create_index(op.f('ix_tasks_status_shard'), 'tasks', ['status', 'shard'])
    op.add_column('workers', sa.Column('supers', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('workers', sa.Column('knows', types.Json()))
