"""Building: two servers of one request, and one with a volume."""


def _with_volume(world):
    volume = world.clients.volume.add(project_id='project')
    uuid, = world.order(volumes=[volume])
    return uuid


CASES = {'schedule': lambda world: world.order(count=2)[0], 'build': _with_volume}
