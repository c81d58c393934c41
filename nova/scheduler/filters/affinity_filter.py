"""Near to, or away from, other servers."""

import ipaddress
from collections.abc import Sequence

from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


class DifferentHostFilter(BaseHostFilter):
    """Passes hosts without any of the servers that the hint ``different_host`` names."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return host_state.host not in {spec_obj.where.get(uuid) for uuid in spec_obj.hint('different_host')}


class SameHostFilter(BaseHostFilter):
    """Passes hosts with one of the servers that the hint ``same_host`` names."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        named = spec_obj.hint('same_host')
        return not named or host_state.host in {spec_obj.where.get(uuid) for uuid in named}


class SimpleCIDRAffinityFilter(BaseHostFilter):
    """Passes hosts in the network around ``build_near_host_ip``, as wide as ``cidr`` (default /24)."""

    run_filter_once_per_request = True

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        near = spec_obj.first_hint('build_near_host_ip')
        if not near:
            return True
        try:
            width = (spec_obj.first_hint('cidr') or '/24').lstrip('/')
            network = ipaddress.ip_network(f'{near}/{width}', strict=False)
            return host_state.host_ip is not None and ipaddress.ip_address(host_state.host_ip) in network
        except ValueError:
            return False


class _GroupFilter(BaseHostFilter):
    policy: str

    def filter_all(self, hosts: Sequence[HostState], wanted: Wanted) -> list[HostState]:
        if wanted.group is None or wanted.group.policy != self.policy:
            return list(hosts)
        return super().filter_all(hosts, wanted)


class ServerGroupAffinityFilter(_GroupFilter):
    """Passes the host that the group is on; any host for its first server."""

    policy = 'affinity'

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        if spec_obj.group is None or spec_obj.group.policy != self.policy or not spec_obj.group.hosts:
            return True
        return host_state.host in spec_obj.group.hosts


class ServerGroupAntiAffinityFilter(_GroupFilter):
    """Passes hosts with fewer servers of the group than its rule allows."""

    policy = 'anti-affinity'

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        group = spec_obj.group
        return (group is None or group.policy != self.policy
                or group.on_host[host_state.host] < group.max_per_host)
