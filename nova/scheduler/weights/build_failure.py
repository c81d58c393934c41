"""Builds that failed lately."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher


class BuildFailureWeigher(BaseHostWeigher):
    """Avoids hosts on which builds failed, more with each failure."""

    option = 'build_failure'

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        return -host_state.failed_builds
