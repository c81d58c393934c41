"""Volumes, attachments, block devices and snapshots."""

from nova.errors import base, task


class VolumeNotFound(base.NotFound):
    everywhere = True
    template = 'Volume {volume} could not be found.'


class VolumeInvalid(base.Invalid):
    template = 'Invalid volume: {reason}'


class VolumeForbidden(base.Forbidden):
    template = 'Not allowed to use volume {volume}.'


class VolumeNotAttached(base.NotFound):
    template = 'Volume {volume} is not attached to instance {server}.'


class VolumeLeaves(task.Busy):
    """The volume service has the volume back, and the server's device of it goes in a moment."""

    passes = True
    template = 'Volume {volume} is still being detached from instance {server}; try again.'


class VolumeBusy(base.Conflict):
    template = 'Volume {volume} cannot be used now: {reason}'


class VolumeLimitExceeded(base.Forbidden):
    template = 'Volume resource quota exceeded: {reason}'


class VolumeTooSmall(base.Invalid):
    """Sizes are bytes."""

    template = ('Volume is smaller than the minimum size specified in image metadata. Volume size is {size} '
                'bytes, minimum size is {least} bytes.')


class VolumeTypeNotFound(base.Invalid):
    template = 'Volume type {volume_type} could not be found.'


class VolumeNotCreated(base.Internal):
    template = 'Volume {volume} did not become available; its status is {status}.'


class AttachmentNotFound(base.NotFound):
    everywhere = True
    template = 'Volume attachment {attachment} could not be found.'


class SnapshotNotFound(base.NotFound):
    template = 'Snapshot {snapshot} could not be found.'


class SnapshotBusy(base.Conflict):
    template = 'Snapshot {snapshot} cannot be used now: {reason}'


class SnapshotNotMade(base.Internal):
    """The volume service has given up, or has had all the time there is."""

    template = 'Snapshot {snapshot} of a volume was not made; its status is {status}.'


class MultiattachUnsupported(base.Invalid):
    template = 'Volume {volume} has multiattach set, which is not supported for this operation.'


class MultiattachSwap(base.Invalid):
    template = 'Volume {volume} is attached to several servers that write to it, and cannot be replaced.'


class VolumeNotMigrating(base.Conflict):
    template = ('Volume {volume} is not being migrated: only the block storage service replaces attached '
                'volumes. Use its migration or retype.')


class TaggedAttachUnsupported(base.Invalid):
    template = 'Attaching tagged volumes is not supported for this server instance.'


class TooManyDevices(base.Forbidden):
    template = ('The maximum allowed number of disk devices ({most}) to attach to a single instance has been '
                'exceeded.')


class BlockDeviceInvalid(base.Invalid):
    template = 'Block Device Mapping is Invalid: {reason}'


class BlockDeviceNotFound(base.NotFound):
    template = 'Block device {device} could not be found.'


class DeviceNameTaken(base.Conflict):
    template = 'The supplied device path ({device}) is in use.'


class KeyUnavailable(base.Internal):
    template = 'The key manager does not give the key {key} of an encrypted volume: {reason}'


class EncryptionUnsupported(base.Internal):
    template = 'Volume {volume} is encrypted by {provider}, which this host cannot open; it opens luks.'


class VolumeServiceFailed(base.Unavailable):
    template = 'The volume service cannot be used at this time.'


class VolumeServiceAway(VolumeServiceFailed):
    """It does not answer now, or asks for patience."""

    again = True
