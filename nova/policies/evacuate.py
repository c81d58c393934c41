"""Rules: evacuate."""

from nova.policies.base import ADMIN, Rule

EVACUATE = Rule('os_compute_api:os-evacuate', ADMIN, 'Rebuild a server of a failed host elsewhere.')
