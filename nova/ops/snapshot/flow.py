"""Making an image of a server, from its own disk or from its volumes.

The server goes on meanwhile, whatever it is. Until the image is whole everything can be taken back.
"""

import logging

from nova import errors, states
from nova.common.jsonutil import JsonObject
from nova.domain import snapshots
from nova.steps import images
from nova.task.flow import Flow, Step, Wait
from nova.task.handles import Conductor

LOG = logging.getLogger(__name__)

_PAGE = 100


class Snapshot(Flow[images.ImageState]):
    action = 'createImage'
    deadline = 12 * 3600.0
    steps = (
        Step(images.register_image, undo=images.drop_image, shows=states.Task.IMAGE_SNAPSHOT_PENDING),
        Step(images.snapshot, at='host', when=images.is_local, timeout=images.MAKING_SECONDS,
             limit='max_concurrent_snapshots', shows=states.Task.IMAGE_UPLOADING),
        Step(images.snapshot_volumes, undo=images.drop_snapshots, when=images.is_of_volumes,
             shows=states.Task.IMAGE_SNAPSHOT),
        Wait(images.snapshots_settled, when=images.is_of_volumes, timeout=images.MAKING_SECONDS),
        Step(images.complete_image, when=images.is_of_volumes, shows=states.Task.IMAGE_UPLOADING),
    )


class BackupState(images.ImageState):
    """`rotation` is how many backups of this `backup_type` are kept, the new one included."""

    passing = images.ImageState.passing

    backup_type: str
    rotation: int


def keeps_any(state: BackupState) -> bool:
    """Whether there is to be a new one at all; without it only old ones are removed."""
    return bool(state.rotation)


def rotate(h: Conductor, state: BackupState) -> None:
    """Remove the oldest backups of the server, as far as there are more than its owner wants.

    Only images of the project that asked for this one: anybody may write the name of a server into his own.
    """
    found = _backups(h, state)
    found.sort(reverse=True, key=lambda image: (
        image['id'] == state.image_id, image['created_at'], image['id']))
    for image in found[state.rotation:]:
        try:
            h.clients.image.delete(image['id'])
        except (errors.Forbidden, errors.Conflict) as error:
            LOG.warning('Backup %s of server %s cannot be removed: %s', image['id'], h.task.instance_uuid,
                        error)


def _backups(h: Conductor, state: BackupState) -> list[JsonObject]:
    filters = {'owner': h.context.project_id or '', 'image_type': snapshots.BACKUP,
               'backup_type': state.backup_type, 'instance_uuid': h.task.instance_uuid or '',
               'sort_key': 'created_at', 'sort_dir': 'desc'}
    found: list[JsonObject] = []
    while page := h.clients.image.documents(None, filters, _PAGE, found[-1]['id'] if found else None):
        found += page
    return found


class Backup(Flow[BackupState]):
    """Once the new image is whole, older ones go, and nothing is taken back any more."""

    action = 'createBackup'
    deadline = Snapshot.deadline
    steps = (
        Step(images.register_image, undo=images.drop_image, shows=states.Task.IMAGE_BACKUP),
        Step(images.snapshot, at='host', when=keeps_any, timeout=images.MAKING_SECONDS, pivot=True,
             limit='max_concurrent_snapshots', shows=states.Task.IMAGE_BACKUP),
        Step(rotate, timeout=images.MAKING_SECONDS),
    )
