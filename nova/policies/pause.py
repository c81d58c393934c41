"""Rules: pause."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

PAUSE = Rule('os_compute_api:os-pause-server:pause', PROJECT_MEMBER_OR_ADMIN, 'Pause a server.')
UNPAUSE = Rule('os_compute_api:os-pause-server:unpause', PROJECT_MEMBER_OR_ADMIN, 'Unpause a server.')
