"""What a server holds in Placement."""

from nova import objects
from nova.task.handles import Conductor


def drop_allocation(h: Conductor, state: objects.State) -> None:
    """The server holds nothing any more; repeatable."""
    h.clients.placement.drop(h.instance.uuid)
