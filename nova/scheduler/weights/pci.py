"""Free PCI devices."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class PCIWeigher(BaseHostWeigher):
    """Servers without PCI devices avoid hosts that have free ones; others prefer hosts with few of them."""

    option = 'pci'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        in_placement = sum(amount for name, amount in host_state.free.items()
                           if name.startswith(('PCI', 'CUSTOM_PCI')))
        return -(in_placement + sum(int(pool['count']) for pool in host_state.pci_stats or ()))
