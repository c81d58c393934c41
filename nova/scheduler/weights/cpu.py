"""Free vCPUs."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class CPUWeigher(BaseHostWeigher):
    """Spreads servers by free vCPUs; stacks them where the multiplier is negative."""

    option = 'cpu'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.free_vcpus
