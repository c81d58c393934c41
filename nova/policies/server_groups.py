"""Rules: server groups."""

from nova.policies.base import ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule('os_compute_api:os-server-groups:create', PROJECT_MEMBER_OR_ADMIN, 'Create a server group.')
DELETE = Rule('os_compute_api:os-server-groups:delete', PROJECT_MEMBER_OR_ADMIN, 'Delete a server group.')
INDEX = Rule('os_compute_api:os-server-groups:index', PROJECT_READER_OR_ADMIN, 'List server groups.')
INDEX_ALL_PROJECTS = Rule(
    'os_compute_api:os-server-groups:index:all_projects', ADMIN,
    'List server groups of all projects.')
SHOW = Rule('os_compute_api:os-server-groups:show', PROJECT_READER_OR_ADMIN, 'Show a server group.')
