"""Tasks are found by their end, so that those which ended long ago are dropped without reading the others."""

from alembic import op

revision = 'ae0011'
down_revision = 'ae0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_tasks_finished_at_id', 'tasks', ['finished_at', 'id'])
