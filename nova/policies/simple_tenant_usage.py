"""Rules: simple tenant usage."""

from nova.policies.base import ADMIN, PROJECT_READER_OR_ADMIN, Rule

LIST = Rule('os_compute_api:os-simple-tenant-usage:list', ADMIN, 'See the usage of all projects.')
SHOW = Rule(
    'os_compute_api:os-simple-tenant-usage:show', PROJECT_READER_OR_ADMIN,
    'See the usage of a project.')
