"""The flavors that servers had: what resizes, and resizes taken back, say about them.

Tasks are kept for a while; these are kept as long as their server (`nova.objects.task.prune`).
"""

import dataclasses
import datetime
from collections.abc import Collection

import sqlalchemy as sa

from nova.db.cell import models
from nova.objects import base
from nova.objects.flavor import Flavor
from nova.objects.move import Move
from nova.objects.task import DONE, FLAVOR_CHANGES, RESIZE

TASKS = models.cell_metadata.tables['tasks']


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """
    Attributes:
        when: the operation ended.
        before: the flavor that the server had until then.
    """

    when: datetime.datetime
    before: Flavor


def of_servers(conn: sa.Connection, servers: Collection[str]) -> dict[str, list[Change]]:
    """How the flavors of these servers have changed, in order; servers whose flavor has not are left out."""
    found: dict[str, list[Change]] = {}
    if not servers:
        return found
    query = sa.select(TASKS.c.instance_uuid, TASKS.c.flow, TASKS.c.finished_at, TASKS.c.state).where(
        TASKS.c.instance_uuid.in_(list(servers)), TASKS.c.flow.in_(FLAVOR_CHANGES), TASKS.c.status == DONE)
    for row in conn.execute(query.order_by(TASKS.c.finished_at)):
        move = base.Record.from_wire(row.state)
        assert isinstance(move, Move), 'resizes are moves'
        before = move.old_flavor if row.flow == RESIZE else move.new_flavor
        found.setdefault(row.instance_uuid, []).append(Change(row.finished_at, before))
    return found
