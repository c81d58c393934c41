"""Block devices and volumes."""


from nova.common import units
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.schema.server import faces


class AttachedVolume(Document):
    """One item of ``os-extended-volumes:volumes_attached``; the subject is a `BlockDeviceMapping`."""

    id = Field(types.TEXT, attribute='volume_id', **faces.EXTENDED)
    delete_on_termination = Field(types.BOOLEAN, get=lambda b, look: bool(b.delete_on_termination),
                                  **faces.extended('2.3'))


class BlockDevice(Document):
    """One item of ``block_device_mapping``."""

    virtual_name = Field(types.text(high=255), create='2.1')
    volume_id = Field(types.UUID, create='2.1')
    snapshot_id = Field(types.UUID, create='2.1')
    volume_size = Field(types.integer(1, units.MAX_INT), 'GiB.', create='2.1')
    device_name = Field(types.text(1, 255, 'dev-path'), create='2.1')
    delete_on_termination = Field(types.BOOLISH, 'Whether the volume goes with the server.', create='2.1')
    no_device = Field(types.ANY, create='2.1')
    connection_info = Field(types.text(high=16777215), create='2.1')


class BlockDeviceV2(BlockDevice):
    """One item of ``block_device_mapping_v2``."""

    source_type = Field(types.enum('volume', 'image', 'snapshot', 'blank'), 'What it is made from.',
                        create='2.1')
    uuid = Field(types.text(1, 255, 'id-chars'), 'UUID of the source.', create='2.1')
    image_id = Field(types.UUID, create='2.1')
    destination_type = Field(types.enum('local', 'volume'), 'What it becomes.', create='2.1')
    guest_format = Field(types.text(high=255), create='2.1')
    device_type = Field(types.text(high=255), create='2.1')
    disk_bus = Field(types.text(high=255), create='2.1')
    boot_index = Field(types.nullable(types.integer()), 'Order of booting; none or negative never boots.',
                       create='2.1')
    tag = Field(types.TAG, 'Label by which the guest knows the device.',
                create=[Span('2.32', '2.32'), Span('2.42')])
    volume_type = Field(types.nullable(types.text(0, 255)), 'Type of a volume to be made.', create='2.67')


class Block(Document):
    volumes_attached = Field(types.array(AttachedVolume), 'Its volumes.', attribute='attached_volumes',
                             key='os-extended-volumes:volumes_attached', needs=('volumes',),
                             **faces.EXTENDED)
    block_device_mapping = Field(types.array(BlockDevice), 'Volumes to attach, the older way.', create='2.1')
    block_device_mapping_v2 = Field(types.array(BlockDeviceV2), 'Disks and volumes to make and attach.',
                                    create='2.1')
