"""What the attaching of a volume remembers."""

from nova.objects import base, fields


class AttachState(base.State):
    """
    Attributes:
        device: uuid of the server's block device.
        volume_id: its volume, also once the device is gone.
        trust: what `Trust.trusted` needs to reserve the volume; None once it is reserved.
        guest: a host has a guest that is to get it.
        kept: the guest did not let it go again, so the server has it.
    """

    passing = ('trust',)

    device: fields.Uuid
    volume_id: fields.Uuid
    trust: fields.Secret | None = None
    guest: bool = False
    kept: bool = fields.since('1.1', False)
