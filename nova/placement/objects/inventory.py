"""Inventories: how much of a resource class a provider has, and how it is handed out."""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.placement import errors
from nova.placement.cache import NameTable
from nova.placement.db import models
from nova.placement.objects import provider
from nova.placement.objects.provider import Locked

INV = models.inventories
_ALLOC = models.allocations
_TAKEN = sa.select(_ALLOC.c.resource_class_id).distinct().where(
    _ALLOC.c.resource_provider_id == sa.bindparam('provider_id'),
    _ALLOC.c.resource_class_id.in_(sa.bindparam('values', expanding=True)))
"""Classes of ``values`` of which something is allocated."""


@dataclasses.dataclass(frozen=True, slots=True)
class Inventory:
    """One class of one provider. Capacity is (total - reserved) * allocation_ratio."""

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = 0x7FFFFFFF
    step_size: int = 1
    allocation_ratio: float = 1.0

    @property
    def capacity(self) -> float:
        return (self.total - self.reserved) * self.allocation_ratio

    def refuses(self, amount: int) -> str | None:
        """Why one allocation may not be of that size, or None."""
        if not self.min_unit <= amount <= self.max_unit:
            return f'the amount must be between {self.min_unit} and {self.max_unit}'
        if amount % self.step_size:
            return f'the amount must be a multiple of {self.step_size}'
        return None


_FIELDS = tuple(field.name for field in dataclasses.fields(Inventory))


@dataclasses.dataclass(frozen=True, slots=True)
class OfProvider:
    """Everything a provider has, by class id."""

    generation: int
    inventories: dict[int, Inventory]
    modified: datetime.datetime


def of_provider(connection: sa.Connection, uuid: str) -> OfProvider:
    """Generation and inventories in one statement, so that they belong together.

    Raises:
        ProviderNotFound: no such provider.
    """
    rp = provider.RP
    rows = connection.execute(
        sa.select(rp.c.generation, sa.func.coalesce(INV.c.updated_at, INV.c.created_at).label('time'),
                  INV.c.resource_class_id, *(INV.c[name] for name in _FIELDS))
        .select_from(rp.outerjoin(INV, INV.c.resource_provider_id == rp.c.id))
        .where(rp.c.uuid == uuid)).all()
    if not rows:
        raise errors.ProviderNotFound(uuid=uuid)
    return OfProvider(
        generation=rows[0].generation,
        inventories={row.resource_class_id: Inventory(*row[3:]) for row in rows
                     if row.resource_class_id is not None},
        modified=max((row.time for row in rows if row.time is not None), default=clock.utcnow()))


def class_id(names: NameTable, name: str) -> int:
    """Id of a resource class that a request names.

    Raises:
        BadRequest: no such class.
    """
    found = names.classes.get(name)
    if found is None:
        raise errors.BadRequest(f"No such resource class: {name}.")
    return found


def add(connection: sa.Connection, locked: Locked, inventories: Mapping[int, Inventory]) -> None:
    """Insert inventories of classes that the provider does not have yet."""
    dbkit.insert(connection, INV, [
        {'resource_provider_id': locked.id, 'resource_class_id': key, **dataclasses.asdict(inventory)}
        for key, inventory in inventories.items()])


def change(connection: sa.Connection, locked: Locked, inventories: Mapping[int, Inventory]) -> None:
    """Overwrite inventories that exist; what is allocated may then be more than there is."""
    for key, inventory in inventories.items():
        connection.execute(
            sa.update(INV).where(INV.c.resource_provider_id == locked.id, INV.c.resource_class_id == key)
            .values(**dataclasses.asdict(inventory)))


def read(connection: sa.Connection, locked: Locked) -> dict[int, Inventory]:
    """Inventories of a held provider by class id."""
    rows = connection.execute(sa.select(INV.c.resource_class_id, *(INV.c[name] for name in _FIELDS))
                              .where(INV.c.resource_provider_id == locked.id))
    return {row[0]: Inventory(*row[1:]) for row in rows}


def remove(connection: sa.Connection, locked: Locked, class_ids: Iterable[int], names: NameTable) -> None:
    """Drop inventories.

    Raises:
        InventoryInUse: something is allocated of one of them.
    """
    wanted = sorted(class_ids)
    if not wanted:
        return
    used = sorted(row.resource_class_id for row in dbkit.select_in(
        connection, _TAKEN, wanted, provider_id=locked.id))
    if used:
        classes = ', '.join(names.class_names.get(key, str(key)) for key in used)
        raise errors.InventoryInUse(classes=classes, uuid=locked.uuid)
    for some in dbkit.parts(wanted):
        connection.execute(sa.delete(INV).where(INV.c.resource_provider_id == locked.id,
                                                INV.c.resource_class_id.in_(some)))


def replace(connection: sa.Connection, locked: Locked, wanted: Mapping[int, Inventory],
            names: NameTable) -> None:
    """Make `wanted` the provider's inventories.

    Raises:
        InventoryInUse: a class that would go is allocated.
    """
    there = read(connection, locked)
    remove(connection, locked, there.keys() - wanted.keys(), names)
    put(connection, locked, there, wanted)


def put(connection: sa.Connection, locked: Locked, there: Mapping[int, Inventory],
        wanted: Mapping[int, Inventory]) -> None:
    """Add and change, without removing."""
    add(connection, locked, {key: wanted[key] for key in wanted.keys() - there.keys()})
    change(connection, locked, {key: wanted[key] for key in wanted.keys() & there.keys()
                                if wanted[key] != there[key]})
