"""Deleting a server with a volume, softly too, and restoring it."""

from nova.ops.delete import flow


def _with_volume(world):
    return world.running(volumes=[world.clients.volume.add(project_id='project')])


def _delete(kind):
    def start(world):
        uuid = _with_volume(world)
        world.delete(uuid, kind)
        return uuid
    return start


def _restore(world):
    uuid = _with_volume(world)
    world.delete(uuid, flow.SoftDelete)
    world.settle()
    world.count_from_here()
    world.restore(uuid)
    return uuid


CASES = {'delete': _delete(flow.Delete), 'soft_delete': _delete(flow.SoftDelete), 'restore': _restore}
