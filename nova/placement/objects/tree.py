"""Writing providers and the trees they form.

Who changes the shape of a tree holds and touches the row of its root, so that nobody hangs a child under a
provider that is being moved elsewhere at the same time (touching makes that hold in a database cluster too).
"""

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova.common import clock, dbkit
from nova.placement import errors
from nova.placement.db import models, transaction
from nova.placement.objects import provider
from nova.placement.objects.provider import RP, Locked

TOMBSTONES_KEPT = 10000


def lock_tree(connection: sa.Connection, *uuids: str) -> dict[str, Locked]:
    """Hold the given providers and the roots of their trees; unknown providers are left out.

    Raises:
        transaction.Lost: the tree changed while we waited for its root.
    """
    member, root = RP.alias('member'), RP.alias('root')
    roots = connection.scalars(
        sa.select(root.c.uuid).select_from(member.join(root, member.c.root_provider_id == root.c.id))
        .where(member.c.uuid.in_(uuids)))
    held = provider.lock_all(connection, {*uuids, *roots})
    ids = {locked.id for locked in held.values()}
    asked = {uuid: held[uuid] for uuid in uuids if uuid in held}
    if any(locked.root_id not in ids for locked in asked.values()):
        raise transaction.Lost
    return asked


def _refuse_taken(connection: sa.Connection, name: str, uuid: str) -> None:
    """Raise where another provider has the name, or any has the uuid.

    Raises:
        DuplicateName, DuplicateUuid
    """
    for row in connection.execute(sa.select(RP.c.uuid, RP.c.name).where(
            sa.or_(RP.c.name == name, RP.c.uuid == uuid)).order_by(RP.c.uuid != uuid)):
        if row.uuid == uuid:
            raise errors.DuplicateUuid(uuid=uuid, name=row.name)
        raise errors.DuplicateName(name=name, uuid=row.uuid)


def _new_id(result: sa.CursorResult) -> int:
    key = result.inserted_primary_key
    assert key is not None
    return key[0]


def create(connection: sa.Connection, uuid: str, name: str, parent_uuid: str | None) -> None:
    """Add a provider, below a parent or as the root of a tree of its own.

    Raises:
        BadRequest: the parent does not exist.
        DuplicateName, DuplicateUuid: in use.
        oslo_db.exception.DBDuplicateEntry: another one takes it at this moment; begin again.
        transaction.Lost: the tree changed while we waited for its root.
    """
    parent = None
    if parent_uuid is not None:
        if parent_uuid == uuid:
            raise errors.BadRequest('A resource provider cannot be its own parent.')
        parent = lock_tree(connection, parent_uuid).get(parent_uuid)
        if parent is None:
            raise errors.BadRequest(f'Parent resource provider {parent_uuid} does not exist.')
    _refuse_taken(connection, name, uuid)
    now = clock.utcnow()
    result = connection.execute(sa.insert(RP).values(
        uuid=uuid, name=name, parent_provider_id=parent.id if parent else None,
        root_provider_id=parent.root_id if parent else None, generation=0, version=1, created_at=now))
    if parent is None:
        new_id = _new_id(result)
        connection.execute(sa.update(RP).where(RP.c.id == new_id).values(root_provider_id=new_id,
                                                                         updated_at=now))
    else:
        provider.touch(connection, {parent.root_id})


def rename(connection: sa.Connection, uuid: str, name: str) -> None:
    """Give a provider another name.

    Raises:
        ProviderNotFound, DuplicateName
        oslo_db.exception.DBDuplicateEntry: another one takes the name at this moment; begin again.
    """
    locked = provider.lock(connection, uuid)
    other = connection.execute(sa.select(RP.c.uuid).where(RP.c.name == name, RP.c.id != locked.id)).scalar()
    if other is not None:
        raise errors.DuplicateName(name=name, uuid=other)
    connection.execute(sa.update(RP).where(RP.c.id == locked.id).values(name=name, version=RP.c.version + 1))


