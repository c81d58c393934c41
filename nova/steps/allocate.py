"""What a server holds in Placement."""

from typing import Any


def drop_allocation(h: Any, state: Any) -> None:
    """The server holds nothing any more; repeatable."""
    h.clients.placement.drop(h.instance.uuid)
