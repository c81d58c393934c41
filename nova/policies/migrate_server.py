"""Rules: migrate server."""

from nova.policies.base import ADMIN, PROJECT_MANAGER_OR_ADMIN, Rule

MIGRATE = Rule('os_compute_api:os-migrate-server:migrate', PROJECT_MANAGER_OR_ADMIN, 'Migrate a server.')
MIGRATE_HOST = Rule(
    'os_compute_api:os-migrate-server:migrate:host', ADMIN,
    'Name the host that a server migrates to (2.56).')
MIGRATE_LIVE = Rule(
    'os_compute_api:os-migrate-server:migrate_live', PROJECT_MANAGER_OR_ADMIN,
    'Migrate a running server.')
MIGRATE_LIVE_HOST = Rule(
    'os_compute_api:os-migrate-server:migrate_live:host', ADMIN,
    'Name the host that a running server migrates to.', was='os_compute_api:os-migrate-server:migrate_live')
