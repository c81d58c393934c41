"""Work in progress."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class IoOpsWeigher(BaseHostWeigher):
    """Prefers hosts with little being built, moved or snapshot (its multiplier is negative)."""

    option = 'io_ops'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return host_state.num_io_ops
