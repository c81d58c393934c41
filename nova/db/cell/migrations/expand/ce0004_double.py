"""Numbers with a fraction are found again by what they are."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0004'
down_revision = 'ce0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == 'mysql':
        for name in ('cpu', 'ram', 'disk'):
            op.alter_column('compute_nodes', f'{name}_allocation_ratio', existing_type=sa.Float(),
                            type_=types.number(), existing_nullable=True)
