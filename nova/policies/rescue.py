"""Rules: rescue."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

RESCUE = Rule('os_compute_api:os-rescue', PROJECT_MEMBER_OR_ADMIN, 'Rescue a server.')
UNRESCUE = Rule(
    'os_compute_api:os-unrescue', PROJECT_MEMBER_OR_ADMIN,
    'End the rescue of a server.', was='os_compute_api:os-rescue')
