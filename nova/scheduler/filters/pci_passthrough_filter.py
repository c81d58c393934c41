"""Devices of the host for the guest alone."""

import dataclasses

from oslo_config import cfg

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.domain import pci
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


@dataclasses.dataclass
class _Pool:
    """Devices of one kind, and how many of them are left."""

    devices: JsonObject
    left: int


class PciPassthroughFilter(BaseHostFilter):
    """Passes hosts with as many free devices as ``pci_passthrough:alias`` of the flavor and the ports ask for.

    Hosts that keep their devices in Placement are judged there; this is for those that report pools of them.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        super().__init__(conf)
        self._aliases = pci.aliases(conf.pci.alias)

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        asked = spec_obj.flavor.extra_specs.get(pci.SPEC)
        if not asked and not spec_obj.ports:
            return True
        pools = [_Pool(pool, int(pool['count'])) for pool in host_state.pci_stats or ()]
        try:
            return all(_take(pools, kind) for kind in (
                *pci.wanted(asked or '', self._aliases), *spec_obj.ports))
        except errors.Invalid:
            return False


def _take(pools: list[_Pool], kind: pci.Kind) -> bool:
    """Take a device from a pool that has such; whether there was one."""
    for pool in pools:
        of = pool.devices
        if pool.left and kind.fits(of['vendor_id'], of['product_id'], of.get('resource_class'),
                                   of.get('traits', ()), of.get('device_type')):
            pool.left -= 1
            return True
    return False
