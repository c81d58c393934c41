"""Hosts whose compute service works."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class ComputeFilter(BaseHostFilter):
    """Passes hosts whose service is up and not disabled."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return host_state.up and not host_state.disabled
