"""A guest that stopped by itself. A record that only has to follow is one already that does."""

from nova.ops import power_sync
from nova.states import Power


def _stop(world):
    uuid = world.running()
    world.drivers[world.server(uuid).host].set_power(uuid, Power.SHUTDOWN)
    world.begin(uuid, power_sync.SyncStop)
    return uuid


CASES = {'sync_stop': _stop}
