"""What the API database keeps of a server: where it is, and whether quotas count it.

Its steps are those of super-conductors, who alone may look there.
"""

import sqlalchemy as sa

from nova import objects
from nova.domain import quota as counting
from nova.objects import quota
from nova.task.handles import SuperConductor


def forget(h: SuperConductor, state: objects.State) -> None:
    """Take a server that is being deleted for good off the count of its project, and out of its group."""
    uuid = h.instance.uuid

    def write(conn: sa.Connection) -> None:
        objects.InstanceMapping.queue_for_delete(conn, uuid)
        objects.InstanceGroup.remove_member(conn, uuid)
    h.api_db.write(write)


def remember(h: SuperConductor, state: objects.State) -> None:
    """Undo of `forget`: count the server, and put it back into the group that was asked for."""
    uuid = h.instance.uuid

    def write(conn: sa.Connection) -> None:
        objects.InstanceMapping.queue_for_delete(conn, uuid, queued=False)
        spec = objects.RequestSpec.find(conn, instance_uuid=uuid)
        group = spec.scheduler_hints.get('group', [None])[0] if spec is not None else None
        found = objects.InstanceGroup.find(conn, uuid=group) if group else None
        if found is not None:
            found.add_members(conn, [uuid])
    h.api_db.write(write)


def uncount(h: SuperConductor, state: objects.State) -> None:
    """Take a server that is being deleted, or waits to be reclaimed, off the count of its project."""
    h.api_db.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, h.instance.uuid))


def count(h: SuperConductor, state: objects.State) -> None:
    """Count a server that is back, or could not be deleted."""
    h.api_db.write(lambda conn: objects.InstanceMapping.queue_for_delete(
        conn, h.instance.uuid, queued=False))


def count_flavor(h: SuperConductor, state: objects.State) -> None:
    """Count a server by the one flavor that it has, once it is between two no more."""
    h.api_db.write(lambda conn: quota.count_exactly(conn, h.instance.uuid, counting.demand(h.instance)))


def erase(conn: sa.Connection, uuid: str) -> None:
    """Delete every row of a server that no cell has; repeatable."""
    objects.RequestSpec.part(instance_uuid=uuid).destroy(conn)
    objects.InstanceGroup.remove_member(conn, uuid)
    found = objects.InstanceMapping.find(conn, instance_uuid=uuid)
    if found is not None:
        found.destroy(conn)
