"""Resource providers: reading, finding, locking, and the two numbers that move with them."""

import dataclasses
import datetime
from collections.abc import Collection, Iterable

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement import errors
from nova.placement.db import models

RP = models.resource_providers
_PARENT = RP.alias('parent')
_ROOT = RP.alias('root')

COLUMNS = (
    RP.c.id, RP.c.uuid, RP.c.name, RP.c.generation, _PARENT.c.uuid.label('parent_uuid'),
    sa.func.coalesce(_ROOT.c.uuid, RP.c.uuid).label('root_uuid'),
    sa.func.coalesce(RP.c.updated_at, RP.c.created_at).label('modified'),
)
WITH_TREE = (RP.outerjoin(_PARENT, RP.c.parent_provider_id == _PARENT.c.id)
             .outerjoin(_ROOT, RP.c.root_provider_id == _ROOT.c.id))


@dataclasses.dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is shown."""

    id: int
    uuid: str
    name: str
    generation: int
    parent_uuid: str | None
    root_uuid: str
    modified: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Locked:
    """A provider whose row this transaction holds: nobody else changes it before we end."""

    id: int
    uuid: str
    generation: int
    root_id: int
    parent_id: int | None

    def expect(self, generation: int) -> None:
        """Go on only if the client saw the latest state.

        Raises:
            ConcurrentUpdate: it did not.
        """
        if generation != self.generation:
            raise errors.ConcurrentUpdate(uuid=self.uuid, given=generation, actual=self.generation)


@dataclasses.dataclass(frozen=True, slots=True)
class Filters:
    """What a listing asks for; every part must hold.

    Args:
        member_of: of each set, the provider is in one aggregate at least (uuids).
        required: of each set, the provider has one trait at least (ids).
        resources: amount by resource class id that must still fit.
    """

    name: str | None = None
    uuid: str | None = None
    in_tree: str | None = None
    member_of: Collection[frozenset[str]] = ()
    not_member_of: frozenset[str] = frozenset()
    required: Collection[frozenset[int]] = ()
    forbidden: frozenset[int] = frozenset()
    resources: dict[int, int] = dataclasses.field(default_factory=dict)


def get(connection: sa.Connection, uuid: str) -> Provider:
    """Read one provider.

    Raises:
        ProviderNotFound: there is none.
    """
    row = connection.execute(
        sa.select(*COLUMNS).select_from(WITH_TREE).where(RP.c.uuid == uuid)).one_or_none()
    if row is None:
        raise errors.ProviderNotFound(uuid=uuid)
    return Provider(*row)


def find(connection: sa.Connection, filters: Filters) -> list[Provider]:
    """Every provider that fits, oldest first."""
    query = sa.select(*COLUMNS).select_from(WITH_TREE).order_by(RP.c.id)
    if filters.name is not None:
        query = query.where(RP.c.name == filters.name)
    if filters.uuid is not None:
        query = query.where(RP.c.uuid == filters.uuid)
    if filters.in_tree is not None:
        member = RP.alias('member')
        query = query.where(RP.c.root_provider_id.in_(
            sa.select(member.c.root_provider_id).where(member.c.uuid == filters.in_tree)))
    for uuids in filters.member_of:
        query = query.where(_in_aggregates(uuids))
    if filters.not_member_of:
        query = query.where(~_in_aggregates(filters.not_member_of))
    for ids in filters.required:
        query = query.where(_has_traits(ids))
    if filters.forbidden:
        query = query.where(~_has_traits(filters.forbidden))
    for class_id, amount in filters.resources.items():
        query = query.where(_has_room(class_id, amount))
    return [Provider(*row) for row in connection.execute(query)]


def _in_aggregates(uuids: Collection[str]) -> sa.Exists:
    link, aggregates = models.resource_provider_aggregates, models.aggregates
    return sa.exists().where(link.c.resource_provider_id == RP.c.id,
                             link.c.aggregate_id == aggregates.c.id, aggregates.c.uuid.in_(uuids))


def _has_traits(ids: Collection[int]) -> sa.Exists:
    link = models.resource_provider_traits
    return sa.exists().where(link.c.resource_provider_id == RP.c.id, link.c.trait_id.in_(ids))


def _has_room(class_id: int, amount: int) -> sa.ColumnElement[bool]:
    inventory, allocation = models.inventories.c, models.allocations.c
    if amount > 0x7FFFFFFF:
        return sa.false()
    used = (sa.select(sa.func.coalesce(sa.func.sum(allocation.used), 0))
            .where(allocation.resource_provider_id == RP.c.id, allocation.resource_class_id == class_id)
            .scalar_subquery())
    return sa.exists().where(
        inventory.resource_provider_id == RP.c.id, inventory.resource_class_id == class_id,
        inventory.min_unit <= amount, inventory.max_unit >= amount,
        sa.literal(amount, sa.Integer) % inventory.step_size == 0,
        (inventory.total - inventory.reserved) * inventory.allocation_ratio >= used + amount)


def lock_query(*more: sa.ColumnElement) -> sa.Select:
    """Rows of the providers whose uuids are the ``values``, locked until the transaction ends.

    Everybody locks in uuid order, so that writers wait for one another in a line and not in a circle.

    Args:
        more: columns to read besides those of `Locked`.
    """
    return (sa.select(RP.c.id, RP.c.uuid, RP.c.generation,
                      sa.func.coalesce(RP.c.root_provider_id, RP.c.id).label('root_id'),
                      RP.c.parent_provider_id.label('parent_id'), *more)
            .where(RP.c.uuid.in_(sa.bindparam('values', expanding=True)))
            .order_by(RP.c.uuid).with_for_update())


_LOCK = lock_query()
_IDS = RP.c.id.in_(sa.bindparam('ids', expanding=True))
_BUMP = sa.update(RP).where(_IDS).values(generation=RP.c.generation + 1, version=RP.c.version + 1)
_TOUCH = sa.update(RP).where(_IDS).values(version=RP.c.version + 1, updated_at=RP.c.updated_at)


def lock_all(connection: sa.Connection, uuids: Iterable[str]) -> dict[str, Locked]:
    """Hold several providers; those that do not exist are left out."""
    return {row.uuid: Locked(*row) for row in dbkit.select_in(connection, _LOCK, sorted(uuids))}


def lock(connection: sa.Connection, uuid: str) -> Locked:
    """Hold one provider.

    Raises:
        ProviderNotFound: there is none.
    """
    locked = lock_all(connection, [uuid]).get(uuid)
    if locked is None:
        raise errors.ProviderNotFound(uuid=uuid)
    return locked


def bump(connection: sa.Connection, ids: Collection[int]) -> None:
    """Move generation and version of locked providers: clients that saw the old state must read again."""
    for some in dbkit.parts(sorted(ids)):
        connection.execute(_BUMP, {'ids': some})


def touch(connection: sa.Connection, ids: Collection[int]) -> None:
    """Move only the private version: answers change, but what clients hold stays valid."""
    for some in dbkit.parts(sorted(ids)):
        connection.execute(_TOUCH, {'ids': some})
