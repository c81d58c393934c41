"""Volumes of a server, as os-volume_attachments shows and takes them."""


from nova.rest import types
from nova.rest.field import Document, Faces, Field, Span

DEVICE = types.nullable(types.text(1, 255, 'device'))
_ASKED: Faces = {'create': '2.1', 'update': '2.1'}
_SHOWN: Faces = {'created': Span('2.1', '2.100'), 'list': '2.1', 'show': '2.1'}


def _shown(first: str, until: str | None = None) -> Faces:
    return {'created': Span(first, '2.100'), 'list': Span(first, until), 'show': Span(first, until)}


class VolumeAttachment(Document):
    """Faces: ``create`` and ``update`` (bodies), ``created``, ``list`` and ``show``, of a `BlockDeviceMapping`.

    What ``update`` takes beside the volume's id has to be as it is, but for ``delete_on_termination``.
    """

    id = Field(types.UUID, "The volume's id, once more.", attribute='volume_id',
               update='2.85', created=Span('2.1', '2.100'), list=Span('2.1', '2.88'), show=Span('2.1', '2.88'))
    volume_id = Field(types.UUID, 'The volume.', key='volumeId', required=True, **_ASKED, **_SHOWN)
    server_id = Field(types.UUID, 'The server.', key='serverId', attribute='instance_uuid',
                      update='2.85', **_SHOWN)
    device = Field(DEVICE, 'Its name, such as /dev/vdb; a hint, which the guest need not follow.',
                   attribute='device_name', create='2.1', update='2.85', **_SHOWN)
    tag = Field(types.TAG, 'Label by which the guest knows the device.', create='2.49', update='2.85',
                created=Span('2.70', '2.100', type=types.nullable(types.TAG)),
                list=Span('2.70', type=types.nullable(types.TAG)),
                show=Span('2.70', type=types.nullable(types.TAG)))
    delete_on_termination = Field(types.BOOLISH, 'Whether the volume goes with the server.',
                                  get=lambda device, look: bool(device.delete_on_termination),
                                  create='2.79', update='2.85', **_shown('2.79'))
    attachment_id = Field(types.UUID, "The volume service's attachment.", list='2.89', show='2.89')
    bdm_uuid = Field(types.UUID, 'The block device.', attribute='uuid', list='2.89',
                     show='2.89')


class Attached(Document):
    """The answer to an attachment; from 2.101 on there is none."""

    attachment = Field(VolumeAttachment, key='volumeAttachment', get=lambda device, look: device,
                       created=Span('2.1', '2.100'))
