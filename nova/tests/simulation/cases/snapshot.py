"""An image of a server with a volume beside its own disk; a backup after which an older one goes."""

from nova.common import uuids
from nova.domain import snapshots
from nova.ops.snapshot import flow
from nova.steps import images
from nova.tests.simulation import users


def image_of(world, uuid, kind=images.ImageState, of_volumes=False, own=(), **more):
    """The state with which an image of a server begins."""
    values = snapshots.values(uuids.generate(), world.server(uuid), 'image', snapshots.SNAPSHOT, dict(own))
    return kind(image_id=values['id'], values=values, of_volumes=of_volumes,
                trust=world.clients.trust.entrust(world.asking), **more)


def _of_volumes(world):
    volumes = [world.clients.volume.add(project_id='project') for _ in range(2)]
    uuid = world.running(volumes=volumes)
    world.clients.volume.slowness = 2
    world.begin(uuid, flow.Snapshot, image_of(world, uuid, of_volumes=True))
    return uuid


def _backup(world):
    uuid = world.running()
    for number in range(2):
        world.clients.image.add(image_type='backup', backup_type='daily', instance_uuid=uuid,
                                created_at=f'2026-01-0{number + 1}T00:00:00Z')
    world.begin(uuid, flow.Backup, image_of(
        world, uuid, flow.BackupState, own={'backup_type': 'daily'}, backup_type='daily', rotation=2))
    return uuid


def _any(kind, **more):
    """The state with which an image of whatever server begins."""
    ident = uuids.generate()
    return kind(image_id=ident, trust=users.entrusted(), **more, values={
        'id': ident, 'name': 'image', 'image_type': 'snapshot', 'disk_format': 'raw',
        'container_format': 'bare'})


CASES = {'snapshot': _of_volumes, 'backup': _backup}
STATES = {'snapshot': lambda: _any(images.ImageState),
          'backup': lambda: _any(flow.BackupState, backup_type='daily', rotation=1)}
