"""What an operation asked of others, and what came when it had ended, is removed: for nobody to see.

An operation whose step was tried again, taken over, or did not go right is followed by this one a minute later
(`nova.task.runner.LATE`), and later again (`begin_later`), because who was away for long may have one more
effect when he returns. It holds the server while it looks, so that nothing is taken for late that another
operation has just made.
"""

import sqlalchemy as sa

from nova import context, objects
from nova.objects import task as rows
from nova.steps import attachments, late, moves, turn
from nova.task import journal, later
from nova.task.flow import SHARING, Flow, Step
from nova.task.handles import Conductor


def remove_late(h: Conductor, state: objects.State) -> None:
    """Compare what the neighbours have of the server with its record as it is now."""
    uuid = h.task.instance_uuid or ''
    with h.db.read() as conn:
        instance = objects.Instance.find(
            conn, ('network_info', 'block_devices', 'migration_context'), uuid=uuid, deleted=None)
        former = objects.Migration.unfinished(conn, uuid)
    if instance is not None and not instance.deleted:
        moves.return_source(h.clients, instance, former)
    project = instance.project_id if instance is not None else h.task.project_id
    never = late.never_attached(h.clients, instance)
    for device in never:
        attachments.forget_row(h, device.uuid or '')
    if instance is not None and never:
        instance.block_devices = [device for device in instance.block_devices if device not in never]
    late.sweep(h.clients, uuid, project, instance)


class RemoveLate(Flow[objects.State]):
    name = 'remove_late'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (
        Step(turn.hold_server, timeout=24 * 3600.0),
        Step(remove_late, timeout=3600.0),
    )


def begin_later(tasks: journal.Journal) -> int:
    """Compare again: begin to look at servers about which a task of some time ago left a doubt; how many."""
    return later.begin(tasks, _begin_some)


def _begin_some(conn: sa.Connection) -> int:
    found = {task.instance_uuid: task for task in rows.doubtful(
        conn, later.AGES, later.EVERY, RemoveLate.name, later.MOST)}
    for uuid, task in found.items():
        journal.insert(conn, RemoveLate, objects.State(), context.RequestContext.from_dict(task.context),
                       instance_uuid=uuid, parent=task.uuid)
    return len(found)
