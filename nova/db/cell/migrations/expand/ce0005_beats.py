"""Beats say what a host runs, and since when they have come."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0005'
down_revision = 'ce0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('services', sa.Column('heard_since', types.time()))
    op.add_column('services', sa.Column('steps', types.Json()))
