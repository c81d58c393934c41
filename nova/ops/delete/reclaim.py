"""The end of soft deletes: servers whose time to be restored has passed are deleted for good."""

import datetime

from nova import errors, objects, states
from nova.objects import task as rows
from nova.ops.delete import flow, wire
from nova.task import journal


def begin_due(tasks: journal.Journal, seconds: float) -> list[rows.Task]:
    """Begin to delete what was softly deleted more than `seconds` ago in one cell; the tasks want to be woken.

    Restoring at the same moment is safe: whoever takes the server first wins.
    """
    before = tasks.db.now() - datetime.timedelta(seconds=seconds)
    assert objects.Instance.table is not None
    with tasks.db.read() as conn:
        due = objects.Instance.all(conn, objects.Instance.table.c.deleted_at < before,
                                   vm_state=str(states.VM.SOFT_DELETED), task_state=None, limit=100)
    return tasks.begin_each(flow.Delete, ((instance, wire.DeleteState()) for instance in due), _still_deleted)


def _still_deleted(found: objects.Instance) -> None:
    """Nobody has restored it or begins to."""
    if found.vm_state != states.VM.SOFT_DELETED or found.task_state is not None:
        raise errors.server.ServerInState(
            action='delete', server=found.uuid, attribute='vm_state', state=found.vm_state)
