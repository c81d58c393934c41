"""Rules: baremetal nodes."""

from nova.policies.base import ADMIN, Rule

LIST = Rule(
    'os_compute_api:os-baremetal-nodes:list', ADMIN,
    'List bare-metal nodes.', was='os_compute_api:os-baremetal-nodes')
SHOW = Rule(
    'os_compute_api:os-baremetal-nodes:show', ADMIN,
    'Show bare-metal nodes.', was='os_compute_api:os-baremetal-nodes')
