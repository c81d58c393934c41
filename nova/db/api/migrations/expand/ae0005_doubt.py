"""Tasks remember whether something of them may still come."""

import sqlalchemy as sa
from alembic import op

revision = 'ae0005'
down_revision = 'ae0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tasks', sa.Column('doubt', sa.Boolean(), nullable=False, server_default=sa.false()))
