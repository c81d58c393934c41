"""What an operation asked of others, and what came when it had ended, is removed: for nobody to see.

An operation whose step was tried again, taken over, or did not go right is followed by this one a minute later
(`nova.task.runner.LATE`). It holds the server while it looks, so that nothing is taken for late that another
operation has just made.
"""

from typing import Any

from nova import objects
from nova.steps import late, turn
from nova.task.flow import SHARING, Flow, Step


def remove_late(h: Any, state: objects.State) -> None:
    """Compare what the neighbours have of the server with its record as it is now."""
    with h.db.read() as conn:
        instance = objects.Instance.find(
            conn, ('network_info', 'block_devices', 'migration_context'), uuid=h.task.instance_uuid,
            deleted=None)
    project = instance.project_id if instance is not None else h.task.project_id
    late.sweep(h.clients, h.task.instance_uuid, project, instance)


class RemoveLate(Flow[objects.State]):
    name = 'remove_late'
    exclusion = SHARING
    deadline = 24 * 3600.0
    steps = (
        Step(turn.hold_server, timeout=24 * 3600.0),
        Step(remove_late, timeout=3600.0),
    )
