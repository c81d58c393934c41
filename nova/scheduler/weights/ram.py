"""Free memory."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class RAMWeigher(BaseHostWeigher):
    """Spreads servers by free memory; stacks them where the multiplier is negative."""

    option = 'ram'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.free_ram_mb
