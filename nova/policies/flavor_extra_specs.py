"""Rules: flavor extra specs."""

from nova.policies.base import ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule('os_compute_api:os-flavor-extra-specs:create', ADMIN, 'Create extra specs of a flavor.')
DELETE = Rule('os_compute_api:os-flavor-extra-specs:delete', ADMIN, 'Delete extra specs of a flavor.')
INDEX = Rule(
    'os_compute_api:os-flavor-extra-specs:index', PROJECT_READER_OR_ADMIN,
    'List extra specs of a flavor, and see them with flavors (2.61).')
SHOW = Rule(
    'os_compute_api:os-flavor-extra-specs:show', PROJECT_READER_OR_ADMIN,
    'Show extra specs of a flavor.')
UPDATE = Rule('os_compute_api:os-flavor-extra-specs:update', ADMIN, 'Change extra specs of a flavor.')
