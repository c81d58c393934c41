"""Rules: shelve."""

from nova.policies.base import ADMIN, PROJECT_MEMBER_OR_ADMIN, Rule

SHELVE = Rule('os_compute_api:os-shelve:shelve', PROJECT_MEMBER_OR_ADMIN, 'Shelve a server.')
SHELVE_OFFLOAD = Rule('os_compute_api:os-shelve:shelve_offload', ADMIN, 'Take a shelved server off its host.')
UNSHELVE = Rule('os_compute_api:os-shelve:unshelve', PROJECT_MEMBER_OR_ADMIN, 'Unshelve a server.')
UNSHELVE_TO_HOST = Rule(
    'os_compute_api:os-shelve:unshelve_to_host', ADMIN,
    'Name the host of an unshelved server (2.91).')
