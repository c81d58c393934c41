"""Tables of the API database: what the whole deployment shares."""

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from nova.common import dbkit
from nova.db import tasks, types

api_metadata = sa.MetaData(naming_convention=dbkit.NAMING)
metadata = api_metadata


def _table(name: str, *items: SchemaItem) -> dbkit.Table:
    return types.table(metadata, name, *items)


def _to(target: str, name: str, ondelete: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(target, ondelete=ondelete), nullable=False)


cell_mappings = _table(
    'cell_mappings',
    types.uuid(nullable=False, unique=True),
    sa.Column('name', types.string(255)),
    sa.Column('transport_url', types.long_text(), nullable=False),
    sa.Column('database_connection', types.long_text(), nullable=False),
    sa.Column('disabled', sa.Boolean, nullable=False, default=False),
)

host_mappings = _table(
    'host_mappings',
    _to('cell_mappings.id', 'cell_id'),
    sa.Column('host', types.string(255), nullable=False, unique=True),
    sa.Index(None, 'cell_id'),
)

instance_mappings = _table(
    'instance_mappings',
    types.uuid('instance_uuid', nullable=False, unique=True),
    sa.Column('cell_id', sa.Integer, sa.ForeignKey('cell_mappings.id')),
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('user_id', types.string(255), nullable=False),
    sa.Column('vcpus', sa.Integer, nullable=False, default=0),
    sa.Column('memory_mb', sa.Integer, nullable=False, default=0),
    sa.Column('queued_for_delete', sa.Boolean, nullable=False, default=False),
    sa.Column('resources', types.Json),
    sa.Index(None, 'cell_id'),
    sa.Index('ix_instance_mappings_usage', 'project_id', 'queued_for_delete', 'vcpus', 'memory_mb'),
)
"""Servers and their cells; cell_id is NULL until a server is handed over. Quotas count these rows."""

build_requests = _table(
    'build_requests',
    types.uuid('instance_uuid', nullable=False, unique=True),
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('instance', types.Json, nullable=False),
    sa.Column('revision', sa.Integer, nullable=False),
    sa.Index(None, 'project_id', 'created_at'),
)

request_specs = _table(
    'request_specs',
    types.uuid('instance_uuid', nullable=False, unique=True),
    sa.Column('spec', types.Json, nullable=False),
)

flavors = _table(
    'flavors',
    sa.Column('name', types.string(255), nullable=False, unique=True),
    sa.Column('flavorid', types.string(255), nullable=False, unique=True),
    sa.Column('memory_mb', sa.Integer, nullable=False),
    sa.Column('vcpus', sa.Integer, nullable=False),
    sa.Column('root_gb', sa.Integer, nullable=False, default=0),
    sa.Column('ephemeral_gb', sa.Integer, nullable=False, default=0),
    sa.Column('swap', sa.Integer, nullable=False, default=0),
    sa.Column('rxtx_factor', types.number(), nullable=False, default=1.0),
    sa.Column('disabled', sa.Boolean, nullable=False, default=False),
    sa.Column('is_public', sa.Boolean, nullable=False, default=True),
    sa.Column('description', types.long_text()),
)

flavor_extra_specs = _table(
    'flavor_extra_specs',
    _to('flavors.id', 'flavor_id', ondelete='CASCADE'),
    sa.Column('key', types.string(255), nullable=False),
    sa.Column('value', types.string(255), nullable=False),
    sa.UniqueConstraint('flavor_id', 'key'),
)

flavor_projects = _table(
    'flavor_projects',
    _to('flavors.id', 'flavor_id', ondelete='CASCADE'),
    sa.Column('project_id', types.string(255), nullable=False),
    sa.UniqueConstraint('flavor_id', 'project_id'),
    sa.Index(None, 'project_id'),
)

key_pairs = _table(
    'key_pairs',
    sa.Column('user_id', types.string(255), nullable=False),
    sa.Column('name', types.string(255), nullable=False),
    sa.Column('type', types.string(16), nullable=False, default='ssh'),
    sa.Column('fingerprint', types.string(255)),
    sa.Column('public_key', types.long_text()),
    sa.UniqueConstraint('user_id', 'name'),
)

aggregates = _table(
    'aggregates',
    types.uuid(nullable=False, unique=True),
    sa.Column('name', types.string(255), nullable=False, unique=True),
)

aggregate_hosts = _table(
    'aggregate_hosts',
    _to('aggregates.id', 'aggregate_id', ondelete='CASCADE'),
    sa.Column('host', types.string(255), nullable=False),
    sa.UniqueConstraint('aggregate_id', 'host'),
    sa.Index(None, 'host'),
)

aggregate_metadata = _table(
    'aggregate_metadata',
    _to('aggregates.id', 'aggregate_id', ondelete='CASCADE'),
    sa.Column('key', types.string(255), nullable=False),
    sa.Column('value', types.string(255), nullable=False),
    sa.UniqueConstraint('aggregate_id', 'key'),
    sa.Index(None, 'key'),
)

instance_groups = _table(
    'instance_groups',
    types.uuid(nullable=False, unique=True),
    sa.Column('user_id', types.string(255), nullable=False),
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('name', types.string(255), nullable=False),
    sa.Index(None, 'project_id'),
)

instance_group_policy = _table(
    'instance_group_policy',
    _to('instance_groups.id', 'group_id', ondelete='CASCADE'),
    sa.Column('policy', types.string(255), nullable=False),
    sa.Column('rules', types.Json),
    sa.UniqueConstraint('group_id'),
)

instance_group_member = _table(
    'instance_group_member',
    _to('instance_groups.id', 'group_id', ondelete='CASCADE'),
    types.uuid('instance_uuid', nullable=False),
    sa.UniqueConstraint('group_id', 'instance_uuid'),
    sa.Index(None, 'instance_uuid'),
)

quotas = _table(
    'quotas',
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('resource', types.string(64), nullable=False),
    sa.Column('hard_limit', sa.Integer, nullable=False),
    sa.UniqueConstraint('project_id', 'resource'),
)

user_quotas = _table(
    'user_quotas',
    sa.Column('project_id', types.string(255), nullable=False),
    sa.Column('user_id', types.string(255), nullable=False),
    sa.Column('resource', types.string(64), nullable=False),
    sa.Column('hard_limit', sa.Integer, nullable=False),
    sa.UniqueConstraint('project_id', 'user_id', 'resource'),
)

quota_classes = _table(
    'quota_classes',
    sa.Column('class_name', types.string(255), nullable=False),
    sa.Column('resource', types.string(64), nullable=False),
    sa.Column('hard_limit', sa.Integer, nullable=False),
    sa.UniqueConstraint('class_name', 'resource'),
)

quota_locks = sa.Table(
    'quota_locks', metadata,
    sa.Column('project_id', types.string(255), primary_key=True),
    **types.MYSQL)
"""One row a project, or user, locked by whoever counts and then adds; this makes quotas exact."""

tasks.task_tables(metadata)
