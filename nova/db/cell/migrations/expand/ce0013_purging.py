"""Archived rows are found by their server, so that they are purged in small transactions."""

from alembic import op

revision = 'ce0013'
down_revision = 'ce0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (('instance_extra', 'instance_uuid'), ('instance_metadata', 'instance_uuid'),
                          ('migrations', 'instance_uuid'), ('tasks', 'instance_uuid'),
                          ('task_steps', 'task_uuid')):
        op.create_index(f'ix_shadow_{table}_{column}', f'shadow_{table}', [column])
