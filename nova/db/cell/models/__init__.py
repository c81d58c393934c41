"""Tables of a cell's database; cell0 has the same."""

from nova.db import tasks as _tasks
from nova.db.cell.models.block import block_device_mappings, share_mappings
from nova.db.cell.models.host import compute_nodes, owed_steps, services
from nova.db.cell.models.instance import instance_extra, instance_metadata, instance_tags, instances
from nova.db.cell.models.meta import cell_metadata
from nova.db.cell.models.migration import migrations
from nova.db.cell.models.misc import console_auth_tokens
from nova.db.cell.models.shadow import declare as _declare_shadows

_tasks.task_tables(cell_metadata)
shadows = _declare_shadows()

__all__ = [
    'block_device_mappings', 'cell_metadata', 'compute_nodes', 'console_auth_tokens', 'instance_extra',
    'instance_metadata', 'instance_tags', 'instances', 'migrations', 'owed_steps', 'services', 'shadows',
    'share_mappings',
]
