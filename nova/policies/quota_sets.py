"""Rules: quota sets."""

from nova.policies.base import ADMIN, ANY, PROJECT_READER_OR_ADMIN, Rule

DEFAULTS = Rule(
    'os_compute_api:os-quota-sets:defaults', ANY,
    'See the limits of projects that have none of their own.')
DELETE = Rule(
    'os_compute_api:os-quota-sets:delete', ADMIN,
    'Forget the limits of a project, so that defaults hold.')
DETAIL = Rule(
    'os_compute_api:os-quota-sets:detail', PROJECT_READER_OR_ADMIN,
    'See limits and usage of a project.')
SHOW = Rule('os_compute_api:os-quota-sets:show', PROJECT_READER_OR_ADMIN, 'Show limits of a project.')
UPDATE = Rule('os_compute_api:os-quota-sets:update', ADMIN, 'Change limits of a project.')
