"""Cells of memory and CPUs that belong together."""

from nova.domain import numa
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class NUMATopologyFilter(BaseHostFilter):
    """Passes hosts on which each NUMA cell of the guest finds one of the host's with room for it."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        flavor = spec_obj.flavor
        cells = numa.wanted(flavor.vcpus, flavor.memory_mb, flavor.extra_specs, spec_obj.image)
        return numa.fits(host_state.numa_topology, cells)
