"""Taking up room without ever going over.

Nothing is reserved and nothing can drift: usage is what the instance mappings say. Counting and adding are one
transaction that has locked the project's row first, so of requests that race, exactly those that fit win.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.db.api import models
from nova.objects.demand import Demand
from nova.objects.instance_mapping import InstanceMapping
from nova.objects.quota.drivers import Quota


class Room:
    """What a project has left, exactly: it stays locked, and nobody else counts, until the transaction ends."""

    def __init__(self, conn: sa.Connection, quota: Quota) -> None:
        lock(conn, quota.project_id)
        self._quota, self._scopes = quota, quota.scopes(conn)

    def fitting(self, each: Demand, most: int) -> int:
        """How many more servers there is room for, at most `most`."""
        amounts = self._quota.amounts(each)
        scopes = [(limits, scope) for scope in self._scopes if (limits := scope.limits(amounts))]
        return min((fitting(limits, scope.used, amounts, most) for limits, scope in scopes), default=most)

    def check(self, each: Demand, count: int = 1) -> None:
        """Whether there is room for `count` more servers.

        Raises:
            OverQuota: there is not, and of what.
        """
        self._check(self._quota.amounts(each, count))

    def check_change(self, old: Demand, new: Demand) -> None:
        """Whether a server may count for `new` instead of `old`.

        Raises:
            OverQuota: it may not, and because of what.
        """
        before = self._quota.amounts(old)
        self._check({name: amount - before.get(name, 0) for name, amount in self._quota.amounts(new).items()})

    def _check(self, deltas: Mapping[str, int]) -> None:
        more = {name: amount for name, amount in deltas.items() if amount > 0}
        over = {name: (more[name], scope.used.get(name, 0), limit)
                for scope in self._scopes for name, limit in scope.limits(more).items()
                if limit < scope.used.get(name, 0) + more[name]}
        if over:
            raise self._quota.refusal(over)


def fitting(limits: Mapping[str, int], used: Mapping[str, int], each: Mapping[str, int], most: int) -> int:
    """How many more servers fit, at most `most`.

    Args:
        limits, used: by resource; a negative limit is none.
        each: what one server adds.
    """
    room = [(limits[name] - used.get(name, 0)) // amount for name, amount in each.items()
            if amount > 0 and limits.get(name, -1) >= 0]
    return max(0, min([most, *room]))


def lock(conn: sa.Connection, owner: str) -> None:
    """Keep others from counting what this project, or this user, has until the transaction ends; take it before
    reading anything."""
    table = models.quota_locks
    query = sa.select(table.c.project_id).where(table.c.project_id == owner).with_for_update()
    if conn.execute(query).first() is None:
        dbkit.insert_missing(conn, table, [{'project_id': owner}])
        conn.execute(query).first()


def check_count(resource: str, limit: int, count: int) -> None:
    """Refuse more things of a kind than the limit allows, such as key pairs of a user or members of a group.

    Raises:
        LimitExceeded: `count` is over `limit`.
    """
    if 0 <= limit < count:
        raise errors.server.LimitExceeded(resource=resource.replace('_', ' '))


def resize(conn: sa.Connection, quota: Quota, instance_uuid: str, wanted: Demand) -> None:
    """Count a server that is resized by the larger amounts of its old and new flavors, if quotas allow that.

    Raises:
        OverQuota: a quota would be exceeded; nothing is counted anew.
        InstanceMappingNotFound: no such server.
    """
    room = Room(conn, quota)
    counted = InstanceMapping.get(conn, instance_uuid=instance_uuid).demand
    room.check_change(counted, wanted)
    count_exactly(conn, instance_uuid, counted.or_more(wanted))


def count_exactly(conn: sa.Connection, instance_uuid: str, demand: Demand) -> None:
    """Have a server count for exactly this, after a resize has ended one way or the other."""
    table = models.instance_mappings
    conn.execute(table.update().where(table.c.instance_uuid == instance_uuid).values(
        vcpus=demand.vcpus, memory_mb=demand.memory_mb, resources=dict(demand.resources)))


def recount(conn: sa.Connection, quota: Quota, instance_uuid: str) -> None:
    """Count a deleted server again because it is to be restored, if there is room for it.

    Raises:
        OverQuota: a quota would be exceeded; nothing is counted anew.
        InstanceMappingNotFound: no such server.
    """
    room = Room(conn, quota)
    mapping = InstanceMapping.get(conn, instance_uuid=instance_uuid)
    if not mapping.queued_for_delete:
        return
    room.check(mapping.demand)
    InstanceMapping.queue_for_delete(conn, instance_uuid, False)
