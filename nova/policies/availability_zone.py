"""Rules: availability zone."""

from nova.policies.base import ADMIN, ANY, Rule

DETAIL = Rule(
    'os_compute_api:os-availability-zone:detail', ADMIN,
    'List availability zones with their hosts and services.')
LIST = Rule('os_compute_api:os-availability-zone:list', ANY, 'List availability zones.')
