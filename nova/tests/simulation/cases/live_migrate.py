"""A server with a volume that moves while it runs."""

from nova.common import uuids
from nova.objects import LiveMove
from nova.objects import move as kinds
from nova.ops.live_migrate import flow
from nova.steps import moves


def live_migrate(world, **values):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    server = world.server(uuid)
    world.begin(uuid, flow.LiveMigrate, moves.started(server, kinds.LIVE, LiveMove, **{
        'migration': uuids.generate(), 'ignored': [server.host], **values}))
    return uuid


CASES = {'live_migrate': live_migrate}


def _to_migrate(world, server):
    if server.host is None:
        return None
    return moves.started(server, kinds.LIVE, LiveMove, migration=uuids.generate(), ignored=[server.host])


ON = {'live_migrate': _to_migrate}
