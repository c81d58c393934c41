"""Servers that have been shelved for so long that they are to leave their hosts."""

import datetime

from nova import errors, objects, states
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
    before = tasks.db.now() - datetime.timedelta(seconds=seconds)
    with tasks.db.read() as conn:
        shelved = objects.Instance.all(conn, vm_state=str(states.VM.SHELVED), task_state=None, limit=MOST)
    due = [instance for instance in shelved if (when := shelving.since(instance)) is not None and when < before]
    return tasks.begin_each(flow.ShelveOffload, ((instance, objects.State()) for instance in due),
                            _still_shelved)


def _still_shelved(found: objects.Instance) -> None:
    """Nobody has unshelved it or begins to."""
    if found.vm_state != states.VM.SHELVED or found.task_state is not None:
        raise errors.server.ServerInState(
            action='shelveOffload', server=found.uuid, attribute='vm_state', state=found.vm_state)
