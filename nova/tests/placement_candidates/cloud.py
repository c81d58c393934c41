"""Clouds for the candidate search, written straight into placement's tables."""

import dataclasses
import uuid

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.candidates.search import Candidates
from nova.placement.candidates.view import Inventory, Provider, View
from nova.placement.db import models

SHARING = 'MISC_SHARES_VIA_AGGREGATE'


def uid(name: str) -> str:
    """The uuid of a provider or aggregate of this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


@dataclasses.dataclass(frozen=True)
class Stock:
    """An inventory and what is used of it."""

    total: int
    used: int = 0
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = 2147483647
    step_size: int = 1
    ratio: float = 1.0


@dataclasses.dataclass(frozen=True)
class Rp:
    """A provider to be; `stock` by class, `aggs` by name."""

    name: str
    parent: str | None = None
    stock: dict[str, Stock] = dataclasses.field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    aggs: frozenset[str] = frozenset()


def rp(name: str, parent: str | None = None, traits: tuple[str, ...] = (), aggs: tuple[str, ...] = (),
       **stock: int | Stock) -> Rp:
    """An Rp in short: `rp('cn1', VCPU=8, traits=('T',))`."""
    full = {cls: item if isinstance(item, Stock) else Stock(item) for cls, item in stock.items()}
    return Rp(name, parent, full, frozenset(traits), frozenset(aggs))


class Cloud:
    """Providers in a database, by name. Every change bumps the private version as the service does."""

    def __init__(self, db: dbkit.Database, *providers: Rp) -> None:
        self.db = db
        self._ids: dict[tuple[str, str], int] = {}
        with db.engine.begin() as connection:
            models.metadata.create_all(connection)
            connection.execute(models.names_version.insert().values(id=1, version=1))
        self.add(*providers)

    def add(self, *providers: Rp) -> None:
        """Parents before children."""
        self.db.write(lambda connection: [self._add(connection, item) for item in providers] and None)

    def change(self, item: Rp) -> None:
        """Replace everything but the name and the place in the tree."""
        def write(connection: sa.Connection) -> None:
            key = self._id(connection, models.resource_providers, item.name)
            self._clear(connection, key)
            self._fill(connection, key, item)
            self._bump(connection, key)
        self.db.write(write)

    def use(self, name: str, cls: str, used: int) -> None:
        """Set what one more consumer takes; what others hold stays."""
        def write(connection: sa.Connection) -> None:
            key = self._id(connection, models.resource_providers, name)
            self._take(connection, key, cls, used)
            self._bump(connection, key)
        self.db.write(write)

    def move(self, name: str, parent: str | None) -> None:
        """Re-parent a provider without children."""
        def write(connection: sa.Connection) -> None:
            table = models.resource_providers
            key = self._id(connection, table, name)
            above = None if parent is None else self._id(connection, table, parent)
            root = key if above is None else connection.scalar(
                sa.select(table.c.root_provider_id).where(table.c.id == above))
            connection.execute(table.update().where(table.c.id == key).values(
                parent_provider_id=above, root_provider_id=root, version=table.c.version + 1))
        self.db.write(write)

    def remove(self, name: str) -> None:
        """Delete a provider and leave its tombstone."""
        def write(connection: sa.Connection) -> None:
            table = models.resource_providers
            key = self._id(connection, table, name)
            self._clear(connection, key)
            # MariaDB does not let go of a row that refers to itself.
            connection.execute(table.update().where(table.c.id == key).values(root_provider_id=None))
            connection.execute(table.delete().where(table.c.id == key))
            connection.execute(models.provider_tombstones.insert().values(provider_id=key, uuid=uid(name)))
            del self._ids[table.name, name]
        self.db.write(write)

    def rename_class(self, old: str, new: str) -> None:
        """Rename a resource class."""
        def write(connection: sa.Connection) -> None:
            table, names = models.resource_classes, models.names_version
            connection.execute(table.update().where(table.c.name == old).values(name=new))
            connection.execute(names.update().values(version=names.c.version + 1))
        self.db.write(write)

    def _add(self, connection: sa.Connection, item: Rp) -> None:
        table = models.resource_providers
        parent = None if item.parent is None else self._id(connection, table, item.parent)
        key = connection.execute(table.insert().values(
            uuid=uid(item.name), name=item.name, parent_provider_id=parent)).inserted_primary_key[0]
        root = key if parent is None else connection.scalar(
            sa.select(table.c.root_provider_id).where(table.c.id == parent))
        connection.execute(table.update().where(table.c.id == key).values(root_provider_id=root))
        self._ids[table.name, item.name] = key
        self._fill(connection, key, item)

    def _fill(self, connection: sa.Connection, key: int, item: Rp) -> None:
        for cls, stock in item.stock.items():
            connection.execute(models.inventories.insert().values(
                resource_provider_id=key, resource_class_id=self._id(connection, models.resource_classes, cls),
                total=stock.total, reserved=stock.reserved, min_unit=stock.min_unit, max_unit=stock.max_unit,
                step_size=stock.step_size, allocation_ratio=stock.ratio))
            if stock.used:
                self._take(connection, key, cls, stock.used)
        for name in item.traits:
            connection.execute(models.resource_provider_traits.insert().values(
                resource_provider_id=key, trait_id=self._id(connection, models.traits, name)))
        for name in item.aggs:
            connection.execute(models.resource_provider_aggregates.insert().values(
                resource_provider_id=key, aggregate_id=self._id(connection, models.aggregates, name)))

    def _take(self, connection: sa.Connection, key: int, cls: str, used: int) -> None:
        connection.execute(models.allocations.insert().values(
            consumer_id=str(uuid.uuid4()), resource_provider_id=key, used=used,
            resource_class_id=self._id(connection, models.resource_classes, cls)))

    @staticmethod
    def _clear(connection: sa.Connection, key: int) -> None:
        for table in (models.allocations, models.inventories, models.resource_provider_traits,
                      models.resource_provider_aggregates):
            connection.execute(table.delete().where(table.c.resource_provider_id == key))

    @staticmethod
    def _bump(connection: sa.Connection, key: int) -> None:
        table = models.resource_providers
        connection.execute(table.update().where(table.c.id == key).values(version=table.c.version + 1))

    def _id(self, connection: sa.Connection, table: sa.Table, name: str) -> int:
        found = self._ids.get((table.name, name))
        if found is None:
            if table is models.aggregates:
                values = {'uuid': uid(name)}
            elif table is models.resource_classes:
                values = {'name': name, 'id': 10000 + len(self._ids)}
            else:
                values = {'name': name}
            found = connection.execute(table.insert().values(**values)).inserted_primary_key[0]
            if table is not models.aggregates:
                names = models.names_version
                connection.execute(names.update().values(version=names.c.version + 1))
            self._ids[table.name, name] = found
        return found


def view_of(providers: list[Rp]) -> View:
    """The View that these providers would give, without a database."""
    ids = {item.name: number for number, item in enumerate(providers, 1)}
    by_name = {item.name: item for item in providers}

    def root(item: Rp) -> Rp:
        return item if item.parent is None else root(by_name[item.parent])
    return View.of([
        Provider(ids[item.name], uid(item.name), 1, ids[root(item).name],
                 None if item.parent is None else ids[item.parent],
                 {cls: Inventory(int((stock.total - stock.reserved) * stock.ratio), stock.used, stock.min_unit,
                                 stock.max_unit, stock.step_size) for cls, stock in item.stock.items()},
                 tuple(sorted(item.traits)), frozenset(uid(name) for name in item.aggs))
        for item in providers])


def readable(found: Candidates, names: list[str]) -> list[dict[str, dict[str, int]]]:
    """Picks as {provider name: {class: amount}}, in the order found."""
    name_of = {uid(name): name for name in names}
    result = []
    for pick in found.picks:
        shares: dict[str, dict[str, int]] = {}
        for slot, row in zip(found.slots, pick, strict=True):
            if slot.resources:
                share = shares.setdefault(name_of[found.view.providers[row].uuid], {})
                for cls, amount in slot.resources.items():
                    share[cls] = share.get(cls, 0) + amount
        result.append(shares)
    return result
