"""Rules: attach interfaces."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, Rule

CREATE = Rule(
    'os_compute_api:os-attach-interfaces:create', PROJECT_MEMBER_OR_ADMIN,
    'Attach an interface to a server.', was='os_compute_api:os-attach-interfaces')
DELETE = Rule(
    'os_compute_api:os-attach-interfaces:delete', PROJECT_MEMBER_OR_ADMIN,
    'Detach an interface from a server.', was='os_compute_api:os-attach-interfaces')
LIST = Rule(
    'os_compute_api:os-attach-interfaces:list', PROJECT_READER_OR_ADMIN,
    'List interfaces of a server.', was='os_compute_api:os-attach-interfaces')
SHOW = Rule(
    'os_compute_api:os-attach-interfaces:show', PROJECT_READER_OR_ADMIN,
    'Show an interface of a server.', was='os_compute_api:os-attach-interfaces')
