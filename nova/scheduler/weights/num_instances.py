"""The number of servers."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class NumInstancesWeigher(BaseHostWeigher):
    """Prefers hosts with many servers, or with few where the multiplier is negative."""

    option = 'num_instances'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.num_instances