def move(connection: sa.Connection, uuid: str, parent_uuid: str | None, may_move: bool) -> None:
    """Hang a provider, with all that is below it, under a parent, or make it a root.

    Args:
        may_move: a provider that has a parent may get another one or none; otherwise only a first parent
            can be set.

    Raises:
        ProviderNotFound: no such provider.
        BadRequest: no such parent, not allowed, or the tree would become a loop.
        transaction.Lost: the tree changed while we waited for its root.
    """
    wanted = (uuid,) if parent_uuid is None else (uuid, parent_uuid)
    held = lock_tree(connection, *wanted)
    if uuid not in held:
        raise errors.ProviderNotFound(uuid=uuid)
    me, parent = held[uuid], held.get(parent_uuid or '')
    if parent_uuid is not None and parent is None:
        raise errors.BadRequest(f'Parent resource provider {parent_uuid} does not exist.')
    parent_id = parent.id if parent else None
    if me.parent_id == parent_id:
        return
    if me.parent_id is not None and not may_move:
        raise errors.BadRequest('The parent of a resource provider cannot be changed or removed before '
                                'microversion 1.37.')
    below = _subtree(connection, me)
    if parent_id in below:
        raise errors.BadRequest(f'Resource provider {parent_uuid} is {uuid} itself or below it: '
                                f'the tree would become a loop.')
    connection.execute(sa.update(RP).where(RP.c.id == me.id).values(parent_provider_id=parent_id))
    for some in dbkit.parts(sorted(below)):
        connection.execute(sa.update(RP).where(RP.c.id.in_(some)).values(
            root_provider_id=parent.root_id if parent else me.id, version=RP.c.version + 1))
    provider.touch(connection, {me.root_id, parent.root_id if parent else me.id})


def _subtree(connection: sa.Connection, top: Locked) -> set[int]:
    """Ids of a provider and of everything below it."""
    children: dict[int | None, list[int]] = {}
    for row in connection.execute(sa.select(RP.c.id, RP.c.parent_provider_id)
                                  .where(RP.c.root_provider_id == top.root_id)):
        children.setdefault(row.parent_provider_id, []).append(row.id)
    found, waiting = {top.id}, [top.id]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting.extend(below)
    return found


def delete(connection: sa.Connection, uuid: str) -> None:
    """Remove a provider with its inventories, traits and aggregate memberships; a tombstone stays.

    Raises:
        ProviderNotFound, ProviderHasChildren, ProviderInUse
    """
    locked = provider.lock(connection, uuid)
    if connection.execute(sa.select(RP.c.id).where(RP.c.parent_provider_id == locked.id).limit(1)).first():
        raise errors.ProviderHasChildren(uuid=uuid)
    used = models.allocations
    if connection.execute(
            sa.select(used.c.id).where(used.c.resource_provider_id == locked.id).limit(1)).first():
        raise errors.ProviderInUse(uuid=uuid)
    for table in (models.inventories, models.resource_provider_aggregates, models.resource_provider_traits):
        connection.execute(sa.delete(table).where(table.c.resource_provider_id == locked.id))
    connection.execute(sa.update(RP).where(RP.c.id == locked.id).values(root_provider_id=None))
    try:
        connection.execute(sa.delete(RP).where(RP.c.id == locked.id))
    except db_exc.DBReferenceError:
        raise errors.ProviderHasChildren(uuid=uuid) from None
    _keep_tombstone(connection, locked)


def _keep_tombstone(connection: sa.Connection, locked: Locked) -> None:
    tombstones = models.provider_tombstones
    number = _new_id(connection.execute(sa.insert(tombstones).values(provider_id=locked.id, uuid=locked.uuid)))
    if number % 1000 == 0:
        connection.execute(sa.delete(tombstones).where(tombstones.c.id <= number - TOMBSTONES_KEPT))
