"""A server with a volume that is rescued; one that is off, whose rescue fails, is off again."""

from nova.clients.trust import Trust
from nova.ops import rescue
from nova.tests.simulation import cases


def _state():
    return rescue.RescueState(image_id='rescue', password=Trust(['secret']).hide('s3cret'))


def _rescue(world):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    cases.put(world, uuid, 'stopped')
    world.begin(uuid, rescue.Rescue, _state())
    return uuid


def _unrescue(world):
    uuid = world.running()
    world.begin(uuid, rescue.Rescue, _state())
    world.settle()
    world.count_from_here()
    world.begin(uuid, rescue.Unrescue)
    return uuid


CASES = {'rescue': _rescue, 'unrescue': _unrescue}
STATES = {'rescue': _state}
