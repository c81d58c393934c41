"""What a host's aggregates ask of an image."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class AggregateImagePropertiesIsolation(BaseHostFilter):
    """Where image and aggregate speak of one property, the image's value must be among the aggregate's."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        section = self.conf.filter_scheduler
        start = section.aggregate_image_properties_isolation_namespace
        if start:
            start += section.aggregate_image_properties_isolation_separator
        for key in {key for one in host_state.aggregates for key in one.metadata}:
            if start and not key.startswith(start):
                continue
            value = spec_obj.image.get(key)
            if value is not None and str(value) not in host_state.values_of(key):
                return False
        return True
