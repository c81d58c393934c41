"""Hosts for certain flavors."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class AggregateTypeAffinityFilter(BaseHostFilter):
    """Passes hosts whose aggregates name the flavor under ``instance_type``, or name none."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        named = host_state.values_of('instance_type')
        return not named or spec_obj.flavor.name in named
