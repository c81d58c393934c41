"""What keeps a message from coming, or its answer."""

from nova.errors import base


class BusAway(base.Unavailable):
    """No broker, nobody who listens, or no answer in time: it may be otherwise in a moment."""

    again = True
