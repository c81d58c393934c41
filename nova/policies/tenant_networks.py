"""Rules: tenant networks."""

from nova.policies.base import PROJECT_READER_OR_ADMIN, Rule

LIST = Rule(
    'os_compute_api:os-tenant-networks:list', PROJECT_READER_OR_ADMIN,
    'List networks of the project.', was='os_compute_api:os-tenant-networks')
SHOW = Rule(
    'os_compute_api:os-tenant-networks:show', PROJECT_READER_OR_ADMIN,
    'Show networks of the project.', was='os_compute_api:os-tenant-networks')
