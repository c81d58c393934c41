"""Open tasks are found by status and shard, no longer by status alone."""

from alembic import op

revision = 'cc0002'
down_revision = 'cc0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f('ix_tasks_status'), 'tasks')
