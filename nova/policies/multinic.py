"""Rules: multinic."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

ADD = Rule(
    'os_compute_api:os-multinic:add', PROJECT_MEMBER_OR_ADMIN,
    'Give a server a fixed address.', was='os_compute_api:os-multinic')
REMOVE = Rule(
    'os_compute_api:os-multinic:remove', PROJECT_MEMBER_OR_ADMIN,
    'Take a fixed address from a server.', was='os_compute_api:os-multinic')
