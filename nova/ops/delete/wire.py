"""What a deletion carries with it."""

from nova.objects import base, fields
from nova.objects.move import Move


class DeleteState(base.State):
    """
    Attributes:
        guest: a host that answers may still have the guest.
        source: the host where a resize that waits to be confirmed has kept something aside.
        move: that resize.
    """

    guest: bool = False
    source: str | None = fields.since('1.1', None)
    move: Move | None = fields.since('1.1', None)
