"""What a flavor asks of a host's aggregates."""

from nova.domain.extra_specs_ops import match
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted

_SCOPE = 'aggregate_instance_extra_specs'


class AggregateInstanceExtraSpecsFilter(BaseHostFilter):
    """Passes hosts whose aggregates have what ``aggregate_instance_extra_specs:KEY`` and bare keys ask."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        for key, asked in spec_obj.flavor.extra_specs.items():
            scope, colon, name = key.partition(':')
            if colon and scope != _SCOPE:
                continue
            values = host_state.values_of(name if colon else key)
            if not any(match(value, asked) for value in values):
                return False
        return True
