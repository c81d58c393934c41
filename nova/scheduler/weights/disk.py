"""Free disk."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class DiskWeigher(BaseHostWeigher):
    """Spreads servers by free disk; stacks them where the multiplier is negative."""

    option = 'disk'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.free_disk_mb
