"""What is used, as the rows of the API database say."""

import collections

import sqlalchemy as sa
from os_resource_classes import MEMORY_MB, VCPU

from nova.db.api import models

SERVERS = 'servers'

COUNTED = ('instances', 'cores', 'ram')
"""What servers use up."""

def usage(conn: sa.Connection, project_id: str, user_id: str | None = None) -> dict[str, int]:
    """Servers, vCPUs and megabytes that count against a project, or against one of its users."""
    table = models.instance_mappings
    query = sa.select(sa.func.count(), sa.func.sum(table.c.vcpus), sa.func.sum(table.c.memory_mb)).where(
        table.c.project_id == project_id, table.c.queued_for_delete.is_(False))
    if user_id is not None:
        query = query.where(table.c.user_id == user_id)
    row = conn.execute(query).one()
    return {name: int(value or 0) for name, value in zip(COUNTED, row, strict=True)}


def resources(conn: sa.Connection, project_id: str) -> collections.Counter[str]:
    """What the servers of a project ask of Placement, by resource class, and how many ``servers`` they are.

    A server of before this was written down counts for its vCPUs and its memory.
    """
    table = models.instance_mappings
    columns = (table.c.vcpus, table.c.memory_mb, table.c.resources)
    used: collections.Counter[str] = collections.Counter()
    for vcpus, memory_mb, written, count in conn.execute(sa.select(*columns, sa.func.count()).where(
            table.c.project_id == project_id, table.c.queued_for_delete.is_(False)).group_by(*columns)):
        each = {VCPU: vcpus, MEMORY_MB: memory_mb} if written is None else written
        used.update({SERVERS: count, **{name: amount * count for name, amount in each.items()}})
    return used


def server_groups(conn: sa.Connection, project_id: str, user_id: str | None = None) -> int:
    """Server groups of a project, or of one of its users."""
    table = models.instance_groups
    query = sa.select(sa.func.count()).where(table.c.project_id == project_id)
    if user_id is not None:
        query = query.where(table.c.user_id == user_id)
    return conn.execute(query).scalar_one()


def key_pairs(conn: sa.Connection, user_id: str) -> int:
    """Key pairs of a user."""
    table = models.key_pairs
    return conn.execute(sa.select(sa.func.count()).where(table.c.user_id == user_id)).scalar_one()
