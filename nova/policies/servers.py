"""Rules: servers."""

from nova.policies.base import (
    ADMIN,
    NOBODY,
    PROJECT_MANAGER_OR_ADMIN,
    PROJECT_MEMBER_OR_ADMIN,
    PROJECT_READER_OR_ADMIN,
    Rule,
)

REQUESTED_DESTINATION = Rule(
    'compute:servers:create:requested_destination', ADMIN,
    'Name the host or node of a new server (2.74).')
CROSS_CELL = Rule('compute:servers:resize:cross_cell', NOBODY, 'Have a resize or migration leave the cell.')
ATTACH_EXTERNAL_NETWORK = Rule(
    'network:attach_external_network', ADMIN,
    'Use an external network for a server.')
EXTENDED_ATTRIBUTES = Rule(
    'os_compute_api:os-extended-server-attributes', ADMIN,
    'See host, hypervisor and other internal attributes of servers.')
ALLOW_ALL_FILTERS = Rule('os_compute_api:servers:allow_all_filters', ADMIN, 'List servers by any attribute.')
CONFIRM_RESIZE = Rule('os_compute_api:servers:confirm_resize', PROJECT_MEMBER_OR_ADMIN, 'Confirm a resize.')
CREATE = Rule('os_compute_api:servers:create', PROJECT_MEMBER_OR_ADMIN, 'Create a server.')
CREATE_ATTACH_NETWORK = Rule(
    'os_compute_api:servers:create:attach_network', PROJECT_MEMBER_OR_ADMIN,
    'Name the networks of a new server.')
CREATE_ATTACH_VOLUME = Rule(
    'os_compute_api:servers:create:attach_volume', PROJECT_MEMBER_OR_ADMIN,
    'Give a new server volumes.')
CREATE_FORCED_HOST = Rule(
    'os_compute_api:servers:create:forced_host', ADMIN,
    'Force the host of a new server (zone:host:node).')
CREATE_TRUSTED_CERTS = Rule(
    'os_compute_api:servers:create:trusted_certs', PROJECT_MEMBER_OR_ADMIN,
    'Name trusted certificates for a new server (2.63).')
CREATE_ZERO_DISK_FLAVOR = Rule(
    'os_compute_api:servers:create:zero_disk_flavor', ADMIN,
    'Boot from an image with a flavor that has no disk.')
CREATE_IMAGE = Rule(
    'os_compute_api:servers:create_image', PROJECT_MEMBER_OR_ADMIN,
    'Make an image of a server.')
CREATE_IMAGE_ALLOW_VOLUME_BACKED = Rule(
    'os_compute_api:servers:create_image:allow_volume_backed', PROJECT_MEMBER_OR_ADMIN,
    'Make an image of a server that boots from a volume.')
DELETE = Rule('os_compute_api:servers:delete', PROJECT_MEMBER_OR_ADMIN, 'Delete a server.')
DETAIL = Rule('os_compute_api:servers:detail', PROJECT_READER_OR_ADMIN, 'List servers with details.')
DETAIL_GET_ALL_TENANTS = Rule(
    'os_compute_api:servers:detail:get_all_tenants', ADMIN,
    'List servers of all projects with details.')
INDEX = Rule('os_compute_api:servers:index', PROJECT_READER_OR_ADMIN, 'List servers.')
INDEX_GET_ALL_TENANTS = Rule(
    'os_compute_api:servers:index:get_all_tenants', ADMIN,
    'List servers of all projects.')
MIGRATIONS_DELETE = Rule(
    'os_compute_api:servers:migrations:delete', PROJECT_MANAGER_OR_ADMIN,
    'Abort a live migration.')
MIGRATIONS_FORCE_COMPLETE = Rule(
    'os_compute_api:servers:migrations:force_complete', PROJECT_MANAGER_OR_ADMIN,
    'Force a live migration to complete.')
MIGRATIONS_INDEX = Rule(
    'os_compute_api:servers:migrations:index', PROJECT_MANAGER_OR_ADMIN,
    'List migrations of a server.')
MIGRATIONS_INDEX_HOST = Rule(
    'os_compute_api:servers:migrations:index:host', ADMIN,
    'See the hosts of migrations of a server.', was='os_compute_api:servers:migrations:index')
MIGRATIONS_SHOW = Rule('os_compute_api:servers:migrations:show', ADMIN, 'Show a migration of a server.')
REBOOT = Rule('os_compute_api:servers:reboot', PROJECT_MEMBER_OR_ADMIN, 'Reboot a server.')
REBUILD = Rule('os_compute_api:servers:rebuild', PROJECT_MEMBER_OR_ADMIN, 'Rebuild a server.')
REBUILD_TRUSTED_CERTS = Rule(
    'os_compute_api:servers:rebuild:trusted_certs', PROJECT_MEMBER_OR_ADMIN,
    'Name trusted certificates for a rebuild (2.63).')
RESIZE = Rule('os_compute_api:servers:resize', PROJECT_MEMBER_OR_ADMIN, 'Resize a server.')
REVERT_RESIZE = Rule('os_compute_api:servers:revert_resize', PROJECT_MEMBER_OR_ADMIN, 'Revert a resize.')
SHOW = Rule('os_compute_api:servers:show', PROJECT_READER_OR_ADMIN, 'Show a server.')
SHOW_FLAVOR_EXTRA_SPECS = Rule(
    'os_compute_api:servers:show:flavor-extra-specs', PROJECT_READER_OR_ADMIN,
    'See the extra specs of the flavor of a server (2.47).', was='os_compute_api:os-flavor-extra-specs:index')
SHOW_HOST_STATUS = Rule(
    'os_compute_api:servers:show:host_status', ADMIN,
    'See the state of the host of a server (2.16).')
SHOW_HOST_STATUS_UNKNOWN_ONLY = Rule(
    'os_compute_api:servers:show:host_status:unknown-only', ADMIN,
    'See the state of the host of a server where it is UNKNOWN.')
START = Rule('os_compute_api:servers:start', PROJECT_MEMBER_OR_ADMIN, 'Start a server.')
STOP = Rule('os_compute_api:servers:stop', PROJECT_MEMBER_OR_ADMIN, 'Stop a server.')
TRIGGER_CRASH_DUMP = Rule(
    'os_compute_api:servers:trigger_crash_dump', PROJECT_MEMBER_OR_ADMIN,
    'Trigger a crash dump in a server.')
UPDATE = Rule('os_compute_api:servers:update', PROJECT_MEMBER_OR_ADMIN, 'Change a server.')
