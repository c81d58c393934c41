"""Images and hosts that are for one another."""

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class IsolatedHostsFilter(BaseHostFilter):
    """Isolated images run on isolated hosts only; whether those take other images is configured."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        section = self.conf.filter_scheduler
        if not section.isolated_images and not section.isolated_hosts:
            return True
        image = spec_obj.image_id in section.isolated_images
        host = host_state.host in section.isolated_hosts
        return host if image else not (host and section.restrict_isolated_hosts_to_isolated_images)
