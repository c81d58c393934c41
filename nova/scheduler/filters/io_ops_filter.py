"""A limit on builds, moves and snapshots at once."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.filters.num_instances_filter import least
from nova.scheduler.host_state import HostState, Wanted


class IoOpsFilter(BaseHostFilter):
    """Passes hosts with fewer such operations than ``max_io_ops_per_host``; an aggregate may set its own."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        limit = least(host_state.values_of('max_io_ops_per_host'),
                      self.conf.filter_scheduler.max_io_ops_per_host)
        return limit < 0 or host_state.num_io_ops < limit


class AggregateIoOpsFilter(IoOpsFilter):
    """The same under its other name."""
