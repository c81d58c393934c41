"""A host with a server that runs, which is emptied."""

from nova.ops import drain


def start(world):
    uuid = world.running()
    host, cell = world.server(uuid).host, world.cell_of(uuid)
    world.raw[cell].write(lambda conn: drain.begin(conn, drain.DrainState(host=host)))
    return uuid


CASES = {'drain': start}
