"""What a deletion carries with it."""

from nova.objects import base, fields


class DeleteState(base.State):
    """`guest` says that a host that answers may still have the guest."""

    fields = {'guest': fields.BooleanField(default=False)}
