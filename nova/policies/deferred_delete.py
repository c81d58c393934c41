"""Rules: deferred delete."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

FORCE = Rule(
    'os_compute_api:os-deferred-delete:force', PROJECT_MEMBER_OR_ADMIN,
    'Delete a server at once.', was='os_compute_api:os-deferred-delete')
RESTORE = Rule(
    'os_compute_api:os-deferred-delete:restore', PROJECT_MEMBER_OR_ADMIN,
    'Restore a deleted server.', was='os_compute_api:os-deferred-delete')
