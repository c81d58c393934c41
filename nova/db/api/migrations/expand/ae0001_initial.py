"""The first schema of the API database."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ae0001'
down_revision = None
branch_labels = ('expand',)
depends_on = None


def upgrade() -> None:
    _aggregates()
    _build_requests()
    _cell_mappings()
    _events()
    _flavors()
    _instance_groups()
    _key_pairs()
    _quota_classes()
    _quota_locks()
    _quotas()
    _request_specs()
    _task_steps()
    _tasks()
    _user_quotas()
    _workers()
    _aggregate_hosts()
    _aggregate_metadata()
    _flavor_extra_specs()
    _flavor_projects()
    _host_mappings()
    _instance_group_member()
    _instance_group_policy()
    _instance_mappings()


def _aggregates() -> None:
    op.create_table(
        'aggregates',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('name', types.string(255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_aggregates')),
        sa.UniqueConstraint('name', name=op.f('uq_aggregates_name')),
        sa.UniqueConstraint('uuid', name=op.f('uq_aggregates_uuid')),
        **types.MYSQL)


def _build_requests() -> None:
    op.create_table(
        'build_requests',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('instance', types.Json(), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_build_requests')),
        sa.UniqueConstraint('instance_uuid', name=op.f('uq_build_requests_instance_uuid')),
        **types.MYSQL)
    op.create_index(
        op.f('ix_build_requests_project_id_created_at'), 'build_requests', ['project_id', 'created_at'])


def _cell_mappings() -> None:
    op.create_table(
        'cell_mappings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('name', types.string(255)),
        sa.Column('transport_url', sa.Text(), nullable=False),
        sa.Column('database_connection', sa.Text(), nullable=False),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_cell_mappings')),
        sa.UniqueConstraint('uuid', name=op.f('uq_cell_mappings_uuid')),
        **types.MYSQL)


def _events() -> None:
    op.create_table(
        'events',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('name', types.string(64), nullable=False),
        sa.Column('tag', types.string(255), nullable=False),
        sa.Column('status', types.string(16), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_events')),
        **types.MYSQL)
    op.create_index(op.f('ix_events_created_at'), 'events', ['created_at'])
    op.create_index(op.f('ix_events_instance_uuid_name'), 'events', ['instance_uuid', 'name'])


def _flavors() -> None:
    op.create_table(
        'flavors',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('name', types.string(255), nullable=False),
        sa.Column('flavorid', types.string(255), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('root_gb', sa.Integer(), nullable=False),
        sa.Column('ephemeral_gb', sa.Integer(), nullable=False),
        sa.Column('swap', sa.Integer(), nullable=False),
        sa.Column('rxtx_factor', sa.Float(), nullable=False),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.Column('is_public', sa.Boolean(), nullable=False),
        sa.Column('description', sa.Text()),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_flavors')),
        sa.UniqueConstraint('flavorid', name=op.f('uq_flavors_flavorid')),
        sa.UniqueConstraint('name', name=op.f('uq_flavors_name')),
        **types.MYSQL)


def _instance_groups() -> None:
    op.create_table(
        'instance_groups',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('user_id', types.string(255), nullable=False),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('name', types.string(255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instance_groups')),
        sa.UniqueConstraint('uuid', name=op.f('uq_instance_groups_uuid')),
        **types.MYSQL)
    op.create_index(op.f('ix_instance_groups_project_id'), 'instance_groups', ['project_id'])


def _key_pairs() -> None:
    op.create_table(
        'key_pairs',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('user_id', types.string(255), nullable=False),
        sa.Column('name', types.string(255), nullable=False),
        sa.Column('type', types.string(16), nullable=False),
        sa.Column('fingerprint', types.string(255)),
        sa.Column('public_key', sa.Text()),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_key_pairs')),
        sa.UniqueConstraint('user_id', 'name', name=op.f('uq_key_pairs_user_id_name')),
        **types.MYSQL)


def _quota_classes() -> None:
    op.create_table(
        'quota_classes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('class_name', types.string(255), nullable=False),
        sa.Column('resource', types.string(64), nullable=False),
        sa.Column('hard_limit', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_quota_classes')),
        sa.UniqueConstraint('class_name', 'resource', name=op.f('uq_quota_classes_class_name_resource')),
        **types.MYSQL)


def _quota_locks() -> None:
    op.create_table(
        'quota_locks',
        sa.Column('project_id', types.string(255), nullable=False),
        sa.PrimaryKeyConstraint('project_id', name=op.f('pk_quota_locks')),
        **types.MYSQL)


def _quotas() -> None:
    op.create_table(
        'quotas',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('resource', types.string(64), nullable=False),
        sa.Column('hard_limit', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_quotas')),
        sa.UniqueConstraint('project_id', 'resource', name=op.f('uq_quotas_project_id_resource')),
        **types.MYSQL)


def _request_specs() -> None:
    op.create_table(
        'request_specs',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('spec', types.Json(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_request_specs')),
        sa.UniqueConstraint('instance_uuid', name=op.f('uq_request_specs_instance_uuid')),
        **types.MYSQL)


def _task_steps() -> None:
    op.create_table(
        'task_steps',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('task_uuid', types.string(36), nullable=False),
        sa.Column('name', types.string(64), nullable=False),
        sa.Column('direction', types.string(8), nullable=False),
        sa.Column('attempt', sa.Integer(), nullable=False),
        sa.Column('host', types.string(255)),
        sa.Column('status', types.string(16), nullable=False),
        sa.Column('detail', types.long_text()),
        sa.Column('started_at', types.time()),
        sa.Column('finished_at', types.time()),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_task_steps')),
        **types.MYSQL)
    op.create_index(op.f('ix_task_steps_task_uuid'), 'task_steps', ['task_uuid'])


def _tasks() -> None:
    op.create_table(
        'tasks',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('parent', types.string(36)),
        sa.Column('flow', types.string(64), nullable=False),
        sa.Column('flow_version', types.string(16), nullable=False),
        sa.Column('instance_uuid', types.string(36)),
        sa.Column('exclusive', types.string(16)),
        sa.Column('queued', sa.Boolean(), nullable=False),
        sa.Column('status', types.string(16), nullable=False),
        sa.Column('direction', types.string(8), nullable=False),
        sa.Column('step', types.string(64)),
        sa.Column('runs_at', types.string(16), nullable=False),
        sa.Column('host', types.string(255)),
        sa.Column('attempt', sa.Integer(), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('turn', types.string(64)),
        sa.Column('state', types.Json()),
        sa.Column('generation', sa.Integer(), nullable=False),
        sa.Column('owner', types.string(36)),
        sa.Column('not_before', types.time()),
        sa.Column('deadline', types.time()),
        sa.Column('cancel', sa.Boolean(), nullable=False),
        sa.Column('request_id', types.string(255)),
        sa.Column('user_id', types.string(255)),
        sa.Column('project_id', types.string(255)),
        sa.Column('context', types.Json()),
        sa.Column('error', types.Json()),
        sa.Column('action', types.string(255)),
        sa.Column('step_started_at', types.time()),
        sa.Column('finished_at', types.time()),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks')),
        sa.UniqueConstraint('instance_uuid', 'exclusive', name=op.f('uq_tasks_instance_uuid_exclusive')),
        sa.UniqueConstraint('uuid', name=op.f('uq_tasks_uuid')),
        **types.MYSQL)
    op.create_index(op.f('ix_tasks_instance_uuid_updated_at'), 'tasks', ['instance_uuid', 'updated_at'])
    op.create_index(op.f('ix_tasks_parent'), 'tasks', ['parent'])
    op.create_index(op.f('ix_tasks_status'), 'tasks', ['status'])


def _user_quotas() -> None:
    op.create_table(
        'user_quotas',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('user_id', types.string(255), nullable=False),
        sa.Column('resource', types.string(64), nullable=False),
        sa.Column('hard_limit', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_user_quotas')),
        sa.UniqueConstraint('project_id', 'user_id', 'resource',
            name=op.f('uq_user_quotas_project_id_user_id_resource')),
        **types.MYSQL)


def _workers() -> None:
    op.create_table(
        'workers',
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('binary', types.string(64), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.Column('beat', sa.BigInteger(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('uuid', name=op.f('pk_workers')),
        **types.MYSQL)


def _aggregate_hosts() -> None:
    op.create_table(
        'aggregate_hosts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('aggregate_id', sa.Integer(), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.ForeignKeyConstraint(['aggregate_id'], ['aggregates.id'],
            name=op.f('fk_aggregate_hosts_aggregate_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_aggregate_hosts')),
        sa.UniqueConstraint('aggregate_id', 'host', name=op.f('uq_aggregate_hosts_aggregate_id_host')),
        **types.MYSQL)
    op.create_index(op.f('ix_aggregate_hosts_host'), 'aggregate_hosts', ['host'])


def _aggregate_metadata() -> None:
    op.create_table(
        'aggregate_metadata',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('aggregate_id', sa.Integer(), nullable=False),
        sa.Column('key', types.string(255), nullable=False),
        sa.Column('value', types.string(255), nullable=False),
        sa.ForeignKeyConstraint(['aggregate_id'], ['aggregates.id'],
            name=op.f('fk_aggregate_metadata_aggregate_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_aggregate_metadata')),
        sa.UniqueConstraint('aggregate_id', 'key', name=op.f('uq_aggregate_metadata_aggregate_id_key')),
        **types.MYSQL)
    op.create_index(op.f('ix_aggregate_metadata_key'), 'aggregate_metadata', ['key'])


def _flavor_extra_specs() -> None:
    op.create_table(
        'flavor_extra_specs',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('flavor_id', sa.Integer(), nullable=False),
        sa.Column('key', types.string(255), nullable=False),
        sa.Column('value', types.string(255), nullable=False),
        sa.ForeignKeyConstraint(['flavor_id'], ['flavors.id'],
            name=op.f('fk_flavor_extra_specs_flavor_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_flavor_extra_specs')),
        sa.UniqueConstraint('flavor_id', 'key', name=op.f('uq_flavor_extra_specs_flavor_id_key')),
        **types.MYSQL)


def _flavor_projects() -> None:
    op.create_table(
        'flavor_projects',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('flavor_id', sa.Integer(), nullable=False),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.ForeignKeyConstraint(['flavor_id'], ['flavors.id'],
            name=op.f('fk_flavor_projects_flavor_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_flavor_projects')),
        sa.UniqueConstraint('flavor_id', 'project_id', name=op.f('uq_flavor_projects_flavor_id_project_id')),
        **types.MYSQL)
    op.create_index(op.f('ix_flavor_projects_project_id'), 'flavor_projects', ['project_id'])


def _host_mappings() -> None:
    op.create_table(
        'host_mappings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('cell_id', sa.Integer(), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.ForeignKeyConstraint(['cell_id'], ['cell_mappings.id'], name=op.f('fk_host_mappings_cell_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_host_mappings')),
        sa.UniqueConstraint('host', name=op.f('uq_host_mappings_host')),
        **types.MYSQL)
    op.create_index(op.f('ix_host_mappings_cell_id'), 'host_mappings', ['cell_id'])


def _instance_group_member() -> None:
    op.create_table(
        'instance_group_member',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('group_id', sa.Integer(), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.ForeignKeyConstraint(['group_id'], ['instance_groups.id'],
            name=op.f('fk_instance_group_member_group_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instance_group_member')),
        sa.UniqueConstraint('group_id', 'instance_uuid',
            name=op.f('uq_instance_group_member_group_id_instance_uuid')),
        **types.MYSQL)
    op.create_index(op.f('ix_instance_group_member_instance_uuid'), 'instance_group_member', ['instance_uuid'])


def _instance_group_policy() -> None:
    op.create_table(
        'instance_group_policy',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('group_id', sa.Integer(), nullable=False),
        sa.Column('policy', types.string(255), nullable=False),
        sa.Column('rules', types.Json()),
        sa.ForeignKeyConstraint(['group_id'], ['instance_groups.id'],
            name=op.f('fk_instance_group_policy_group_id'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instance_group_policy')),
        sa.UniqueConstraint('group_id', name=op.f('uq_instance_group_policy_group_id')),
        **types.MYSQL)


def _instance_mappings() -> None:
    op.create_table(
        'instance_mappings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('cell_id', sa.Integer()),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('user_id', types.string(255), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('queued_for_delete', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['cell_id'], ['cell_mappings.id'], name=op.f('fk_instance_mappings_cell_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instance_mappings')),
        sa.UniqueConstraint('instance_uuid', name=op.f('uq_instance_mappings_instance_uuid')),
        **types.MYSQL)
    op.create_index(op.f('ix_instance_mappings_cell_id'), 'instance_mappings', ['cell_id'])
    op.create_index(
        'ix_instance_mappings_usage', 'instance_mappings',
        ['project_id', 'queued_for_delete', 'vcpus', 'memory_mb'])
