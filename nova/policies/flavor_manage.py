"""Rules: flavor manage."""

from nova.policies.base import ADMIN, Rule

CREATE = Rule('os_compute_api:os-flavor-manage:create', ADMIN, 'Create a flavor.')
DELETE = Rule('os_compute_api:os-flavor-manage:delete', ADMIN, 'Delete a flavor.')
UPDATE = Rule('os_compute_api:os-flavor-manage:update', ADMIN, 'Change a flavor.')
