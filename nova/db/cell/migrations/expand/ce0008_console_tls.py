"""Console tokens know where the console listens for TLS."""

import sqlalchemy as sa
from alembic import op

revision = 'ce0008'
down_revision = 'ce0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('console_auth_tokens', sa.Column('tls_port', sa.Integer()))
