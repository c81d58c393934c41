"""Rules: admin actions."""

from nova.policies.base import ADMIN, Rule

INJECT_NETWORK_INFO = Rule(
    'os_compute_api:os-admin-actions:inject_network_info', ADMIN,
    'Inject network information into a server.')
RESET_STATE = Rule('os_compute_api:os-admin-actions:reset_state', ADMIN, 'Reset the state of a server.')
