"""Services and hypervisors of a cell."""

import sqlalchemy as sa

from nova.common import clock
from nova.db import types
from nova.db.cell.models import meta

services = meta.table(
    'services',
    types.uuid(nullable=False, unique=True),
    sa.Column('host', types.string(255), nullable=False),
    sa.Column('binary', types.string(255), nullable=False),
    sa.Column('topic', types.string(255)),
    sa.Column('report_count', sa.Integer, nullable=False, default=0),
    sa.Column('last_seen_up', types.time(), default=clock.utcnow),
    sa.Column('disabled', sa.Boolean, nullable=False, default=False),
    sa.Column('disabled_reason', types.string(255)),
    sa.Column('forced_down', sa.Boolean, nullable=False, default=False),
    sa.Column('version', sa.Integer, nullable=False, default=1),
    sa.Column('epoch', sa.Integer, nullable=False, default=0, server_default='0'),
    sa.Column('heard_since', types.time()),
    sa.Column('steps', types.Json),
    sa.UniqueConstraint('host', 'binary'),
)
"""``epoch`` is raised when something that the host was doing is given up; see `nova.objects.owed`. ``steps``
are those that the host named in its newest beat: their attempts by task."""

compute_nodes = meta.table(
    'compute_nodes',
    types.uuid(nullable=False, unique=True),
    sa.Column('host', types.string(255), nullable=False),
    sa.Column('hypervisor_hostname', types.string(255), nullable=False),
    sa.Column('hypervisor_type', types.string(64), nullable=False),
    sa.Column('hypervisor_version', sa.Integer, nullable=False, default=0),
    sa.Column('host_ip', types.string(45)),
    sa.Column('vcpus', sa.Integer, nullable=False, default=0),
    sa.Column('memory_mb', sa.Integer, nullable=False, default=0),
    sa.Column('local_gb', sa.Integer, nullable=False, default=0),
    sa.Column('vcpus_used', sa.Integer, nullable=False, default=0),
    sa.Column('memory_mb_used', sa.Integer, nullable=False, default=0),
    sa.Column('local_gb_used', sa.Integer, nullable=False, default=0),
    sa.Column('disk_available_least', sa.Integer),
    sa.Column('running_vms', sa.Integer, nullable=False, default=0),
    sa.Column('current_workload', sa.Integer, nullable=False, default=0),
    sa.Column('cpu_allocation_ratio', types.number()),
    sa.Column('ram_allocation_ratio', types.number()),
    sa.Column('disk_allocation_ratio', types.number()),
    sa.Column('cpu_info', types.Json),
    sa.Column('supported_instances', types.Json),
    sa.Column('numa_topology', types.Json),
    sa.Column('pci_stats', types.Json),
    sa.Column('metrics', types.Json),
    sa.Column('stats', types.Json),
    sa.Column('mapped', sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint('host', 'hypervisor_hostname'),
    sa.Index(None, 'updated_at'),
)
"""``mapped`` is whether the host's mapping in the API database is known to exist."""

owed_steps = sa.Table(
    'owed_steps', meta.cell_metadata,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('host', types.string(255), nullable=False, index=True),
    sa.Column('task_uuid', types.string(36), nullable=False),
    sa.Column('attempt', sa.Integer, nullable=False),
    sa.Column('call', types.Json, nullable=False),
    sa.Column('created_at', types.time(), nullable=False),
    sa.UniqueConstraint('task_uuid', 'attempt'),
    **types.MYSQL)
"""Steps that a host could not be told of while it was down."""
