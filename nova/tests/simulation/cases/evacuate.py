"""A server with a volume whose host is down, and the return of that host."""

from nova.common import uuids
from nova.objects import move as kinds
from nova.ops.evacuate import flow
from nova.ops.evacuate.wire import Evacuation
from nova.steps import moves


def evacuate(world):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    server = world.server(uuid)
    world.lose(server.host)
    world.begin(uuid, flow.Evacuate, moves.started(
        server, kinds.EVACUATION, Evacuation, migration=uuids.generate(), ignored=[server.host]))
    return uuid


def _returned(world):
    uuid = evacuate(world)
    source = world.server(uuid).host
    world.settle()
    world.count_from_here()
    world.regain(source)
    return uuid


CASES = {'evacuate': evacuate, 'complete_evacuation': _returned}
STATES = {'complete_evacuation': lambda: flow.Evacuated(migration=uuids.generate())}


def _to_evacuate(world, server):
    """Only from a host that is down; that it is noticed to be is for the API to say."""
    if server.host is None or server.host in world.up:
        return None
    return moves.started(server, kinds.EVACUATION, Evacuation, migration=uuids.generate(),
                         ignored=[server.host])


ON = {'evacuate': _to_evacuate}
