"""Tasks remember where their steps were done, how far the present one is, and what it was told."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0007'
down_revision = 'ce0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('tasks', 'shadow_tasks'):
        for column in ('hosts', 'progress', 'signals'):
            op.add_column(table, sa.Column(column, types.Json()))
