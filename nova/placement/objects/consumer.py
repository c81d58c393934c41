"""Consumers: who holds allocations, for which project and user, and of which type."""

import dataclasses
import datetime
from collections.abc import Collection, Iterable

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.db import models, transaction

CONSUMERS = models.consumers
_ALLOC = models.allocations
_RP = models.resource_providers
_PROJECTS, _USERS, _TYPES = models.projects, models.users, models.consumer_types


@dataclasses.dataclass(frozen=True, slots=True)
class Owner:
    """Ids of whom a consumer belongs to."""

    project_id: int
    user_id: int
    type_id: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A consumer and what it holds.

    Args:
        used: amount by provider uuid and resource class id.
        provider_ids: id by provider uuid.
    """

    id: int
    uuid: str
    generation: int
    owner: Owner
    used: dict[tuple[str, int], int]
    provider_ids: dict[str, int]


_HELD: sa.Select = (
    sa.select(CONSUMERS.c.id, CONSUMERS.c.uuid, CONSUMERS.c.generation, CONSUMERS.c.project_id,
              CONSUMERS.c.user_id, CONSUMERS.c.consumer_type_id, _RP.c.uuid.label('provider'),
              _RP.c.id.label('provider_id'), _ALLOC.c.resource_class_id, _ALLOC.c.used)
    .select_from(CONSUMERS.outerjoin(_ALLOC, _ALLOC.c.consumer_id == CONSUMERS.c.uuid)
                 .outerjoin(_RP, _RP.c.id == _ALLOC.c.resource_provider_id))
    .where(CONSUMERS.c.uuid.in_(sa.bindparam('values', expanding=True))))


_GENERATIONS = sa.select(CONSUMERS.c.uuid, CONSUMERS.c.generation).where(
    CONSUMERS.c.uuid.in_(sa.bindparam('values', expanding=True)))


def held(connection: sa.Connection, uuids: Collection[str]) -> dict[str, Held]:
    """The consumers that exist, each with its allocations as of one statement."""
    found: dict[str, Held] = {}
    for row in dbkit.select_in(connection, _HELD, sorted(uuids)):
        one = found.get(row.uuid)
        if one is None:
            owner = Owner(row.project_id, row.user_id, row.consumer_type_id)
            one = found[row.uuid] = Held(row.id, row.uuid, row.generation, owner, {}, {})
        if row.provider is not None:
            one.used[row.provider, row.resource_class_id] = row.used
            one.provider_ids[row.provider] = row.provider_id
    return found


def generations(connection: sa.Connection, uuids: Collection[str]) -> dict[str, int]:
    """Generations of the consumers that exist."""
    return {row.uuid: row.generation for row in dbkit.select_in(connection, _GENERATIONS, sorted(uuids))}


def create(connection: sa.Connection, owners: dict[str, Owner]) -> None:
    """Insert consumers of generation 1: their first allocations are written along with them.

    Raises:
        oslo_db.exception.DBDuplicateEntry: one came into being meanwhile.
    """
    dbkit.insert(connection, CONSUMERS, [
        {'uuid': uuid, 'project_id': owner.project_id, 'user_id': owner.user_id,
         'consumer_type_id': owner.type_id, 'generation': 1} for uuid, owner in sorted(owners.items())])


def advance(connection: sa.Connection, those: Iterable[tuple[Held, Owner]]) -> None:
    """Move the generations of consumers, and their owners to whom the client says.

    Raises:
        transaction.Lost: one is no longer as it was read.
    """
    alike: dict[tuple[int, Owner], list[int]] = {}
    for one, owner in those:
        alike.setdefault((one.generation, owner), []).append(one.id)
    for (generation, owner), ids in sorted(alike.items(), key=lambda item: item[1]):
        _guarded(connection, sa.update(CONSUMERS).values(
            generation=generation + 1, project_id=owner.project_id, user_id=owner.user_id,
            consumer_type_id=owner.type_id), generation, ids)


def drop(connection: sa.Connection, those: Iterable[Held]) -> None:
    """Remove consumers that hold nothing any more.

    Raises:
        transaction.Lost: one is no longer as it was read.
    """
    alike: dict[int, list[int]] = {}
    for one in those:
        alike.setdefault(one.generation, []).append(one.id)
    for generation, ids in sorted(alike.items(), key=lambda item: item[1]):
        _guarded(connection, sa.delete(CONSUMERS), generation, ids)


def _guarded(connection: sa.Connection, write: sa.Update | sa.Delete, generation: int, ids: list[int]) -> None:
    for some in dbkit.parts(sorted(ids)):
        changed = connection.execute(write.where(
            CONSUMERS.c.id.in_(some), CONSUMERS.c.generation == generation))
        if changed.rowcount != len(some):
            raise transaction.Lost


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """Allocations of one consumer against one provider, as they are shown."""

    provider_uuid: str
    provider_generation: int
    class_id: int
    used: int


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A consumer with its allocations, as it is shown."""

    project: str
    user: str
    generation: int
    type_name: str | None
    holdings: tuple[Holding, ...]
    modified: datetime.datetime


def show(connection: sa.Connection, uuid: str) -> Shown | None:
    """A consumer with its allocations, or None when it holds nothing."""
    rows = connection.execute(
        sa.select(_PROJECTS.c.external_id.label('project'), _USERS.c.external_id.label('user'),
                  CONSUMERS.c.generation, _TYPES.c.name.label('type_name'), _RP.c.uuid.label('provider'),
                  _RP.c.generation.label('provider_generation'), _ALLOC.c.resource_class_id, _ALLOC.c.used,
                  sa.func.coalesce(_ALLOC.c.updated_at, _ALLOC.c.created_at).label('time'))
        .select_from(CONSUMERS.join(_PROJECTS, _PROJECTS.c.id == CONSUMERS.c.project_id)
                     .join(_USERS, _USERS.c.id == CONSUMERS.c.user_id)
                     .outerjoin(_TYPES, _TYPES.c.id == CONSUMERS.c.consumer_type_id)
                     .join(_ALLOC, _ALLOC.c.consumer_id == CONSUMERS.c.uuid)
                     .join(_RP, _RP.c.id == _ALLOC.c.resource_provider_id))
        .where(CONSUMERS.c.uuid == uuid)).all()
    if not rows:
        return None
    first = rows[0]
    return Shown(first.project, first.user, first.generation, first.type_name,
                 tuple(Holding(row.provider, row.provider_generation, row.resource_class_id, row.used)
                       for row in rows),
                 max(row.time for row in rows))
