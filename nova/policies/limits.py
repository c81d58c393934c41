"""Rules: limits."""

from nova.policies.base import ADMIN, ANY, Rule

LIMITS = Rule('os_compute_api:limits', ANY, "See the project's limits.")
OTHER_PROJECT = Rule(
    'os_compute_api:limits:other_project', ADMIN,
    "See another project's limits.", was='os_compute_api:os-used-limits')
