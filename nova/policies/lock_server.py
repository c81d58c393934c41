"""Rules: lock server."""

from nova.policies.base import ADMIN, PROJECT_MEMBER_OR_ADMIN, Rule

LOCK = Rule('os_compute_api:os-lock-server:lock', PROJECT_MEMBER_OR_ADMIN, 'Lock a server.')
UNLOCK = Rule('os_compute_api:os-lock-server:unlock', PROJECT_MEMBER_OR_ADMIN, 'Unlock a server.')
UNLOCK_OVERRIDE = Rule(
    'os_compute_api:os-lock-server:unlock:unlock_override', ADMIN,
    'Unlock a server that someone else locked.')
