"""Rules: server external events."""

from nova.policies.base import SERVICE, Rule

CREATE = Rule('os_compute_api:os-server-external-events:create', SERVICE, 'Report events of other services.')
