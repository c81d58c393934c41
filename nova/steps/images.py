"""Images of servers: registered in the user's name, filled by the server's host, or made of its volumes.

Who asked for an image may use it the moment it has its id. So the API registers it before it answers, and the
first step does so once more: an image service gives each id once, whoever asks.
"""

import logging

from nova import errors
from nova.domain import snapshots
from nova.objects import base, fields
from nova.steps import volumes
from nova.task.handles import Conductor, Host

LOG = logging.getLogger(__name__)

MAKING_SECONDS = 6 * 3600.0
"""A disk that is copied and uploaded in less than this is."""


class ImageState(base.State):
    """What is known of an image that is being made of a server.

    Attributes:
        image_id: chosen before anything is asked for.
        values: the image as it is registered, see `snapshots.values`.
        of_volumes: it has no data; its servers get volumes, made of the snapshots of this one's.
        trust: to ask in the user's name.
        snapshots: volume to snapshot.
    """

    passing = ('trust',)

    image_id: fields.Uuid
    values: fields.Json = {}
    of_volumes: bool = False
    trust: fields.Secret | None = None
    snapshots: dict[str, str] = {}


def is_local(state: ImageState) -> bool:
    """Whether the image gets the data of the server's own disk."""
    return not state.of_volumes


def is_of_volumes(state: ImageState) -> bool:
    return bool(state.of_volumes)


def register_image(h: Conductor, state: ImageState) -> None:
    """In the user's name, whose quota and rules it is under."""
    user = h.clients.trust.trusted(h.context, state.trust)
    h.clients.image.create(state.values, user)
    if not state.of_volumes:
        state.trust = None


def drop_image(h: Conductor, state: ImageState) -> None:
    """Undo of `register_image`: delete the image."""
    try:
        h.clients.image.delete(state.image_id)
    except (errors.Forbidden, errors.Conflict) as error:
        LOG.warning('Image %s of server %s is incomplete and cannot be deleted: %s', state.image_id,
                    h.task.instance_uuid, error)


def snapshot(h: Host, state: ImageState) -> None:
    """On the host: upload the root disk. Where an answer was lost the image has its data already."""
    try:
        found = h.clients.image.show(state.image_id)
        if found.status == 'active':
            return
        h.driver.snapshot(h, state.image_id)
    except errors.image.ImageNotFound as error:
        raise errors.image.ImageUnusable(image=state.image_id, reason='it was deleted while it was made'
                                         ) from error


def snapshot_volumes(h: Conductor, state: ImageState) -> None:
    """Ask for a snapshot of every volume, in the user's name; each is asked for once.

    Until they are known, they say in their metadata for which server and task they are (`nova.steps.late`).
    """
    user = h.clients.trust.trusted(h.context, state.trust)
    there = {one['volume_id']: one['id'] for one in _made(h)}
    for device in volumes.volume_devices(h.instance):
        volume = device.volume_id
        there[volume] = there.get(volume) or h.clients.volume.create_snapshot(user, {
            'volume_id': volume, 'name': f'snapshot for {state.values["name"]}', 'description': '',
            'metadata': {volumes.SERVER: h.instance.uuid, volumes.TASK: h.task.uuid}})
    state.snapshots, state.trust = there, None


def _made(h: Conductor) -> list[dict[str, str]]:
    """Snapshots that this task has asked for."""
    return h.clients.volume.find_snapshots({volumes.SERVER: h.instance.uuid, volumes.TASK: h.task.uuid})


def drop_snapshots(h: Conductor, state: ImageState) -> None:
    """Undo of `snapshot_volumes`.

    Cinder deletes none that it is still making. For a moment that is waited for; after it, or when the server
    is being deleted, it is left to `nova.steps.late`, which finds it by its metadata.
    """
    for ident in {*(one['id'] for one in _made(h)), *state.snapshots.values()}:
        try:
            h.clients.volume.delete_snapshot(ident)
        except errors.block.SnapshotBusy as error:
            if not h.task.cancel and h.task.tries < volumes.PATIENCE:
                raise
            LOG.warning('Snapshot %s of server %s is left for later: %s', ident, h.task.instance_uuid, error)


def snapshots_settled(h: Conductor, state: ImageState) -> bool:
    """Whether none of them is being made any more."""
    return all(_status(h, ident) != 'creating' for ident in state.snapshots.values())


def _status(h: Conductor, ident: str) -> str:
    try:
        return str(h.clients.volume.snapshot(None, ident)['status'])
    except errors.block.SnapshotNotFound:
        return 'deleted'


def complete_image(h: Conductor, state: ImageState) -> None:
    """Write the snapshots of volumes into the image, and make it ready to be used.

    Raises:
        SnapshotNotMade: one of the snapshots is not there.
    """
    for ident in state.snapshots.values():
        status = _status(h, ident)
        if status != 'available':
            raise errors.block.SnapshotNotMade(snapshot=ident, status=status)
    try:
        if h.clients.image.show(state.image_id).status != 'active':
            whole = snapshots.of_volumes(
                state.values, h.instance.root_device_name, h.instance.block_devices, state.snapshots)
            h.clients.image.update(state.image_id, {
                key: value for key, value in whole.items() if state.values.get(key) != value})
            h.clients.image.upload(state.image_id, b'')
    except errors.image.ImageNotFound as error:
        raise errors.image.ImageUnusable(image=state.image_id, reason='it was deleted while it was made'
                                         ) from error
    for one in _made(h):
        if one['id'] not in state.snapshots.values():
            h.clients.volume.delete_snapshot(one['id'])
    for ident in state.snapshots.values():
        h.clients.volume.untag_snapshot(ident, volumes.TAGS)
