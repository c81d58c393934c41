"""Rules: console auth tokens."""

from nova.policies.base import ADMIN, Rule

CONSOLE_AUTH_TOKENS = Rule(
    'os_compute_api:os-console-auth-tokens', ADMIN,
    'See what a console token connects to.')
