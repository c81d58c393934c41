"""The query string of the server lists, and who may filter by what."""

from nova.common.microversion import V
from nova.rest import types
from nova.rest.field import Field, Span, document

_OLD_SORT_KEYS = (
    'access_ip_v4', 'access_ip_v6', 'architecture', 'auto_disk_config', 'availability_zone', 'cell_name',
    'cleaned', 'config_drive', 'created_at', 'default_ephemeral_device', 'default_swap_device', 'deleted',
    'deleted_at', 'disable_terminate', 'display_description', 'display_name', 'ephemeral_gb',
    'ephemeral_key_uuid', 'host', 'hostname', 'id', 'image_ref', 'instance_type_id', 'kernel_id', 'key_data',
    'key_name', 'launch_index', 'launched_at', 'launched_on', 'locked', 'locked_by', 'memory_mb', 'node',
    'os_type', 'power_state', 'progress', 'project_id', 'ramdisk_id', 'reservation_id', 'root_device_name',
    'root_gb', 'shutdown_terminate', 'task_state', 'terminated_at', 'updated_at', 'user_data', 'user_id',
    'uuid', 'vcpus', 'vm_mode', 'vm_state')
_SORT_KEYS = (
    'access_ip_v4', 'access_ip_v6', 'auto_disk_config', 'availability_zone', 'config_drive', 'created_at',
    'display_description', 'display_name', 'host', 'hostname', 'image_ref', 'instance_type_id', 'kernel_id',
    'key_name', 'launch_index', 'launched_at', 'locked', 'locked_by', 'node', 'power_state', 'progress',
    'project_id', 'ramdisk_id', 'root_device_name', 'task_state', 'terminated_at', 'updated_at', 'user_id',
    'uuid', 'vm_state')
SORT_ADMIN_ONLY = frozenset({'host', 'node'})

FORBIDDEN = (
    'block_device_mapping', 'services', 'metadata', 'system_metadata', 'info_cache', 'security_groups',
    'pci_devices')
"""Refused: they name what is no attribute of a server."""

_TEXTS = (
    'user_id', 'project_id', 'tenant_id', 'launch_index', 'image_ref', 'image', 'vm_state', 'task_state',
    'host', 'uuid', 'all_tenants', 'soft_deleted', 'deleted', 'status', 'sort_dir', *FORBIDDEN)
_PATTERNS = (
    'kernel_id', 'ramdisk_id', 'hostname', 'key_name', 'power_state', 'node', 'flavor', 'reservation_id',
    'launched_at', 'terminated_at', 'availability_zone', 'name', 'display_name', 'description',
    'display_description', 'locked_by', 'root_device_name', 'config_drive', 'access_ip_v4', 'access_ip_v6',
    'auto_disk_config', 'progress', 'ip', 'ip6', 'created_at')

ServerQuery = document('ServerQuery', {
    'limit': Field(types.LIMIT, 'Most servers of the page.', query='2.1'),
    'marker': Field(types.TEXT, 'UUID of the last server seen.', query='2.1'),
    'sort_key': Field(query=[Span('2.1', '2.74', type=types.enum(*_OLD_SORT_KEYS)),
                             Span('2.75', type=types.enum(*_SORT_KEYS))]),
    **{name: Field(types.TEXT, query='2.1') for name in _TEXTS},
    **{name: Field(types.REGEX, query='2.1') for name in _PATTERNS},
    'changes-since': Field(types.TIME, 'Changed at this time or later.', query='2.1'),
    'changes-before': Field(types.TIME, 'Changed at this time or earlier.', query='2.66'),
    'tags': Field(types.REGEX, 'Has all of these tags.', query='2.26'),
    'tags-any': Field(types.REGEX, 'Has one of these tags.', query='2.26'),
    'not-tags': Field(types.REGEX, 'Has not all of these tags.', query='2.26'),
    'not-tags-any': Field(types.REGEX, 'Has none of these tags.', query='2.26'),
    'locked': Field(types.TEXT, 'Is locked, or is not.', query='2.73'),
})


EVERYBODY = {
    'reservation_id': '2.1', 'name': '2.1', 'status': '2.1', 'image': '2.1', 'flavor': '2.1', 'ip': '2.1',
    'changes-since': '2.1', 'all_tenants': '2.1', 'ip6': '2.5', 'tags': '2.26', 'tags-any': '2.26',
    'not-tags': '2.26', 'not-tags-any': '2.26', 'changes-before': '2.66', 'locked': '2.73', 'hostname': '2.90',
    **dict.fromkeys((
        'availability_zone', 'config_drive', 'key_name', 'created_at', 'launched_at', 'terminated_at',
        'power_state', 'task_state', 'vm_state', 'progress', 'user_id'), '2.83'),
}
"""First microversion at which everybody may use a filter; the others are for those whom policy allows all."""


def open_to_all(version: V) -> frozenset[str]:
    """The filters that everybody may use at `version`."""
    return frozenset(name for name, since in EVERYBODY.items() if version >= V(since))
