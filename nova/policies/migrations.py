"""Rules: migrations."""

from nova.policies.base import ADMIN, PROJECT_MANAGER_OR_ADMIN, Rule

INDEX = Rule('os_compute_api:os-migrations:index', PROJECT_MANAGER_OR_ADMIN, 'List migrations.')
INDEX_ALL_PROJECTS = Rule(
    'os_compute_api:os-migrations:index:all_projects', ADMIN,
    'List migrations of other projects.', was='os_compute_api:os-migrations:index')
INDEX_HOST = Rule(
    'os_compute_api:os-migrations:index:host', ADMIN,
    'See the hosts of migrations.', was='os_compute_api:os-migrations:index')
