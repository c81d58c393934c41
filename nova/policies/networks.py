"""Rules: networks."""

from nova.policies.base import PROJECT_READER_OR_ADMIN, Rule

LIST = Rule(
    'os_compute_api:os-networks:list', PROJECT_READER_OR_ADMIN,
    'List networks.', was='os_compute_api:os-networks:view')
SHOW = Rule(
    'os_compute_api:os-networks:show', PROJECT_READER_OR_ADMIN,
    'Show networks.', was='os_compute_api:os-networks:view')
