"""Building: two servers of one request with volumes to be made, and one with a volume, a new one and a file."""

from nova.common import uuids
from nova.ops.build import late, wire


def _with_volumes(world):
    world.clients.volume.slowness = 2
    volume = world.clients.volume.add(project_id='project')
    uuid, = world.order(volumes=[volume], new=['image'], files=[('/etc/motd', b'hello')])
    return uuid


def _looked_at_for_claims(world):
    uuid = world.running()
    world.begin(uuid, late.RemoveLateClaims,
                late.LateState(servers=[wire.Planned(uuid=uuid, build=uuids.generate())]))
    return uuid


CASES = {'schedule': lambda world: world.order(count=2, new=['blank'])[0], 'build': _with_volumes,
         'remove_late_claims': _looked_at_for_claims}
