"""Rules: server metadata."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule('os_compute_api:server-metadata:create', PROJECT_MEMBER_OR_ADMIN, 'Add metadata to a server.')
DELETE = Rule(
    'os_compute_api:server-metadata:delete', PROJECT_MEMBER_OR_ADMIN,
    'Delete a metadata item of a server.')
INDEX = Rule('os_compute_api:server-metadata:index', PROJECT_READER_OR_ADMIN, 'List metadata of a server.')
SHOW = Rule('os_compute_api:server-metadata:show', PROJECT_READER_OR_ADMIN, 'Show a metadata item of a server.')
UPDATE = Rule(
    'os_compute_api:server-metadata:update', PROJECT_MEMBER_OR_ADMIN,
    'Set a metadata item of a server.')
UPDATE_ALL = Rule(
    'os_compute_api:server-metadata:update_all', PROJECT_MEMBER_OR_ADMIN,
    'Replace the metadata of a server.')
