"""The journal's tables, the same in every cell and in the API database.

`tasks` is what is to be done and how far it got, `task_steps` its history, `workers` the leases of those who do
it, `events` what neighbours announced, stored before anyone waits for it, `notifications` what is to be told to
whoever listens, and `idempotency_keys` which requests need not be done again.
"""

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.db import types

_metadata = sa.MetaData(naming_convention=dbkit.NAMING)

tasks = sa.Table(
    'tasks', _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('uuid', types.string(36), nullable=False, unique=True),
    sa.Column('parent', types.string(36), index=True),
    sa.Column('flow', types.string(64), nullable=False),
    sa.Column('flow_version', types.string(16), nullable=False),
    sa.Column('instance_uuid', types.string(36)),
    sa.Column('exclusive', types.string(16)),
    sa.Column('queued', sa.Boolean, nullable=False, default=False),
    sa.Column('shard', sa.SmallInteger, nullable=False, default=0, server_default='0'),
    sa.Column('status', types.string(16), nullable=False),
    sa.Column('direction', types.string(8), nullable=False, default='do'),
    sa.Column('step', types.string(64)),
    sa.Column('runs_at', types.string(16), nullable=False, default='cell'),
    sa.Column('host', types.string(255)),
    sa.Column('hosts', types.Json),
    sa.Column('progress', types.Json),
    sa.Column('signals', types.Json),
    sa.Column('attempt', sa.Integer, nullable=False, default=1),
    sa.Column('tries', sa.Integer, nullable=False, default=0),
    sa.Column('turn', types.string(64)),
    sa.Column('state', types.Json),
    sa.Column('generation', sa.Integer, nullable=False, default=0),
    sa.Column('owner', types.string(36)),
    sa.Column('not_before', types.time()),
    sa.Column('deadline', types.time()),
    sa.Column('cancel', sa.Boolean, nullable=False, default=False),
    sa.Column('doubt', sa.Boolean, nullable=False, default=False, server_default=sa.false()),
    sa.Column('request_id', types.string(255)),
    sa.Column('user_id', types.string(255)),
    sa.Column('project_id', types.string(255)),
    sa.Column('context', types.Json),
    sa.Column('error', types.Json),
    sa.Column('action', types.string(255)),
    sa.Column('step_started_at', types.time()),
    sa.Column('finished_at', types.time()),
    sa.Column('created_at', types.time(), nullable=False, default=clock.utcnow),
    sa.Column('updated_at', types.time(), nullable=False, default=clock.utcnow, onupdate=clock.utcnow),
    sa.UniqueConstraint('instance_uuid', 'exclusive'),
    sa.Index(None, 'instance_uuid', 'updated_at'),
    sa.Index(None, 'status', 'shard'),
    sa.Index(None, 'finished_at', 'id'),
    **types.MYSQL)
"""``UNIQUE(instance_uuid, exclusive)`` lets one exclusive task a server be open at a time: ended and sharing
tasks have NULL there, and so have queued ones that wait for their turn."""

task_steps = sa.Table(
    'task_steps', _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('task_uuid', types.string(36), nullable=False, index=True),
    sa.Column('name', types.string(64), nullable=False),
    sa.Column('direction', types.string(8), nullable=False),
    sa.Column('attempt', sa.Integer, nullable=False, default=1),
    sa.Column('host', types.string(255)),
    sa.Column('status', types.string(16), nullable=False),
    sa.Column('detail', types.long_text()),
    sa.Column('started_at', types.time()),
    sa.Column('finished_at', types.time()),
    **types.MYSQL)

workers = sa.Table(
    'workers', _metadata,
    sa.Column('uuid', types.string(36), primary_key=True),
    sa.Column('binary', types.string(64), nullable=False),
    sa.Column('host', types.string(255), nullable=False),
    sa.Column('beat', sa.BigInteger, nullable=False, default=0),
    sa.Column('supers', sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column('knows', types.Json),
    sa.Column('created_at', types.time(), nullable=False, default=clock.utcnow),
    **types.MYSQL)

events = sa.Table(
    'events', _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('instance_uuid', types.string(36), nullable=False),
    sa.Column('name', types.string(64), nullable=False),
    sa.Column('tag', types.string(255), nullable=False),
    sa.Column('status', types.string(16), nullable=False),
    sa.Column('created_at', types.time(), nullable=False, default=clock.utcnow),
    sa.Index(None, 'instance_uuid', 'name'),
    sa.Index(None, 'created_at'),
    **types.MYSQL)

notifications = sa.Table(
    'notifications', _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('uuid', types.string(36), nullable=False, unique=True),
    sa.Column('subject', types.string(255), nullable=False),
    sa.Column('shard', sa.SmallInteger, nullable=False),
    sa.Column('owner', types.string(36)),
    sa.Column('event_type', types.string(255), nullable=False),
    sa.Column('publisher_id', types.string(255), nullable=False),
    sa.Column('priority', types.string(16), nullable=False),
    sa.Column('payload', types.Json, nullable=False),
    sa.Column('project_id', types.string(255)),
    sa.Column('task_uuid', types.string(36)),
    sa.Column('sent_at', types.time()),
    sa.Column('created_at', types.time(), nullable=False),
    sa.Index(None, 'sent_at', 'id'),
    sa.Index(None, 'project_id', 'id'),
    **types.MYSQL)
"""What is still to be told on the bus, in the order of `id`, and what was told and is kept for projects that
follow their events."""

idempotency_keys = sa.Table(
    'idempotency_keys', _metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('name', types.string(64), nullable=False, unique=True),
    sa.Column('digest', types.string(64), nullable=False),
    sa.Column('task_uuid', types.string(36), index=True),
    sa.Column('status', sa.SmallInteger),
    sa.Column('headers', types.Json),
    sa.Column('body', types.Json),
    sa.Column('created_at', types.time(), nullable=False, index=True),
    **types.MYSQL)
"""The key itself is not kept: `name` is a hash of it, of its user and of the path it was sent to."""


def task_tables(metadata: sa.MetaData) -> None:
    """Declare the journal in a database's metadata. Statements on this module's tables fit every database."""
    for table in _metadata.sorted_tables:
        table.to_metadata(metadata)
