"""Servers that have been shelved for so long that they are to leave their hosts."""

import datetime

import sqlalchemy as sa

from nova import context, errors, objects, states
from nova.common import clock
from nova.objects import task as rows
from nova.ops.shelve import flow
from nova.steps import shelving
from nova.task import journal

MOST = 100
"""Servers that are begun with at a time."""


def begin_due(tasks: journal.Journal, seconds: float) -> list[rows.Task]:
    """Begin to take off their hosts what was shelved more than `seconds` ago in one cell.

    Unshelving at the same moment is safe: whoever takes the server first wins.
    """
    before = clock.utcnow() - datetime.timedelta(seconds=seconds)
    with tasks.db.read() as conn:
        shelved = objects.Instance.all(conn, vm_state=str(states.VM.SHELVED), task_state=None, limit=MOST)
    begun = []
    for instance in shelved:
        when = shelving.since(instance)
        if when is None or when >= before:
            continue

        def still_shelved(conn: sa.Connection, uuid: str = instance.uuid) -> objects.Instance:
            fresh = objects.Instance.get(conn, (), uuid=uuid)
            if fresh.vm_state != states.VM.SHELVED or fresh.task_state is not None:
                raise errors.server.ServerInState(
                    action='shelveOffload', server=uuid, attribute='vm_state', state=fresh.vm_state)
            return fresh
        try:
            begun.append(tasks.begin(flow.ShelveOffload, objects.State(), context.admin(),
                                     instance_uuid=instance.uuid, guard=still_shelved))
        except errors.Conflict:
            continue
    return begun
