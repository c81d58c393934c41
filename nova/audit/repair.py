"""Mending what has one right answer.

What is left over of a server that a cell knows is removed by an operation of that cell, `nova.ops.remove_late`:
it holds the server while it looks, and takes nothing for left over that another operation has just made. It
gives back as well what a move that has ended holds for its server.

What such a move holds for nobody is given up here. A host that has a guest of a deleted server is to join anew,
and hears then what it has to remove.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from nova import context, objects
from nova.audit.compare import Difference
from nova.audit.facts import Deployment, Facts
from nova.objects import owed
from nova.ops import remove_late
from nova.task import journal


def repair(deployment: Deployment, seen: Facts, found: Iterable[Difference]) -> list[Difference]:
    """Begin to mend; returns what is being mended."""
    mended, begun = [], set()
    for one in found:
        if not one.repairable or (one.cell is not None and not seen.heard(one.cell)):
            continue
        if one.server in seen.moves:
            deployment.clients.placement.drop(one.server)
        elif one.kind == 'guest' and one.cell is not None:
            _have_join(seen, one.cell, one.server)
        elif one.cell is not None and one.server not in begun:
            begun.add(one.server)
            user = context.RequestContext(project_id=seen.servers[one.server].project_id)
            journal.begin(seen.databases[one.cell], remove_late.RemoveLate, objects.State(), user,
                          instance_uuid=one.server)
        mended.append(one)
    return mended


def _have_join(seen: Facts, cell: str, server: str) -> None:
    hosts = [host for uuid, host in seen.guests if uuid == server]

    def write(conn: sa.Connection) -> None:
        for host in hosts:
            owed.give_up(conn, host)
    seen.databases[cell].write(write)
