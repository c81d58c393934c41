"""Taking a server's turn in the midst of an operation that shares it with others."""

from nova import objects
from nova.objects import task as rows
from nova.task.flow import Flow
from nova.task.handles import Conductor

_SLOT = Flow.slot()


def hold_server(h: Conductor, state: objects.State) -> None:
    """Wait until nobody else is at work on the server, and let nobody begin."""
    h.db.write(lambda conn: rows.take_slot(conn, h.task, _SLOT or ''))
