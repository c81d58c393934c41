"""Rules: server password."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CLEAR = Rule(
    'os_compute_api:os-server-password:clear', PROJECT_MEMBER_OR_ADMIN,
    'Forget the encrypted password of a server.', was='os_compute_api:os-server-password')
SHOW = Rule(
    'os_compute_api:os-server-password:show', PROJECT_READER_OR_ADMIN,
    'Show the encrypted password of a server.', was='os_compute_api:os-server-password')
