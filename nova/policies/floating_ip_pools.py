"""Rules: floating ip pools."""

from nova.policies.base import ANY, Rule

FLOATING_IP_POOLS = Rule('os_compute_api:os-floating-ip-pools', ANY, 'List pools of floating addresses.')
