"""A server with a volume whose host is down, and the return of that host."""

from nova.common import uuids
from nova.objects import move as kinds
from nova.objects import owed
from nova.ops.evacuate import flow
from nova.steps import moves


def evacuate(world):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    server = world.server(uuid)
    world.up.discard(server.host)
    world.begin(uuid, flow.Evacuate, moves.started(
        server, kinds.EVACUATION, flow.Move, migration=uuids.generate(), ignored=[server.host]))
    return uuid


def _returned(world):
    """The host is back, and has done what it owed."""
    uuid = evacuate(world)
    world.settle()
    cell = world.cell_of(uuid)
    with world.raw[cell].read() as conn:
        migration, = [each for each in kinds_of(conn) if each.instance_uuid == uuid]
        calls = owed.owed_by(conn, migration.source_compute)
    world.up.add(migration.source_compute)
    for call in calls:
        world.host_step(cell, call)
        world.raw[cell].write(lambda conn, call=call: owed.paid(conn, call.task, call.attempt))
    world.settle()
    world.count_from_here()
    world.begin(uuid, flow.CompleteEvacuation, flow.Evacuated(migration=migration.uuid))
    return uuid


def kinds_of(conn):
    return flow.Migration.evacuated(conn)


CASES = {'evacuate': evacuate, 'complete_evacuation': _returned}
STATES = {'complete_evacuation': lambda: flow.Evacuated(migration=uuids.generate())}
