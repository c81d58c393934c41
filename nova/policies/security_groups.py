"""Rules: security groups."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

ADD = Rule(
    'os_compute_api:os-security-groups:add', PROJECT_MEMBER_OR_ADMIN,
    'Put a server in a security group.', was='os_compute_api:os-security-groups')
CREATE = Rule(
    'os_compute_api:os-security-groups:create', PROJECT_MEMBER_OR_ADMIN,
    'Create a security group.', was='os_compute_api:os-security-groups')
DELETE = Rule(
    'os_compute_api:os-security-groups:delete', PROJECT_MEMBER_OR_ADMIN,
    'Delete a security group.', was='os_compute_api:os-security-groups')
GET = Rule(
    'os_compute_api:os-security-groups:get', PROJECT_READER_OR_ADMIN,
    'List security groups.', was='os_compute_api:os-security-groups')
LIST = Rule(
    'os_compute_api:os-security-groups:list', PROJECT_READER_OR_ADMIN,
    'List security groups of a server.', was='os_compute_api:os-security-groups')
REMOVE = Rule(
    'os_compute_api:os-security-groups:remove', PROJECT_MEMBER_OR_ADMIN,
    'Take a server out of a security group.', was='os_compute_api:os-security-groups')
RULE_CREATE = Rule(
    'os_compute_api:os-security-groups:rule:create', PROJECT_MEMBER_OR_ADMIN,
    'Add a rule to a security group.', was='os_compute_api:os-security-groups')
RULE_DELETE = Rule(
    'os_compute_api:os-security-groups:rule:delete', PROJECT_MEMBER_OR_ADMIN,
    'Remove a rule of a security group.', was='os_compute_api:os-security-groups')
SHOW = Rule(
    'os_compute_api:os-security-groups:show', PROJECT_READER_OR_ADMIN,
    'Show a security group.', was='os_compute_api:os-security-groups')
UPDATE = Rule(
    'os_compute_api:os-security-groups:update', PROJECT_MEMBER_OR_ADMIN,
    'Change a security group.', was='os_compute_api:os-security-groups')
