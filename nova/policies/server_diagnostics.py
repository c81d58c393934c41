"""Rules: server diagnostics."""

from nova.policies.base import ADMIN, Rule

SERVER_DIAGNOSTICS = Rule('os_compute_api:os-server-diagnostics', ADMIN, 'See diagnostics of a server.')
