"""Rules: remote consoles."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

REMOTE_CONSOLES = Rule(
    'os_compute_api:os-remote-consoles', PROJECT_MEMBER_OR_ADMIN,
    'Open a console of a server.')
