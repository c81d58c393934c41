"""Rules: aggregates."""

from nova.policies.base import ADMIN, Rule

IMAGES = Rule('compute:aggregates:images', ADMIN, 'Have an image cached on the hosts of an aggregate.')
ADD_HOST = Rule('os_compute_api:os-aggregates:add_host', ADMIN, 'Add a host to an aggregate.')
CREATE = Rule('os_compute_api:os-aggregates:create', ADMIN, 'Create a host aggregate.')
DELETE = Rule('os_compute_api:os-aggregates:delete', ADMIN, 'Delete a host aggregate.')
INDEX = Rule('os_compute_api:os-aggregates:index', ADMIN, 'List host aggregates.')
REMOVE_HOST = Rule('os_compute_api:os-aggregates:remove_host', ADMIN, 'Remove a host from an aggregate.')
SET_METADATA = Rule('os_compute_api:os-aggregates:set_metadata', ADMIN, 'Set metadata of an aggregate.')
SHOW = Rule('os_compute_api:os-aggregates:show', ADMIN, 'Show a host aggregate.')
UPDATE = Rule('os_compute_api:os-aggregates:update', ADMIN, 'Change a host aggregate.')
