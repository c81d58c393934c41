"""Notifications are kept for a while, for projects that follow their events."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0011'
down_revision = 'ce0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('notifications', sa.Column('project_id', types.string(255)))
    op.add_column('notifications', sa.Column('task_uuid', types.string(36)))
    op.add_column('notifications', sa.Column('sent_at', types.time()))
    op.create_index('ix_notifications_sent_at_id', 'notifications', ['sent_at', 'id'])
    op.create_index('ix_notifications_project_id_id', 'notifications', ['project_id', 'id'])
