"""What an evacuation carries with it."""

from nova.objects import Move, fields


class Evacuation(Move):
    """A server whose host has failed; `password` is the new guest's, hidden by `Trust.hide`."""

    passing = ('password',)

    password: fields.Secret | None = None
