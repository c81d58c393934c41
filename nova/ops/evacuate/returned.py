"""Hosts that return after their servers were evacuated."""


from nova import context
from nova.objects import Migration, owed
from nova.objects import task as rows
from nova.ops.evacuate import flow
from nova.task import journal


def begin_due(tasks: journal.Journal, host: str | None = None) -> list[rows.Task]:
    """Complete the evacuations from a host, or from any, that owes nothing more; the tasks want to be woken.

    An evacuation is *done* only once what its source owes has been written down. So who finds nothing owed
    knows that it was paid; and completing twice is as good as once.
    """
    with tasks.db.read() as conn:
        due = [each for each in Migration.evacuated(conn, host)
               if not owed.owes(conn, each.source_compute or '', each.instance_uuid)]
    return [tasks.begin(flow.CompleteEvacuation, flow.Evacuated(migration=each.uuid), context.admin(),
                        instance_uuid=each.instance_uuid) for each in due]
