"""Rules: assisted volume snapshots."""

from nova.policies.base import SERVICE, Rule

CREATE = Rule(
    'os_compute_api:os-assisted-volume-snapshots:create', SERVICE,
    'Create an assisted volume snapshot.')
DELETE = Rule(
    'os_compute_api:os-assisted-volume-snapshots:delete', SERVICE,
    'Delete an assisted volume snapshot.')
