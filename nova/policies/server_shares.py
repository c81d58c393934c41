"""Rules: server shares."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule('os_compute_api:os-server-shares:create', PROJECT_MEMBER_OR_ADMIN, 'Attach a share to a server.')
DELETE = Rule(
    'os_compute_api:os-server-shares:delete', PROJECT_MEMBER_OR_ADMIN,
    'Detach a share from a server.')
INDEX = Rule('os_compute_api:os-server-shares:index', PROJECT_READER_OR_ADMIN, 'List shares of a server.')
SHOW = Rule('os_compute_api:os-server-shares:show', PROJECT_READER_OR_ADMIN, 'Show a share of a server.')
