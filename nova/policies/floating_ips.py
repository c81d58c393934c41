"""Rules: floating ips."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

ADD = Rule(
    'os_compute_api:os-floating-ips:add', PROJECT_MEMBER_OR_ADMIN,
    'Give a server a floating address.', was='os_compute_api:os-floating-ips')
CREATE = Rule(
    'os_compute_api:os-floating-ips:create', PROJECT_MEMBER_OR_ADMIN,
    'Create a floating address.', was='os_compute_api:os-floating-ips')
DELETE = Rule(
    'os_compute_api:os-floating-ips:delete', PROJECT_MEMBER_OR_ADMIN,
    'Delete a floating address.', was='os_compute_api:os-floating-ips')
LIST = Rule(
    'os_compute_api:os-floating-ips:list', PROJECT_READER_OR_ADMIN,
    'List floating addresses.', was='os_compute_api:os-floating-ips')
REMOVE = Rule(
    'os_compute_api:os-floating-ips:remove', PROJECT_MEMBER_OR_ADMIN,
    'Take a floating address from a server.', was='os_compute_api:os-floating-ips')
SHOW = Rule(
    'os_compute_api:os-floating-ips:show', PROJECT_READER_OR_ADMIN,
    'Show a floating address.', was='os_compute_api:os-floating-ips')
