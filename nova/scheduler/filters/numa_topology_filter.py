"""Cells of memory and CPUs that belong together."""

from nova.domain import numa
from nova.scheduler import wanted
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class NUMATopologyFilter(BaseHostFilter):
    """Passes hosts on which each NUMA cell of the guest finds one of the host's with room for it."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return numa.fits(host_state.numa_topology, wanted.cells(spec_obj))
