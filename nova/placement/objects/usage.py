"""Usages: sums over allocations."""

import dataclasses

import sqlalchemy as sa

from nova.placement import errors
from nova.placement.db import models

_ALLOC = models.allocations
_CONSUMERS = models.consumers


@dataclasses.dataclass(frozen=True, slots=True)
class OfProvider:
    """Used amounts of every inventoried class (id) of a provider."""

    generation: int
    used: dict[int, int]


def of_provider(connection: sa.Connection, uuid: str) -> OfProvider:
    """What is used of a provider; 0 where nothing is.

    Raises:
        ProviderNotFound: no such provider.
    """
    rp, inv = models.resource_providers, models.inventories
    used = (sa.select(sa.func.coalesce(sa.func.sum(_ALLOC.c.used), 0))
            .where(_ALLOC.c.resource_provider_id == rp.c.id,
                   _ALLOC.c.resource_class_id == inv.c.resource_class_id).scalar_subquery())
    rows = connection.execute(
        sa.select(rp.c.generation, inv.c.resource_class_id, used)
        .select_from(rp.outerjoin(inv, inv.c.resource_provider_id == rp.c.id))
        .where(rp.c.uuid == uuid)).all()
    if not rows:
        raise errors.ProviderNotFound(uuid=uuid)
    return OfProvider(rows[0].generation,
                      {row[1]: int(row[2]) for row in rows if row[1] is not None})


@dataclasses.dataclass(frozen=True, slots=True)
class OfType:
    """What consumers of one type use; type None collects those without a type."""

    type_name: str | None
    consumers: int
    used: dict[int, int]


def _of_project(query: sa.Select, project: str, user: str | None) -> sa.Select:
    query = (query.join(_CONSUMERS, _CONSUMERS.c.uuid == _ALLOC.c.consumer_id)
             .join(models.projects, models.projects.c.id == _CONSUMERS.c.project_id)
             .where(models.projects.c.external_id == project))
    if user is not None:
        query = (query.join(models.users, models.users.c.id == _CONSUMERS.c.user_id)
                 .where(models.users.c.external_id == user))
    return query


def of_project(connection: sa.Connection, project: str, user: str | None = None) -> dict[int, int]:
    """Used amounts by class id of all consumers of a project, or of one user in it."""
    query = sa.select(_ALLOC.c.resource_class_id, sa.func.sum(_ALLOC.c.used)).select_from(_ALLOC)
    query = _of_project(query, project, user).group_by(_ALLOC.c.resource_class_id)
    return {class_id: int(used) for class_id, used in connection.execute(query)}


def by_type(connection: sa.Connection, project: str, user: str | None = None) -> list[OfType]:
    """Like `of_project`, apart by consumer type, with the number of consumers of each."""
    types = models.consumer_types
    sums = (_of_project(
        sa.select(types.c.name, _ALLOC.c.resource_class_id, sa.func.sum(_ALLOC.c.used)).select_from(_ALLOC),
        project, user).outerjoin(types, types.c.id == _CONSUMERS.c.consumer_type_id)
        .group_by(types.c.name, _ALLOC.c.resource_class_id))
    counts = (_of_project(
        sa.select(types.c.name, sa.func.count(sa.distinct(_ALLOC.c.consumer_id))).select_from(_ALLOC),
        project, user).outerjoin(types, types.c.id == _CONSUMERS.c.consumer_type_id)
        .group_by(types.c.name))
    found = {name: OfType(name, number, {}) for name, number in connection.execute(counts)}
    for name, class_id, used in connection.execute(sums):
        if name in found:
            found[name].used[class_id] = int(used)
    return [found[name] for name in sorted(found, key=lambda name: name or '')]
