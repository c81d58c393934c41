"""Rules: suspend."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

RESUME = Rule('os_compute_api:os-suspend-server:resume', PROJECT_MEMBER_OR_ADMIN, 'Resume a server.')
SUSPEND = Rule('os_compute_api:os-suspend-server:suspend', PROJECT_MEMBER_OR_ADMIN, 'Suspend a server.')
