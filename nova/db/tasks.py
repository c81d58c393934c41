"""Tables of the task journal; the API database and every cell have the same three, and stored events."""

import sqlalchemy as sa

from nova.common import dbkit
from nova.db import types

metadata = sa.MetaData(naming_convention=dbkit.NAMING)

tasks = sa.Table(
    'tasks', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('uuid', sa.String(36), nullable=False, unique=True),
    sa.Column('parent', sa.String(36)),
    sa.Column('flow', sa.String(64), nullable=False),
    sa.Column('flow_version', sa.String(16), nullable=False),
    sa.Column('instance_uuid', sa.String(36)),
    sa.Column('exclusive', sa.String(16)),
    sa.Column('status', sa.String(16), nullable=False, index=True),
    sa.Column('direction', sa.String(8), nullable=False),
    sa.Column('step', sa.String(64)),
    sa.Column('runs_at', sa.String(16), nullable=False),
    sa.Column('host', sa.String(255)),
    sa.Column('attempt', sa.Integer, nullable=False),
    sa.Column('tries', sa.Integer, nullable=False),
    sa.Column('turn', sa.String(64)),
    sa.Column('state', types.Json, nullable=False),
    sa.Column('generation', sa.Integer, nullable=False),
    sa.Column('owner', sa.String(36)),
    sa.Column('cancel', sa.Boolean, nullable=False),
    sa.Column('not_before', types.Time),
    sa.Column('deadline', types.Time),
    sa.Column('action', sa.String(255)),
    sa.Column('error', types.Json),
    sa.Column('context', types.Json, nullable=False),
    sa.Column('request_id', sa.String(255)),
    sa.Column('user_id', sa.String(255)),
    sa.Column('project_id', sa.String(255)),
    sa.Column('step_started_at', types.Time),
    sa.Column('created_at', types.Time, nullable=False),
    sa.Column('updated_at', types.Time),
    sa.Column('finished_at', types.Time),
    sa.UniqueConstraint('instance_uuid', 'exclusive'),
    sa.Index('ix_tasks_instance_uuid_updated_at', 'instance_uuid', 'updated_at'),
    mysql_charset='utf8mb4')
"""UNIQUE(instance_uuid, exclusive) is what makes a second operation on a server answer 409."""

task_steps = sa.Table(
    'task_steps', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('task_uuid', sa.String(36), nullable=False, index=True),
    sa.Column('name', sa.String(64), nullable=False),
    sa.Column('direction', sa.String(8), nullable=False),
    sa.Column('attempt', sa.Integer, nullable=False),
    sa.Column('host', sa.String(255)),
    sa.Column('status', sa.String(16), nullable=False),
    sa.Column('detail', sa.Text),
    sa.Column('started_at', types.Time),
    sa.Column('finished_at', types.Time),
    mysql_charset='utf8mb4')

workers = sa.Table(
    'workers', metadata,
    sa.Column('uuid', sa.String(36), primary_key=True),
    sa.Column('binary', sa.String(64), nullable=False),
    sa.Column('host', sa.String(255), nullable=False),
    sa.Column('beat', sa.BigInteger, nullable=False),
    sa.Column('created_at', types.Time, nullable=False),
    mysql_charset='utf8mb4')
"""Leases: a worker lives as long as its counter moves."""

events = sa.Table(
    'events', metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('instance_uuid', sa.String(36), nullable=False, index=True),
    sa.Column('name', sa.String(64), nullable=False),
    sa.Column('tag', sa.String(255)),
    sa.Column('status', sa.String(16), nullable=False),
    sa.Column('created_at', types.Time, nullable=False),
    mysql_charset='utf8mb4')
"""Events from neighbours, stored before anybody waits for them."""


def add_to(target: sa.MetaData) -> None:
    """Give a database's metadata these tables; statements may go on using the objects above."""
    for table in metadata.sorted_tables:
        table.to_metadata(target)
