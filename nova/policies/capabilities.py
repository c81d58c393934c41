"""Rules: what a cloud can do."""

from nova.policies.base import ADMIN, ANY, PROJECT_READER_OR_ADMIN, Rule

LIST = Rule('os_compute_api:os-capabilities:list', ANY, 'See what the hosts of the cloud can do.')
HOSTS = Rule('os_compute_api:os-capabilities:hosts', ADMIN, 'See how many hosts can do something.')
VALIDATE = Rule(
    'os_compute_api:os-capabilities:validate', PROJECT_READER_OR_ADMIN,
    'Ask whether a host can run servers of a flavor and an image.')
