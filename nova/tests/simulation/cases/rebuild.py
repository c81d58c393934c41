"""A server on a volume, which is written anew, and with another one beside it; it is off, and stays so."""

from nova import objects
from nova.common import uuids
from nova.ops.rebuild import flow, wire
from nova.tests.simulation import cases, users


def _state(**more):
    image = objects.ImageMeta(id=uuids.generate(), name='other', status='active',
                              properties=objects.ImageProperties())
    return wire.RebuildState(image_id=image.id, **more, new=objects.Instance.part(
        image_ref=image.id, image_meta=image, display_name='renamed', metadata={'a': 'b'}))


def _of_image(world):
    uuid = world.running(volumes=[world.clients.volume.add(project_id='project') for _ in range(2)])
    root, *others = world.server(uuid).block_devices
    root.boot_index = 0
    cases.put(world, uuid, 'stopped')
    world.change(uuid, block_devices=[root, *others])
    world.begin(uuid, flow.Rebuild, _state(reimages=True, trust=users.entrusted()))
    return uuid


CASES = {'rebuild': _of_image}
STATES = {'rebuild': _state}
