"""Unified limits count what servers ask of Placement."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ae0010'
down_revision = 'ae0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('instance_mappings', sa.Column('resources', types.Json()))
