"""The hypervisor's version."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class HypervisorVersionWeigher(BaseHostWeigher):
    """Prefers newer hypervisors, so that servers move on while hosts are upgraded."""

    option = 'hypervisor_version'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.hypervisor_version
