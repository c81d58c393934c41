"""Rules: console output."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

CONSOLE_OUTPUT = Rule(
    'os_compute_api:os-console-output', PROJECT_MEMBER_OR_ADMIN,
    'Read the console output of a server.')
