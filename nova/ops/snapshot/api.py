"""createImage and createBackup: what a user may say, and what he hears: the id of the image."""

import logging
from collections.abc import Mapping

from nova import errors, objects
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.domain import snapshots
from nova.objects import task as rows
from nova.ops.snapshot import flow as flows
from nova.policies import create_backup
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Reply
from nova.states import VM
from nova.steps import images
from nova.task.action import Action
from nova.task.guard import From
from nova.task.handles import Request

LOG = logging.getLogger(__name__)

BODY_SINCE, QUOTA_UNTIL = '2.45', '2.39'
"""The answer has the image's id in its body; image metadata are not under our quota any more."""

_START = From(VM.ACTIVE, VM.STOPPED, VM.PAUSED, VM.SUSPENDED, lock=False)
_ANSWER = {'type': 'object', 'properties': {'image_id': types.UUID}}


class _MakesImage:
    """Both of them: the task first, then the image, so that who hears of it may ask for it at once."""

    def reply(self, req: Request, instance: objects.Instance, body: JsonObject, state: images.ImageState,
              task: rows.Task) -> Reply:
        """
        Raises:
            Forbidden, Invalid: the image service does not let the user have it; the task ends by the same.
        """
        try:
            req.clients.image.create(state.values, req.context)
        except errors.Unavailable as error:
            LOG.warning('Image %s is not registered now; its task will do that: %s', state.image_id, error)
        if req.at(BODY_SINCE):
            return Reply(body={'image_id': state.image_id})
        return Reply(headers={'Location': req.links.bookmark('images', state.image_id)})


def _values(req: Request, server: objects.Instance, body: JsonObject, kind: str,
            own: Mapping[str, str]) -> JsonObject:
    """What the image will say, in values of the image service.

    Raises:
        LimitExceeded: more metadata than the project's images may have.
        errors.Invalid: metadata that no image can have.
    """
    metadata = body.get('metadata') or {}
    if not req.at(QUOTA_UNTIL) and 0 <= req.limit('metadata_items') < len(metadata):
        raise errors.server.LimitExceeded(resource='metadata_items')
    return snapshots.values(uuids.generate(), server, body['name'], kind, {**metadata, **own},
                            req.conf.non_inheritable_image_properties)


class CreateImage(_MakesImage, Action):
    key = 'createImage'
    rule = rules.CREATE_IMAGE
    rules = (rules.CREATE_IMAGE_ALLOW_VOLUME_BACKED,)
    body = Body(name=Field(types.NAME, 'Of the image.', required=True),
                metadata=Field(types.METADATA, 'Its properties, beside those of the image of the server.'))
    start, returns = _START, _ANSWER
    flow = flows.Snapshot

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> images.ImageState:
        of_volumes = instance.is_volume_backed
        if of_volumes:
            req.authorize(rules.CREATE_IMAGE_ALLOW_VOLUME_BACKED,
                          {'project_id': instance.project_id, 'user_id': instance.user_id})
        values = _values(req, instance, body, snapshots.SNAPSHOT, {})
        return images.ImageState(image_id=values['id'], values=values, of_volumes=of_volumes,
                                 trust=req.clients.trust.entrust(req.context))


class CreateBackup(_MakesImage, Action):
    key = 'createBackup'
    rule = create_backup.CREATE_BACKUP
    body = Body(name=Field(types.NAME, 'Of the image.', required=True),
                backup_type=Field(types.TEXT, 'Any word, as "daily"; each has a rotation of its own.',
                                  required=True),
                rotation=Field(types.NON_NEGATIVE, 'How many of this type are kept.', required=True),
                metadata=Field(types.METADATA, 'Properties of the image.'))
    start, returns = _START, _ANSWER
    flow = flows.Backup

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> flows.BackupState:
        if instance.is_volume_backed:
            raise errors.Invalid(f'Server {instance.uuid} boots from a volume: that can be backed up by the '
                                 'volume service, or snapshotted by createImage.')
        values = _values(req, instance, body, snapshots.BACKUP, {'backup_type': body['backup_type']})
        return flows.BackupState(
            image_id=values['id'], values=values, backup_type=body['backup_type'],
            rotation=int(body['rotation']), trust=req.clients.trust.entrust(req.context))

    def reply(self, req: Request, instance: objects.Instance, body: JsonObject, state: images.ImageState,
              task: rows.Task) -> Reply:
        """Where none is kept, older versions do not tell of the one that will not be."""
        told = super().reply(req, instance, body, state, task)
        return told if int(body['rotation']) or req.at(BODY_SINCE) else Reply()
