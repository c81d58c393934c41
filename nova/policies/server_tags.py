"""Rules: server tags."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

DELETE = Rule('os_compute_api:os-server-tags:delete', PROJECT_MEMBER_OR_ADMIN, 'Remove a tag of a server.')
DELETE_ALL = Rule(
    'os_compute_api:os-server-tags:delete_all', PROJECT_MEMBER_OR_ADMIN,
    'Remove all tags of a server.')
INDEX = Rule('os_compute_api:os-server-tags:index', PROJECT_READER_OR_ADMIN, 'List tags of a server.')
SHOW = Rule('os_compute_api:os-server-tags:show', PROJECT_READER_OR_ADMIN, 'See whether a server has a tag.')
UPDATE = Rule('os_compute_api:os-server-tags:update', PROJECT_MEMBER_OR_ADMIN, 'Add a tag to a server.')
UPDATE_ALL = Rule(
    'os_compute_api:os-server-tags:update_all', PROJECT_MEMBER_OR_ADMIN,
    'Replace the tags of a server.')
