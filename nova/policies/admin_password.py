"""Rules: admin password."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

ADMIN_PASSWORD = Rule(
    'os_compute_api:os-admin-password', PROJECT_MEMBER_OR_ADMIN,
    'Change the administrator password of a server.')
