"""Open tasks are found by status and shard, no longer by status alone."""

from alembic import op

revision = 'ac0002'
down_revision = 'ac0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f('ix_tasks_status'), 'tasks')
