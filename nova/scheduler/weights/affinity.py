"""Servers of the same group, near or far where that can be had."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class _GroupWeigher(BaseHostWeigher):
    policy: str
    sign: float

    def applies(self, wanted: Wanted) -> bool:
        return wanted.group is not None and wanted.group.policy == self.policy

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        assert weight_properties.group is not None
        return self.sign * weight_properties.group.on_host[host_state.host]


class ServerGroupSoftAffinityWeigher(_GroupWeigher):
    """Prefers hosts with servers of the group."""

    option, policy, sign = 'soft_affinity', 'soft-affinity', 1.0


class ServerGroupSoftAntiAffinityWeigher(_GroupWeigher):
    """Prefers hosts without servers of the group."""

    option, policy, sign = 'soft_anti_affinity', 'soft-anti-affinity', -1.0
