"""What a server holds in Placement."""

from nova import objects
from nova.task.handles import Conductor


def drop_allocation(h: Conductor, state: objects.State) -> None:
    """Delete the allocation of the server in Placement; repeatable."""
    h.clients.placement.drop(h.instance.uuid)
