"""What the API database keeps of a server: where it is, and whether quotas count it.

Its steps are those of super-conductors, who alone may look there.
"""

from typing import Any

from nova import objects
from nova.objects import quota


def forget(h: Any, state: Any) -> None:
    """A deleted server is counted no more, and is in no group."""
    uuid = h.task.instance_uuid

    def write(conn: Any) -> None:
        objects.InstanceMapping.queue_for_delete(conn, uuid)
        objects.InstanceGroup.remove_member(conn, uuid)
    h.api_db.write(write)


def uncount(h: Any, state: Any) -> None:
    """A server that is being deleted, or waits to be reclaimed, is not counted."""
    h.api_db.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, h.task.instance_uuid))


def count(h: Any, state: Any) -> None:
    """A server that is back, or could not be deleted, is counted."""
    h.api_db.write(lambda conn: objects.InstanceMapping.queue_for_delete(
        conn, h.task.instance_uuid, queued=False))


def count_flavor(h: Any, state: Any) -> None:
    """A server that is between two flavors no more counts for the one that it has."""
    h.api_db.write(lambda conn: quota.settle(
        conn, h.task.instance_uuid, h.instance.vcpus, h.instance.memory_mb))


def erase(conn: Any, uuid: str) -> None:
    """Leave no row of a server that no cell has; repeatable."""
    objects.RequestSpec.part(instance_uuid=uuid).destroy(conn)
    objects.InstanceGroup.remove_member(conn, uuid)
    found = objects.InstanceMapping.find(conn, instance_uuid=uuid)
    if found is not None:
        found.destroy(conn)
