"""The first schema of a cell."""

import sqlalchemy as sa
from alembic import op

from nova.db import types

revision = 'ce0001'
down_revision = None
branch_labels = ('expand',)
depends_on = None


def upgrade() -> None:
    _block_device_mappings()
    _compute_nodes()
    _console_auth_tokens()
    _events()
    _instance_extra()
    _instance_metadata()
    _instance_tags()
    _instances()
    _migrations()
    _services()
    _shadow_instance_extra()
    _shadow_instance_metadata()
    _shadow_instances()
    _shadow_migrations()
    _shadow_task_steps()
    _shadow_tasks()
    _task_steps()
    _tasks()
    _workers()


def _block_device_mappings() -> None:
    op.create_table(
        'block_device_mappings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('source_type', types.string(16), nullable=False),
        sa.Column('destination_type', types.string(16), nullable=False),
        sa.Column('guest_format', types.string(16)),
        sa.Column('device_type', types.string(16)),
        sa.Column('disk_bus', types.string(16)),
        sa.Column('boot_index', sa.Integer()),
        sa.Column('device_name', types.string(255)),
        sa.Column('delete_on_termination', sa.Boolean(), nullable=False),
        sa.Column('snapshot_id', types.string(36)),
        sa.Column('volume_id', types.string(36)),
        sa.Column('volume_size', sa.Integer()),
        sa.Column('volume_type', types.string(255)),
        sa.Column('image_id', types.string(36)),
        sa.Column('attachment_id', types.string(36)),
        sa.Column('tag', types.string(60)),
        sa.Column('encrypted', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_block_device_mappings')),
        sa.UniqueConstraint('instance_uuid', 'device_name',
            name=op.f('uq_block_device_mappings_instance_uuid_device_name')),
        sa.UniqueConstraint('instance_uuid', 'volume_id',
            name=op.f('uq_block_device_mappings_instance_uuid_volume_id')),
        sa.UniqueConstraint('uuid', name=op.f('uq_block_device_mappings_uuid')),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index(op.f('ix_block_device_mappings_volume_id'), 'block_device_mappings', ['volume_id'])


def _compute_nodes() -> None:
    op.create_table(
        'compute_nodes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.Column('hypervisor_hostname', types.string(255), nullable=False),
        sa.Column('hypervisor_type', types.string(64), nullable=False),
        sa.Column('hypervisor_version', sa.Integer(), nullable=False),
        sa.Column('host_ip', types.string(45)),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('local_gb', sa.Integer(), nullable=False),
        sa.Column('vcpus_used', sa.Integer(), nullable=False),
        sa.Column('memory_mb_used', sa.Integer(), nullable=False),
        sa.Column('local_gb_used', sa.Integer(), nullable=False),
        sa.Column('disk_available_least', sa.Integer()),
        sa.Column('running_vms', sa.Integer(), nullable=False),
        sa.Column('current_workload', sa.Integer(), nullable=False),
        sa.Column('cpu_allocation_ratio', sa.Float()),
        sa.Column('ram_allocation_ratio', sa.Float()),
        sa.Column('disk_allocation_ratio', sa.Float()),
        sa.Column('cpu_info', types.Json()),
        sa.Column('supported_instances', types.Json()),
        sa.Column('numa_topology', types.Json()),
        sa.Column('pci_stats', types.Json()),
        sa.Column('metrics', types.Json()),
        sa.Column('stats', types.Json()),
        sa.Column('mapped', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_compute_nodes')),
        sa.UniqueConstraint('host', 'hypervisor_hostname',
            name=op.f('uq_compute_nodes_host_hypervisor_hostname')),
        sa.UniqueConstraint('uuid', name=op.f('uq_compute_nodes_uuid')),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index(op.f('ix_compute_nodes_updated_at'), 'compute_nodes', ['updated_at'])


def _console_auth_tokens() -> None:
    op.create_table(
        'console_auth_tokens',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('token_hash', types.string(64), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('console_type', types.string(32), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.Column('port', sa.Integer(), nullable=False),
        sa.Column('internal_access_path', types.string(255)),
        sa.Column('access_url_base', types.string(255)),
        sa.Column('expires', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_console_auth_tokens')),
        sa.UniqueConstraint('token_hash', name=op.f('uq_console_auth_tokens_token_hash')),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index(op.f('ix_console_auth_tokens_expires'), 'console_auth_tokens', ['expires'])
    op.create_index(op.f('ix_console_auth_tokens_instance_uuid'), 'console_auth_tokens', ['instance_uuid'])


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


def _instance_extra() -> None:
    op.create_table(
        'instance_extra',
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('flavor', types.Json()),
        sa.Column('old_flavor', types.Json()),
        sa.Column('new_flavor', types.Json()),
        sa.Column('image_meta', types.Json()),
        sa.Column('keypair', types.Json()),
        sa.Column('network_info', types.Json()),
        sa.Column('numa_topology', types.Json()),
        sa.Column('pci_requests', types.Json()),
        sa.Column('trusted_certs', types.Json()),
        sa.Column('device_metadata', types.Json()),
        sa.Column('migration_context', types.Json()),
        sa.PrimaryKeyConstraint('instance_uuid', name=op.f('pk_instance_extra')),
        **types.MYSQL)


def _instance_metadata() -> None:
    op.create_table(
        'instance_metadata',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('key', types.string(255), nullable=False),
        sa.Column('value', types.string(255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instance_metadata')),
        sa.UniqueConstraint('instance_uuid', 'key', name=op.f('uq_instance_metadata_instance_uuid_key')),
        sqlite_autoincrement=True, **types.MYSQL)


def _instance_tags() -> None:
    op.create_table(
        'instance_tags',
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('tag', types.string(60), nullable=False),
        sa.PrimaryKeyConstraint('instance_uuid', 'tag', name=op.f('pk_instance_tags')),
        **types.MYSQL)
    op.create_index(op.f('ix_instance_tags_tag'), 'instance_tags', ['tag'])


def _instances() -> None:
    op.create_table(
        'instances',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('project_id', types.string(255), nullable=False),
        sa.Column('user_id', types.string(255), nullable=False),
        sa.Column('display_name', types.string(255)),
        sa.Column('display_description', types.string(255)),
        sa.Column('hostname', types.string(255)),
        sa.Column('image_ref', types.string(255)),
        sa.Column('kernel_id', types.string(255)),
        sa.Column('ramdisk_id', types.string(255)),
        sa.Column('vm_state', types.string(32), nullable=False),
        sa.Column('task_state', types.string(32)),
        sa.Column('power_state', sa.Integer(), nullable=False),
        sa.Column('host', types.string(255)),
        sa.Column('node', types.string(255)),
        sa.Column('compute_id', types.string(36)),
        sa.Column('launched_on', types.string(255)),
        sa.Column('flavorid', types.string(255)),
        sa.Column('instance_type_id', sa.Integer()),
        sa.Column('memory_mb', sa.Integer(), nullable=False),
        sa.Column('vcpus', sa.Integer(), nullable=False),
        sa.Column('root_gb', sa.Integer(), nullable=False),
        sa.Column('ephemeral_gb', sa.Integer(), nullable=False),
        sa.Column('availability_zone', types.string(255)),
        sa.Column('key_name', types.string(255)),
        sa.Column('user_data', types.long_text()),
        sa.Column('config_drive', sa.Boolean(), nullable=False),
        sa.Column('locked_by', types.string(16)),
        sa.Column('access_ip_v4', types.string(45)),
        sa.Column('access_ip_v6', types.string(45)),
        sa.Column('root_device_name', types.string(255)),
        sa.Column('default_ephemeral_device', types.string(255)),
        sa.Column('default_swap_device', types.string(255)),
        sa.Column('auto_disk_config', sa.Boolean(), nullable=False),
        sa.Column('progress', sa.Integer(), nullable=False),
        sa.Column('reservation_id', types.string(255)),
        sa.Column('launch_index', sa.Integer(), nullable=False),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('system_metadata', types.Json()),
        sa.Column('launched_at', types.time()),
        sa.Column('terminated_at', types.time()),
        sa.Column('deleted', sa.Integer(), nullable=False),
        sa.Column('deleted_at', types.time()),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_instances')),
        sa.UniqueConstraint('uuid', name=op.f('uq_instances_uuid')),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index(op.f('ix_instances_host_deleted'), 'instances', ['host', 'deleted'])
    op.create_index(
        'ix_instances_listing', 'instances',
        ['project_id', 'deleted', 'created_at', 'uuid', 'vm_state', 'hidden'])
    op.create_index(
        'ix_instances_listing_all', 'instances', ['deleted', 'created_at', 'uuid', 'vm_state', 'hidden'])
    op.create_index(op.f('ix_instances_reservation_id'), 'instances', ['reservation_id'])
    op.create_index(op.f('ix_instances_task_state'), 'instances', ['task_state'])
    op.create_index(op.f('ix_instances_updated_at'), 'instances', ['updated_at'])


def _migrations() -> None:
    op.create_table(
        'migrations',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('instance_uuid', types.string(36), nullable=False),
        sa.Column('migration_type', types.string(16), nullable=False),
        sa.Column('status', types.string(32), nullable=False),
        sa.Column('user_id', types.string(255)),
        sa.Column('project_id', types.string(255)),
        sa.Column('source_compute', types.string(255)),
        sa.Column('source_node', types.string(255)),
        sa.Column('dest_compute', types.string(255)),
        sa.Column('dest_node', types.string(255)),
        sa.Column('dest_host', types.string(255)),
        sa.Column('dest_compute_id', types.string(36)),
        sa.Column('old_instance_type_id', sa.Integer()),
        sa.Column('new_instance_type_id', sa.Integer()),
        sa.Column('hidden', sa.Boolean(), nullable=False),
        sa.Column('cross_cell_move', sa.Boolean(), nullable=False),
        sa.Column('memory_total', sa.BigInteger()),
        sa.Column('memory_processed', sa.BigInteger()),
        sa.Column('memory_remaining', sa.BigInteger()),
        sa.Column('disk_total', sa.BigInteger()),
        sa.Column('disk_processed', sa.BigInteger()),
        sa.Column('disk_remaining', sa.BigInteger()),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_migrations')),
        sa.UniqueConstraint('uuid', name=op.f('uq_migrations_uuid')),
        sqlite_autoincrement=True, **types.MYSQL)
    op.create_index(op.f('ix_migrations_dest_compute_status'), 'migrations', ['dest_compute', 'status'])
    op.create_index(op.f('ix_migrations_instance_uuid_status'), 'migrations', ['instance_uuid', 'status'])
    op.create_index(op.f('ix_migrations_source_compute_status'), 'migrations', ['source_compute', 'status'])
    op.create_index(op.f('ix_migrations_updated_at'), 'migrations', ['updated_at'])


def _services() -> None:
    op.create_table(
        'services',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('created_at', types.time(), nullable=False),
        sa.Column('updated_at', types.time()),
        sa.Column('uuid', types.string(36), nullable=False),
        sa.Column('host', types.string(255), nullable=False),
        sa.Column('binary', types.string(255), nullable=False),
        sa.Column('topic', types.string(255)),
        sa.Column('report_count', sa.Integer(), nullable=False),
        sa.Column('last_seen_up', types.time()),
        sa.Column('disabled', sa.Boolean(), nullable=False),
        sa.Column('disabled_reason', types.string(255)),
        sa.Column('forced_down', sa.Boolean(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_services')),
        sa.UniqueConstraint('host', 'binary', name=op.f('uq_services_host_binary')),
        sa.UniqueConstraint('uuid', name=op.f('uq_services_uuid')),
        sqlite_autoincrement=True, **types.MYSQL)


def _shadow_instance_extra() -> None:
    op.create_table(
        'shadow_instance_extra',
        sa.Column('instance_uuid', types.string(36), autoincrement=False, nullable=False),
        sa.Column('flavor', types.Json(), autoincrement=False),
        sa.Column('old_flavor', types.Json(), autoincrement=False),
        sa.Column('new_flavor', types.Json(), autoincrement=False),
        sa.Column('image_meta', types.Json(), autoincrement=False),
        sa.Column('keypair', types.Json(), autoincrement=False),
        sa.Column('network_info', types.Json(), autoincrement=False),
        sa.Column('numa_topology', types.Json(), autoincrement=False),
        sa.Column('pci_requests', types.Json(), autoincrement=False),
        sa.Column('trusted_certs', types.Json(), autoincrement=False),
        sa.Column('device_metadata', types.Json(), autoincrement=False),
        sa.Column('migration_context', types.Json(), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('instance_uuid', name=op.f('pk_shadow_instance_extra')),
        **types.MYSQL)
    op.create_index(op.f('ix_shadow_instance_extra_archived_at'), 'shadow_instance_extra', ['archived_at'])


def _shadow_instance_metadata() -> None:
    op.create_table(
        'shadow_instance_metadata',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('created_at', types.time(), autoincrement=False),
        sa.Column('updated_at', types.time(), autoincrement=False),
        sa.Column('instance_uuid', types.string(36), autoincrement=False),
        sa.Column('key', types.string(255), autoincrement=False),
        sa.Column('value', types.string(255), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shadow_instance_metadata')),
        **types.MYSQL)
    op.create_index(
        op.f('ix_shadow_instance_metadata_archived_at'), 'shadow_instance_metadata', ['archived_at'])


def _shadow_instances() -> None:
    op.create_table(
        'shadow_instances',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('created_at', types.time(), autoincrement=False),
        sa.Column('updated_at', types.time(), autoincrement=False),
        sa.Column('uuid', types.string(36), autoincrement=False),
        sa.Column('project_id', types.string(255), autoincrement=False),
        sa.Column('user_id', types.string(255), autoincrement=False),
        sa.Column('display_name', types.string(255), autoincrement=False),
        sa.Column('display_description', types.string(255), autoincrement=False),
        sa.Column('hostname', types.string(255), autoincrement=False),
        sa.Column('image_ref', types.string(255), autoincrement=False),
        sa.Column('kernel_id', types.string(255), autoincrement=False),
        sa.Column('ramdisk_id', types.string(255), autoincrement=False),
        sa.Column('vm_state', types.string(32), autoincrement=False),
        sa.Column('task_state', types.string(32), autoincrement=False),
        sa.Column('power_state', sa.Integer(), autoincrement=False),
        sa.Column('host', types.string(255), autoincrement=False),
        sa.Column('node', types.string(255), autoincrement=False),
        sa.Column('compute_id', types.string(36), autoincrement=False),
        sa.Column('launched_on', types.string(255), autoincrement=False),
        sa.Column('flavorid', types.string(255), autoincrement=False),
        sa.Column('instance_type_id', sa.Integer(), autoincrement=False),
        sa.Column('memory_mb', sa.Integer(), autoincrement=False),
        sa.Column('vcpus', sa.Integer(), autoincrement=False),
        sa.Column('root_gb', sa.Integer(), autoincrement=False),
        sa.Column('ephemeral_gb', sa.Integer(), autoincrement=False),
        sa.Column('availability_zone', types.string(255), autoincrement=False),
        sa.Column('key_name', types.string(255), autoincrement=False),
        sa.Column('user_data', types.long_text(), autoincrement=False),
        sa.Column('config_drive', sa.Boolean(), autoincrement=False),
        sa.Column('locked_by', types.string(16), autoincrement=False),
        sa.Column('access_ip_v4', types.string(45), autoincrement=False),
        sa.Column('access_ip_v6', types.string(45), autoincrement=False),
        sa.Column('root_device_name', types.string(255), autoincrement=False),
        sa.Column('default_ephemeral_device', types.string(255), autoincrement=False),
        sa.Column('default_swap_device', types.string(255), autoincrement=False),
        sa.Column('auto_disk_config', sa.Boolean(), autoincrement=False),
        sa.Column('progress', sa.Integer(), autoincrement=False),
        sa.Column('reservation_id', types.string(255), autoincrement=False),
        sa.Column('launch_index', sa.Integer(), autoincrement=False),
        sa.Column('hidden', sa.Boolean(), autoincrement=False),
        sa.Column('system_metadata', types.Json(), autoincrement=False),
        sa.Column('launched_at', types.time(), autoincrement=False),
        sa.Column('terminated_at', types.time(), autoincrement=False),
        sa.Column('deleted', sa.Integer(), autoincrement=False),
        sa.Column('deleted_at', types.time(), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shadow_instances')),
        **types.MYSQL)
    op.create_index(op.f('ix_shadow_instances_archived_at'), 'shadow_instances', ['archived_at'])


def _shadow_migrations() -> None:
    op.create_table(
        'shadow_migrations',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('created_at', types.time(), autoincrement=False),
        sa.Column('updated_at', types.time(), autoincrement=False),
        sa.Column('uuid', types.string(36), autoincrement=False),
        sa.Column('instance_uuid', types.string(36), autoincrement=False),
        sa.Column('migration_type', types.string(16), autoincrement=False),
        sa.Column('status', types.string(32), autoincrement=False),
        sa.Column('user_id', types.string(255), autoincrement=False),
        sa.Column('project_id', types.string(255), autoincrement=False),
        sa.Column('source_compute', types.string(255), autoincrement=False),
        sa.Column('source_node', types.string(255), autoincrement=False),
        sa.Column('dest_compute', types.string(255), autoincrement=False),
        sa.Column('dest_node', types.string(255), autoincrement=False),
        sa.Column('dest_host', types.string(255), autoincrement=False),
        sa.Column('dest_compute_id', types.string(36), autoincrement=False),
        sa.Column('old_instance_type_id', sa.Integer(), autoincrement=False),
        sa.Column('new_instance_type_id', sa.Integer(), autoincrement=False),
        sa.Column('hidden', sa.Boolean(), autoincrement=False),
        sa.Column('cross_cell_move', sa.Boolean(), autoincrement=False),
        sa.Column('memory_total', sa.BigInteger(), autoincrement=False),
        sa.Column('memory_processed', sa.BigInteger(), autoincrement=False),
        sa.Column('memory_remaining', sa.BigInteger(), autoincrement=False),
        sa.Column('disk_total', sa.BigInteger(), autoincrement=False),
        sa.Column('disk_processed', sa.BigInteger(), autoincrement=False),
        sa.Column('disk_remaining', sa.BigInteger(), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shadow_migrations')),
        **types.MYSQL)
    op.create_index(op.f('ix_shadow_migrations_archived_at'), 'shadow_migrations', ['archived_at'])


def _shadow_task_steps() -> None:
    op.create_table(
        'shadow_task_steps',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('task_uuid', types.string(36), autoincrement=False),
        sa.Column('name', types.string(64), autoincrement=False),
        sa.Column('direction', types.string(8), autoincrement=False),
        sa.Column('attempt', sa.Integer(), autoincrement=False),
        sa.Column('host', types.string(255), autoincrement=False),
        sa.Column('status', types.string(16), autoincrement=False),
        sa.Column('detail', types.long_text(), autoincrement=False),
        sa.Column('started_at', types.time(), autoincrement=False),
        sa.Column('finished_at', types.time(), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shadow_task_steps')),
        **types.MYSQL)
    op.create_index(op.f('ix_shadow_task_steps_archived_at'), 'shadow_task_steps', ['archived_at'])


def _shadow_tasks() -> None:
    op.create_table(
        'shadow_tasks',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('uuid', types.string(36), autoincrement=False),
        sa.Column('parent', types.string(36), autoincrement=False),
        sa.Column('flow', types.string(64), autoincrement=False),
        sa.Column('flow_version', types.string(16), autoincrement=False),
        sa.Column('instance_uuid', types.string(36), autoincrement=False),
        sa.Column('exclusive', types.string(16), autoincrement=False),
        sa.Column('queued', sa.Boolean(), autoincrement=False),
        sa.Column('status', types.string(16), autoincrement=False),
        sa.Column('direction', types.string(8), autoincrement=False),
        sa.Column('step', types.string(64), autoincrement=False),
        sa.Column('runs_at', types.string(16), autoincrement=False),
        sa.Column('host', types.string(255), autoincrement=False),
        sa.Column('attempt', sa.Integer(), autoincrement=False),
        sa.Column('tries', sa.Integer(), autoincrement=False),
        sa.Column('turn', types.string(64), autoincrement=False),
        sa.Column('state', types.Json(), autoincrement=False),
        sa.Column('generation', sa.Integer(), autoincrement=False),
        sa.Column('owner', types.string(36), autoincrement=False),
        sa.Column('not_before', types.time(), autoincrement=False),
        sa.Column('deadline', types.time(), autoincrement=False),
        sa.Column('cancel', sa.Boolean(), autoincrement=False),
        sa.Column('request_id', types.string(255), autoincrement=False),
        sa.Column('user_id', types.string(255), autoincrement=False),
        sa.Column('project_id', types.string(255), autoincrement=False),
        sa.Column('context', types.Json(), autoincrement=False),
        sa.Column('error', types.Json(), autoincrement=False),
        sa.Column('action', types.string(255), autoincrement=False),
        sa.Column('step_started_at', types.time(), autoincrement=False),
        sa.Column('finished_at', types.time(), autoincrement=False),
        sa.Column('created_at', types.time(), autoincrement=False),
        sa.Column('updated_at', types.time(), autoincrement=False),
        sa.Column('archived_at', types.time(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_shadow_tasks')),
        **types.MYSQL)
    op.create_index(op.f('ix_shadow_tasks_archived_at'), 'shadow_tasks', ['archived_at'])


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
