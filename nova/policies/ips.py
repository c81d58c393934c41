"""Rules: addresses of servers."""

from nova.policies.base import PROJECT_READER_OR_ADMIN, Rule

INDEX = Rule('os_compute_api:ips:index', PROJECT_READER_OR_ADMIN, 'List addresses of a server.')
SHOW = Rule('os_compute_api:ips:show', PROJECT_READER_OR_ADMIN, 'Show addresses of a server.')
