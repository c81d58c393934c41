"""Tasks remember whether something of them may still come."""

import sqlalchemy as sa
from alembic import op

revision = 'ce0006'
down_revision = 'ce0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('doubt', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('shadow_tasks', sa.Column('doubt', sa.Boolean()))
