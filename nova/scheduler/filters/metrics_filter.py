"""What hosts measure of themselves."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.metrics import settings


class MetricsFilter(BaseHostFilter):
    """Passes hosts that measure everything to which ``[metrics] weight_setting`` gives a weight."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        measured = {str(one['name']) for one in host_state.metrics}
        return set(settings(self.conf)) <= measured
