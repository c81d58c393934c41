"""A server with a volume that is shelved and leaves its host; one that only leaves; and the way back."""

from nova.common import uuids
from nova.domain import snapshots
from nova.ops.shelve import flow, wire
from nova.tests.simulation import users


def _state(world, uuid):
    values = snapshots.values(uuids.generate(), world.server(uuid), 'shelved', snapshots.SNAPSHOT, {})
    return wire.ShelveState(image_id=values['id'], values=values, trust=users.entrusted())


def _shelved(world, seconds):
    """A server that is shelved, and has left its host where `seconds` is 0."""
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    world.conf.set_override('shelved_offload_time', seconds)
    world.begin(uuid, flow.Shelve, _state(world, uuid))
    world.settle()
    world.conf.clear_override('shelved_offload_time')
    world.count_from_here()
    return uuid


def _shelve(world):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project')])
    world.begin(uuid, flow.Shelve, _state(world, uuid))
    return uuid


def _offload(world):
    uuid = _shelved(world, -1)
    world.begin(uuid, flow.ShelveOffload)
    return uuid


def _unshelve(world):
    uuid = _shelved(world, 0)
    world.begin(uuid, flow.Unshelve, wire.UnshelveState(
        offloaded=True, image_id=world.server(uuid).system_metadata['shelved_image_id']))
    return uuid


def _any_shelve():
    ident = uuids.generate()
    return wire.ShelveState(image_id=ident, trust=users.entrusted(), values={
        'id': ident, 'name': 'shelved', 'disk_format': 'raw', 'container_format': 'bare'})


CASES = {'shelve': _shelve, 'shelve_offload': _offload, 'unshelve': _unshelve}
STATES = {'shelve': _any_shelve}
