"""Online data migrations: rows that an imported or older database may have in an incomplete form.

Each takes the database and the most rows to touch, and returns how many it found (up to that) and how many it
brought up to date; it may run beside the service and be repeated.
"""

from collections.abc import Callable

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.db import models

_RP = models.resource_providers
_ALLOC = models.allocations
_CONSUMERS = models.consumers


def missing_roots() -> sa.Select:
    """Ids of providers that do not know the root of their tree."""
    return (sa.select(_RP.c.id, _RP.c.parent_provider_id)
            .where(_RP.c.root_provider_id.is_(None)).order_by(_RP.c.id))


def orphaned_consumers() -> sa.Select:
    """Uuids of consumers that have allocations but no record."""
    return (sa.select(_ALLOC.c.consumer_id).distinct()
            .where(~sa.exists().where(_CONSUMERS.c.uuid == _ALLOC.c.consumer_id))
            .order_by(_ALLOC.c.consumer_id))


def set_root_provider_ids(db: dbkit.Database, most: int) -> tuple[int, int]:
    """Tell providers their root: their parent's root, or themselves."""
    def write(connection: sa.Connection) -> tuple[int, int]:
        rows = connection.execute(missing_roots().limit(most)).all()
        for row in rows:
            root, parent = row.id, row.parent_provider_id
            while parent is not None:
                root = parent
                parent = connection.scalar(sa.select(_RP.c.parent_provider_id).where(_RP.c.id == parent))
            connection.execute(sa.update(_RP).where(_RP.c.id == row.id).values(
                root_provider_id=root, version=_RP.c.version + 1))
        return len(rows), len(rows)
    return db.write(write)


def create_incomplete_consumers(db: dbkit.Database, most: int, owner: tuple[str, str]) -> tuple[int, int]:
    """Create the consumers that allocations lack.

    Args:
        owner: project and user that stand in.
    """
    def write(connection: sa.Connection) -> tuple[int, int]:
        uuids = list(connection.scalars(orphaned_consumers().limit(most)))
        if not uuids:
            return 0, 0
        ids = []
        for table, name in zip((models.projects, models.users), owner, strict=True):
            dbkit.insert_missing(connection, table, [{'external_id': name}])
            ids.append(connection.scalar(sa.select(table.c.id).where(table.c.external_id == name)))
        done = dbkit.insert_missing(connection, _CONSUMERS, [
            {'uuid': uuid, 'project_id': ids[0], 'user_id': ids[1], 'generation': 0} for uuid in uuids])
        return len(uuids), done
    return db.write(write)


Migration = Callable[[dbkit.Database, int], tuple[int, int]]


def migrations(owner: tuple[str, str]) -> dict[str, Migration]:
    """All of them, by name.

    Args:
        owner: project and user that stand in.
    """
    return {
        'create_incomplete_consumers': lambda db, most: create_incomplete_consumers(db, most, owner),
        'set_root_provider_ids': set_root_provider_ids,
    }
