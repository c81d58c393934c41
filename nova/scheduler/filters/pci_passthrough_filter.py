"""Devices of the host for the guest alone."""

import dataclasses
import json

from oslo_config import cfg

from nova.common.jsonutil import JsonObject
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted

_SPEC = 'pci_passthrough:alias'


def aliases(conf: cfg.ConfigOpts) -> dict[str, JsonObject]:
    """What ``[pci] alias`` calls which devices.

    Raises:
        ValueError: one that is no object with a name.
    """
    found: dict[str, JsonObject] = {}
    for text in conf.pci.alias:
        one = json.loads(text)
        if not isinstance(one, dict) or not one.get('name'):
            raise ValueError(f'[pci] alias: {text!r} is no object with a name')
        found[one['name']] = {key: one[key] for key in ('vendor_id', 'product_id') if key in one}
    return found


@dataclasses.dataclass
class _Pool:
    """Devices of one kind, and how many of them are left."""

    devices: JsonObject
    left: int


class PciPassthroughFilter(BaseHostFilter):
    """Passes hosts with as many free devices as ``pci_passthrough:alias`` of the flavor asks for.

    Hosts that keep their devices in Placement are judged there; this is for those that report pools of them.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__(conf)
        self._aliases = aliases(conf)

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        asked = spec_obj.flavor.extra_specs.get(_SPEC)
        if not asked:
            return True
        pools = [_Pool(pool, int(pool['count'])) for pool in host_state.pci_stats or ()]
        for word in asked.split(','):
            name, _, count = word.strip().partition(':')
            known = name in self._aliases and (count or '1').isdigit()
            if not known or not _take(pools, self._aliases[name], int(count or 1)):
                return False
        return True


def _take(pools: list[_Pool], what: JsonObject, count: int) -> bool:
    """Take so many devices from the pools that have such; whether there were enough."""
    for pool in pools:
        if all(pool.devices.get(key) == value for key, value in what.items()):
            taken = min(pool.left, count)
            pool.left, count = pool.left - taken, count - taken
    return count == 0
