"""What hosts measure of themselves."""

from oslo_config import cfg

from nova import errors
from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.metrics import settings
from nova.scheduler.weights import BaseHostWeigher


class MetricsWeigher(BaseHostWeigher):
    """Sums what hosts measure, each with its weight."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__(conf)
        self._settings = settings(conf)

    def weight_multiplier(self, host_state: HostState) -> float:
        return host_state.multiplier('metrics', self.conf.metrics.weight_multiplier)

    def applies(self, wanted: Wanted) -> bool:
        return bool(self._settings)

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        measured = {str(one['name']): float(one['value']) for one in host_state.metrics}
        lacks = [name for name in self._settings if name not in measured]
        if lacks and not self.conf.metrics.required:
            return float(self.conf.metrics.weight_of_unavailable)
        if lacks:
            raise errors.Internal(f'Host {host_state.host} does not measure {", ".join(lacks)}: enable '
                                  'MetricsFilter, or set [metrics] required = false.')
        return sum(measured[name] * ratio for name, ratio in self._settings.items())
