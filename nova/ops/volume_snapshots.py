"""os-assisted-volume-snapshots: block storage has the host of a guest snapshot a volume that is a file.

Only the guest's host may write to such a file while the guest runs. Block storage waits until its snapshot says
how that went: ``creating`` at 90 % and ``deleting`` mean that our part is done.

Who wants the snapshot may be ourselves: an image of a server is made of snapshots of its volumes, and holds
the server until block storage has them. Its host is asked beside that; nothing else can come between.
"""

from nova import errors, objects, states
from nova.common import jsonutil
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.policies import assisted_volume_snapshots as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Reply, Resource, delete, post
from nova.steps import attachments
from nova.task.flow import QUEUED, SHARING, Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request

_IDLE = From(launched=False, lock=False, host=True)
_IMAGE = From(task=(None, states.Task.IMAGE_SNAPSHOT), launched=False, lock=False, host=True)
_LONGEST = 3600.0


class SnapshotState(base.State):
    """
    Attributes:
        device: uuid of the server's block device.
        snapshot_id: block storage's.
        info: what block storage said about it.
    """

    device: fields.Uuid
    snapshot_id: str
    info: fields.Json


def snapshot_on_host(h: Host, state: SnapshotState) -> None:
    h.driver.snapshot_volume(h, attachments.device(h, state.device), state.info)


def say_snapshot_failed(h: Conductor, state: SnapshotState) -> None:
    h.clients.volume.tell_snapshot(state.snapshot_id, 'error')


def say_snapshot_made(h: Conductor, state: SnapshotState) -> None:
    h.clients.volume.tell_snapshot(state.snapshot_id, 'creating', '90%')


def begin_snapshot(h: Conductor, state: SnapshotState) -> None:
    """Nothing yet: what fails from here on is told to block storage."""


class SnapshotVolume(Flow[SnapshotState]):
    """A file that was begun on the host stays: block storage clears what it has been told has failed."""

    name = 'snapshot_volume'
    exclusion = QUEUED
    steps = (
        Step(begin_snapshot, undo=say_snapshot_failed),
        Step(snapshot_on_host, at='host', timeout=_LONGEST),
        Step(say_snapshot_made),
    )


class SnapshotVolumeForImage(SnapshotVolume):
    """While an image is made of the server."""

    name = 'snapshot_volume_for_image'
    exclusion = SHARING


def merge_on_host(h: Host, state: SnapshotState) -> None:
    h.driver.delete_volume_snapshot(h, attachments.device(h, state.device), state.info)


def say_merge_failed(h: Conductor, state: SnapshotState) -> None:
    h.clients.volume.tell_snapshot(state.snapshot_id, 'error_deleting')


def say_merged(h: Conductor, state: SnapshotState) -> None:
    h.clients.volume.tell_snapshot(state.snapshot_id, 'deleting', '90%')


def begin_merge(h: Conductor, state: SnapshotState) -> None:
    """As `begin_snapshot`."""


class DeleteVolumeSnapshot(Flow[SnapshotState]):
    name = 'delete_volume_snapshot'
    exclusion = QUEUED
    steps = (
        Step(begin_merge, undo=say_merge_failed),
        Step(merge_on_host, at='host', timeout=_LONGEST),
        Step(say_merged),
    )


class DeleteVolumeSnapshotOfImage(DeleteVolumeSnapshot):
    """While the making of an image is taken back."""

    name = 'delete_volume_snapshot_of_image'
    exclusion = SHARING


class CreateInfo(Document):
    snapshot_id = Field(types.text(1), "Block storage's snapshot.", required=True, body='2.1')
    type = Field(types.enum('qcow2'), 'Of the new file.', required=True, body='2.1')
    new_file = Field(types.text(1), 'Its name.', required=True, body='2.1')
    id = Field(types.text(1), 'Answered as it is.', body='2.1')


class AssistedSnapshot(Document):
    volume_id = Field(types.text(1), 'The volume.', required=True, body='2.1')
    create_info = Field(CreateInfo, 'What to make.', required=True, body='2.1')


class DeleteQuery(Document):
    delete_info = Field(types.TEXT, 'JSON: volume_id and what to merge.', query='2.1')


class AssistedVolumeSnapshots(Resource):

    @post('/os-assisted-volume-snapshots', rule=rules.CREATE, returns=types.OBJECT,
          body=Body(AssistedSnapshot, under='snapshot'))
    def create(self, req: Request) -> Reply:
        """Have the host that uses a volume begin a snapshot of it."""
        asked = req.body['snapshot']
        info = asked['create_info']
        _submit(req, SnapshotVolume, SnapshotVolumeForImage, asked['volume_id'], info['snapshot_id'], info)
        return Reply(body={'snapshot': {'id': info.get('id'), 'volumeId': asked['volume_id']}})

    @delete('/os-assisted-volume-snapshots/{snapshot_id}', rule=rules.DELETE, ok=204, query=DeleteQuery,
            strict='2.75')
    def delete(self, req: Request, snapshot_id: str) -> None:
        """Have the host that uses a volume merge a snapshot of it."""
        info = _delete_info(req.query.get('delete_info'))
        _submit(req, DeleteVolumeSnapshot, DeleteVolumeSnapshotOfImage, info['volume_id'], snapshot_id, info)


def _delete_info(given: str | None) -> JsonObject:
    try:
        info = jsonutil.loads(given or '')
    except ValueError as error:
        raise errors.Invalid('delete_info must be given, and be JSON.') from error
    if not isinstance(info, dict) or not isinstance(info.get('volume_id'), str):
        raise errors.Invalid('delete_info must be an object with a volume_id.')
    return info


def _submit(req: Request, alone: type[Flow[SnapshotState]], beside: type[Flow[SnapshotState]], volume_id: str,
            snapshot_id: str, info: JsonObject) -> None:
    """Begin the operation on the one server that has the volume.

    Args:
        alone, beside: its flow on a server that nobody works on, and on one of which an image is made.

    Raises:
        errors.Invalid: no server has it, or several have, or its server is busy or on no host.
    """
    found = [device for _, devices in req.cells.ask(
        lambda conn: objects.BlockDeviceMapping.all(conn, volume_id=volume_id)) for device in devices or ()]
    if not found:
        raise errors.Invalid(f'Volume {volume_id} is attached to no server.')
    if len(found) > 1:
        raise errors.block.MultiattachUnsupported(volume=volume_id)
    try:
        instance = req.server(found[0].instance_uuid)
        imaged = instance.task_state == states.Task.IMAGE_SNAPSHOT
        kind, allowed = (beside, _IMAGE) if imaged else (alone, _IDLE)
        allowed.check(instance, kind.name)
        state = SnapshotState(device=found[0].uuid or '', snapshot_id=snapshot_id, info=info)
        req.submit(kind, instance, state, guard=allowed.guard(kind.name))
    except errors.Conflict as error:
        raise errors.Invalid(error.message) from error
