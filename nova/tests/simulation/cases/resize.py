"""Resizes to another host and on the same one, with a volume; and both decisions about them."""

from nova import objects
from nova.common import uuids
from nova.objects import move as kinds
from nova.ops.resize import decide, flow
from nova.steps import moves


def _server(world):
    return world.running(volumes=[world.clients.volume.add(project_id='project')])


def _flavor(world, flavorid, **values):
    """A flavor, made where it is not there yet."""
    def write(conn):
        if objects.Flavor.find(conn, flavorid=flavorid) is None:
            objects.Flavor(flavorid=flavorid, **values).create(conn)
        return objects.Flavor.get(conn, flavorid=flavorid)
    return world.raw['api'].write(write)


def larger(world):
    """A flavor with more of everything."""
    return _flavor(world, '2', name='large', vcpus=2, memory_mb=1024, root_gb=2)


def _other(world, server):
    """The flavor that a server may be resized to, whichever it has."""
    large = larger(world)
    return large if server.flavor.id != large.id else _flavor(
        world, '3', name='slim', vcpus=1, memory_mb=512, root_gb=2)


def begin(world, uuid, kind=flow.Resize, **values):
    """Resize, or migrate, a server."""
    server = world.server(uuid)
    named = kinds.RESIZE if kind is flow.Resize else kinds.MIGRATION
    more = {'new_flavor': larger(world)} if kind is flow.Resize else {}
    world.begin(uuid, kind, moves.started(server, named, objects.Move, **{
        'migration': uuids.generate(), 'runs': server.vm_state == 'active', 'ignored': [server.host], **more,
        **values}))


def resized(world):
    """A server that was resized, with the script's counters at zero."""
    uuid = _server(world)
    begin(world, uuid)
    world.settle()
    world.count_from_here()
    return uuid


def decided(world, uuid, decision, **values):
    """A server is resized, as `begin` has it, and that is decided."""
    begin(world, uuid, **values)
    world.settle()
    world.begin(uuid, decision, decide.move_of(world.server(uuid)))
    world.settle()


def _resize(world):
    uuid = _server(world)
    begin(world, uuid)
    return uuid


def _migrate(world):
    uuid = _server(world)
    begin(world, uuid, flow.Migrate)
    return uuid


def _decision(kind):
    def start(world):
        uuid = resized(world)
        world.begin(uuid, kind, decide.move_of(world.server(uuid)))
        return uuid
    return start


CASES = {'resize': _resize, 'migrate': _migrate, 'confirm_resize': _decision(decide.ConfirmResize),
         'revert_resize': _decision(decide.RevertResize)}


def _to_resize(world, server):
    if server.host is None:
        return None
    return moves.started(server, kinds.RESIZE, objects.Move, migration=uuids.generate(), ignored=[server.host],
                         runs=server.vm_state == 'active', new_flavor=_other(world, server))


def _to_migrate(world, server):
    if server.host is None:
        return None
    return moves.started(server, kinds.MIGRATION, objects.Move, migration=uuids.generate(),
                         ignored=[server.host], runs=server.vm_state == 'active')


def _to_decide(world, server):
    return decide.move_of(server) if server.migration_context is not None else None


ON = {'resize': _to_resize, 'migrate': _to_migrate, 'confirm_resize': _to_decide, 'revert_resize': _to_decide}
