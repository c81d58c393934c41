"""Rules: volumes."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule(
    'os_compute_api:os-volumes:create', PROJECT_MEMBER_OR_ADMIN,
    'Create a volume.', was='os_compute_api:os-volumes')
DELETE = Rule(
    'os_compute_api:os-volumes:delete', PROJECT_MEMBER_OR_ADMIN,
    'Delete a volume.', was='os_compute_api:os-volumes')
DETAIL = Rule(
    'os_compute_api:os-volumes:detail', PROJECT_READER_OR_ADMIN,
    'List volumes with details.', was='os_compute_api:os-volumes')
LIST = Rule(
    'os_compute_api:os-volumes:list', PROJECT_READER_OR_ADMIN,
    'List volumes.', was='os_compute_api:os-volumes')
SHOW = Rule(
    'os_compute_api:os-volumes:show', PROJECT_READER_OR_ADMIN,
    'Show a volume.', was='os_compute_api:os-volumes')
SNAPSHOTS_CREATE = Rule(
    'os_compute_api:os-volumes:snapshots:create', PROJECT_MEMBER_OR_ADMIN,
    'Create a volume snapshot.', was='os_compute_api:os-volumes')
SNAPSHOTS_DELETE = Rule(
    'os_compute_api:os-volumes:snapshots:delete', PROJECT_MEMBER_OR_ADMIN,
    'Delete a volume snapshot.', was='os_compute_api:os-volumes')
SNAPSHOTS_DETAIL = Rule(
    'os_compute_api:os-volumes:snapshots:detail', PROJECT_READER_OR_ADMIN,
    'List volume snapshots with details.', was='os_compute_api:os-volumes')
SNAPSHOTS_LIST = Rule(
    'os_compute_api:os-volumes:snapshots:list', PROJECT_READER_OR_ADMIN,
    'List volume snapshots.', was='os_compute_api:os-volumes')
SNAPSHOTS_SHOW = Rule(
    'os_compute_api:os-volumes:snapshots:show', PROJECT_READER_OR_ADMIN,
    'Show a volume snapshot.', was='os_compute_api:os-volumes')
