"""Taking a server's turn in the midst of an operation that shares it with others."""

import sqlalchemy as sa

from nova import objects
from nova.objects import instance as instances
from nova.objects import task as rows
from nova.task.flow import Flow
from nova.task.handles import Conductor

_SLOT = Flow.slot()


def hold_server(h: Conductor, state: objects.State) -> None:
    """Wait until nobody else is at work on the server, and let nobody begin.

    The record in hand may be from before that: what others have made of it since is read.
    """
    def hold(conn: sa.Connection) -> None:
        rows.take_slot(conn, h.task, _SLOT or '')
        instances.renew(conn, h.instance)
    h.db.write(hold)
