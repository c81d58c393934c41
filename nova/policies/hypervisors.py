"""Rules: hypervisors."""

from nova.policies.base import ADMIN, Rule

LIST = Rule(
    'os_compute_api:os-hypervisors:list', ADMIN,
    'List hypervisors.', was='os_compute_api:os-hypervisors')
LIST_DETAIL = Rule(
    'os_compute_api:os-hypervisors:list-detail', ADMIN,
    'List hypervisors with details.', was='os_compute_api:os-hypervisors')
SEARCH = Rule(
    'os_compute_api:os-hypervisors:search', ADMIN,
    'Find hypervisors by name.', was='os_compute_api:os-hypervisors')
SERVERS = Rule(
    'os_compute_api:os-hypervisors:servers', ADMIN,
    'List servers by hypervisor.', was='os_compute_api:os-hypervisors')
SHOW = Rule(
    'os_compute_api:os-hypervisors:show', ADMIN,
    'Show a hypervisor.', was='os_compute_api:os-hypervisors')
STATISTICS = Rule(
    'os_compute_api:os-hypervisors:statistics', ADMIN,
    'Sum up all hypervisors.', was='os_compute_api:os-hypervisors')
UPTIME = Rule(
    'os_compute_api:os-hypervisors:uptime', ADMIN,
    'See how long a hypervisor has been up.', was='os_compute_api:os-hypervisors')
