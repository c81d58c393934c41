"""Both kinds of reboot; the hard one, which may begin anywhere, on a paused server."""

from nova.ops import reboot
from nova.tests.simulation import cases


def _hard(world):
    uuid = world.running()
    cases.put(world, uuid, 'paused')
    world.begin(uuid, reboot.Reboot, reboot.RebootState(kind=reboot.HARD))
    return uuid


CASES = {'reboot': _hard}
STATES = {'reboot': lambda: reboot.RebootState(kind=reboot.HARD)}
