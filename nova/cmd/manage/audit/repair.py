"""Mending what has one right answer.

What is left over of a server that a cell knows is removed by an operation of that cell, `nova.ops.remove_late`:
it holds the server while it looks, and takes nothing for left over that another operation has just made. What
a move that has ended still holds is given up here.
"""

from collections.abc import Iterable

from nova import context, objects
from nova.cmd.manage.audit.compare import Difference
from nova.cmd.manage.audit.facts import Facts
from nova.cmd.manage.command import Env
from nova.ops import remove_late
from nova.task import journal


def repair(env: Env, seen: Facts, found: Iterable[Difference]) -> list[Difference]:
    """Begin to mend; returns what is being mended."""
    mended, begun = [], set()
    for one in found:
        if not one.repairable or (one.cell is not None and not seen.heard(one.cell)):
            continue
        if one.server in seen.moves:
            env.clients.placement.drop(one.server)
        elif one.cell is not None and one.server not in begun:
            begun.add(one.server)
            user = context.RequestContext(project_id=seen.servers[one.server].project_id)
            journal.begin(seen.databases[one.cell], remove_late.RemoveLate, objects.State(), user,
                          instance_uuid=one.server)
        mended.append(one)
    return mended
