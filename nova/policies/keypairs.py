"""Rules: keypairs."""

from nova.policies.base import OWNER_USER, Rule

CREATE = Rule('os_compute_api:os-keypairs:create', OWNER_USER, 'Create a key pair.')
DELETE = Rule('os_compute_api:os-keypairs:delete', OWNER_USER, 'Delete a key pair.')
INDEX = Rule('os_compute_api:os-keypairs:index', OWNER_USER, 'List key pairs.')
SHOW = Rule('os_compute_api:os-keypairs:show', OWNER_USER, 'Show a key pair.')
