"""Numbers with a fraction are found again by what they are."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ae0004'
down_revision = 'ae0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == 'mysql':
        op.alter_column('flavors', 'rxtx_factor', existing_type=sa.Float(), type_=types.number(),
                        existing_nullable=False)
        op.execute('UPDATE flavors SET rxtx_factor = ROUND(rxtx_factor, 5) WHERE rxtx_factor < 10000')
