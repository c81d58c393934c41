"""What a flavor asks of a host's facts."""

from collections.abc import Mapping, Sequence

from nova.domain.extra_specs_ops import match
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted

_SCOPE = 'capabilities'


def _fact(host: HostState, path: list[str]) -> object:
    """A fact by its path: an attribute of the host state or one of its stats, then keys; None where none."""
    value: object = getattr(host, path[0], None)
    if value is None:
        value = host.stats.get(path[0])
    for word in path[1:]:
        value = value.get(word) if isinstance(value, Mapping) else None
    return value


class ComputeCapabilitiesFilter(BaseHostFilter):
    """Passes hosts whose facts are as ``capabilities:PATH`` and keys without a scope ask."""

    run_filter_once_per_request = True

    def filter_all(self, hosts: Sequence[HostState], wanted: Wanted) -> list[HostState]:
        asked = self._asked(wanted)
        if not asked:
            return list(hosts)
        return [host for host in hosts if self._has(host, asked)]

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        return self._has(host_state, self._asked(spec_obj))

    @staticmethod
    def _asked(wanted: Wanted) -> list[tuple[list[str], str]]:
        asked = []
        for key, value in wanted.flavor.extra_specs.items():
            scope, colon, rest = key.partition(':')
            if colon and scope == _SCOPE:
                asked.append((rest.split(':'), value))
            elif not colon and key not in ('group_policy', 'hide_hypervisor_id'):
                asked.append(([key], value))
        return asked

    @staticmethod
    def _has(host: HostState, asked: list[tuple[list[str], str]]) -> bool:
        for path, value in asked:
            fact = _fact(host, path)
            if fact is None or not match(fact, value):
                return False
        return True
