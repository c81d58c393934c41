"""Console tokens."""

import sqlalchemy as sa

from nova.db import types
from nova.db.cell.models import meta

console_auth_tokens = meta.table(
    'console_auth_tokens',
    sa.Column('token_hash', types.string(64), nullable=False, unique=True),
    types.uuid('instance_uuid', nullable=False, index=True),
    sa.Column('console_type', types.string(32), nullable=False),
    sa.Column('host', types.string(255), nullable=False),
    sa.Column('port', sa.Integer, nullable=False),
    sa.Column('tls_port', sa.Integer),
    sa.Column('internal_access_path', types.string(255)),
    sa.Column('access_url_base', types.string(255)),
    sa.Column('expires', sa.BigInteger, nullable=False, index=True),
)
"""Only hashes of tokens are kept; ``expires`` is in seconds since the epoch."""
