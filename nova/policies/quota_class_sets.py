"""Rules: quota class sets."""

from nova.policies.base import ADMIN, Rule

SHOW = Rule('os_compute_api:os-quota-class-sets:show', ADMIN, 'Show limits of a quota class.')
UPDATE = Rule('os_compute_api:os-quota-class-sets:update', ADMIN, 'Change limits of a quota class.')
