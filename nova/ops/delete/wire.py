"""What a deletion carries with it."""

from nova.objects import base, fields


class DeleteState(base.State):
    """
    Attributes:
        guest: a host that answers may still have the guest.
        source: the host where a resize that waits to be confirmed has kept something aside.
        move: that resize.
    """

    fields = {
        'guest': fields.BooleanField(default=False),
        'source': base.since('1.1', fields.maybe(fields.StringField)),
        'move': base.since('1.1', fields.ObjectField('Move', nullable=True, default=None)),
    }
