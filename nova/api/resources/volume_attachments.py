"""The volumes of a server. Attaching, detaching and replacing them are rooms of `nova.ops`."""


from nova import errors, objects
from nova.api.request import Request
from nova.policies import volumes_attachments as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Many, One, Page, Resource, get
from nova.schema.volume_attachment import VolumeAttachment

_PATH = '/servers/{server_id}/os-volume_attachments'
_DEVICES = ('block_devices',)
_BY_ATTACHMENT = '2.89'


class ListQuery(Document):
    limit = Field(types.LIMIT, query='2.1')
    offset = Field(types.NON_NEGATIVE, 'How many are left out at the beginning.', query='2.1')


def _volumes(req: Request, instance: objects.Instance) -> list[objects.BlockDeviceMapping]:
    """Its devices that are volumes; where their attachments are shown, those that have one."""
    whole = req.at(_BY_ATTACHMENT)
    return [device for device in instance.block_devices
            if device.volume_id and (device.attachment_id or not whole)]


class VolumeAttachments(Resource):

    @get(_PATH, rule=rules.INDEX, query=ListQuery, strict='2.75', loads=_DEVICES,
         returns=Many('volumeAttachments', VolumeAttachment, 'list'))
    def index(self, req: Request, instance: objects.Instance) -> Page:
        """List the volumes of a server."""
        limit, _ = req.paging()
        start = int(req.query.get('offset', 0))
        return Page(_volumes(req, instance)[start:start + limit])

    @get(_PATH + '/{volume_id}', rule=rules.SHOW, loads=_DEVICES,
         returns=One('volumeAttachment', VolumeAttachment))
    def show(self, req: Request, instance: objects.Instance, volume_id: str) -> objects.BlockDeviceMapping:
        """Show a volume of a server."""
        for device in _volumes(req, instance):
            if device.volume_id == volume_id:
                return device
        raise errors.block.VolumeNotAttached(volume=volume_id, server=instance.uuid)
