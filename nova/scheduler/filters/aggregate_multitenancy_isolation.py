"""Aggregates that are for some projects."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class AggregateMultiTenancyIsolation(BaseHostFilter):
    """A host in an aggregate with ``filter_tenant_id`` (or keys that start so) takes only those projects."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        projects = {word.strip() for one in host_state.aggregates for key, value in one.metadata.items()
                    if key.startswith('filter_tenant_id') for word in value.split(',')}
        return not projects or spec_obj.project_id in projects
