"""A limit on servers of a host."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


def least(words: set[str], default: int) -> int:
    """The smallest number among words; the default where there is none."""
    return min((int(word) for word in words if word.isdigit()), default=default)


class NumInstancesFilter(BaseHostFilter):
    """Passes hosts with fewer servers than ``max_instances_per_host``; an aggregate may set its own limit."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        limit = least(host_state.values_of('max_instances_per_host'),
                      self.conf.filter_scheduler.max_instances_per_host)
        return host_state.num_instances < limit


class AggregateNumInstancesFilter(NumInstancesFilter):
    """The same under its other name."""
