"""Allocations: writing what consumers hold, all of a request or nothing of it.

How a write stays exact. The rows of all providers concerned are locked, in uuid order. Every writer that could
raise a usage or lower a capacity does so, hence what is read after the lock is the truth until we commit: the
capacity check cannot be overtaken, and a busy provider makes writers wait in line, not fail. The consumer is
guarded by its generation: if it moved since it was read, the transaction begins again.
"""

import collections
import dataclasses
import itertools
from collections.abc import Collection

import sqlalchemy as sa

from nova.common import dbkit, problem
from nova.placement import errors
from nova.placement.cache import CURRENT_VERSION, Agents, Names, NameTable
from nova.placement.db import models, transaction
from nova.placement.objects import consumer, inventory, provider
from nova.placement.objects.consumer import Held, Owner
from nova.placement.objects.inventory import Inventory

ALLOC = models.allocations
_INV = models.inventories

Pair = tuple[int, int]
"""Provider id, resource class id."""


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What one consumer shall hold from now on; nothing means that it goes.

    Args:
        wanted: amount by class name, by provider uuid.
        stands_in: project and user are only stand-ins, for a consumer that has none yet.
        guarded: the client says what it believes the consumer's generation to be.
        generation: that belief; None for a new consumer.
        type_name: None keeps the type that a consumer has.
    """

    uuid: str
    wanted: dict[str, dict[str, int]]
    project: str
    user: str
    type_name: str | None = None
    stands_in: bool = False
    guarded: bool = False
    generation: int | None = None

    @property
    def is_claim(self) -> bool:
        """Whether the client says that the consumer is new."""
        return bool(self.wanted) and self.guarded and self.generation is None


@dataclasses.dataclass(frozen=True, slots=True)
class Stock:
    """An inventory and what is used of it."""

    inventory: Inventory
    used: int


class Writer:
    """Applies changes of consumers within one transaction.

    Args:
        changes: at most one a consumer.
        owners: ids of project, user and type by consumer uuid.
        also: further providers to lock (those that a reshape touches).
        look: read the consumers; else none of them is believed to be there, which the write finds out.
    """

    def __init__(self, connection: sa.Connection, names: Names, changes: Collection[Change],
                 owners: dict[str, Owner], also: Collection[str] = (), look: bool = True) -> None:
        self.connection = connection
        self.changes = {change.uuid: change for change in changes}
        self._owners = owners
        self.held: dict[str, Held] = consumer.held(connection, self.changes) if self.changes and look else {}
        self._check_generations()
        uuids = {uuid for change in changes for uuid in change.wanted}
        uuids.update(uuid for one in self.held.values() for uuid in one.provider_ids)
        uuids.update(also)
        self.providers: dict[str, provider.Locked] = {}
        version = None
        if uuids:
            for row in dbkit.select_in(connection, _LOCK_AND_NAMES, sorted(uuids)):
                self.providers[row.uuid] = provider.Locked(*row[:5])
                version = row.names
        self.names: NameTable = names.within(connection, version)

    def _check_generations(self) -> None:
        for uuid, change in self.changes.items():
            one = self.held.get(uuid)
            actual = one.generation if one else None
            if change.guarded and change.generation != actual:
                raise errors.ConsumerConflict(uuid=uuid, given=_json(change.generation), actual=_json(actual))

    def apply(self) -> set[int]:
        """Check and write; ids of the providers that gained something, which are still to be bumped.

        Raises:
            BadRequest: unknown provider or class.
            NoCapacity: it does not fit.
            transaction.Lost: begin again.
        """
        try:
            rows = self._rows()
            self._check_capacity(rows)
        except problem.Problem:
            self._still_held()
            raise
        existing = {uuid for uuid in self.changes if uuid in self.held}
        new = {uuid for uuid, change in self.changes.items() if change.wanted} - existing
        consumer.create(self.connection, {uuid: self._owners[uuid] for uuid in new})
        consumer.advance(self.connection, [(self.held[uuid], self._owner(uuid)) for uuid in existing
                                           if self.changes[uuid].wanted])
        for some in dbkit.parts(sorted(uuid for uuid in existing if self.held[uuid].used)):
            self.connection.execute(sa.delete(ALLOC).where(ALLOC.c.consumer_id.in_(some)))
        consumer.drop(self.connection, [self.held[uuid] for uuid in existing
                                        if not self.changes[uuid].wanted])
        dbkit.insert(self.connection, ALLOC, rows)
        return {int(row['resource_provider_id']) for row in rows}

    def losers(self, gained: Collection[int]) -> set[int]:
        """Providers that only lost something."""
        return {number for one in self.held.values() for number in one.provider_ids.values()} - set(gained)

    def _owner(self, uuid: str) -> Owner:
        before, change = self.held[uuid].owner, self.changes[uuid]
        if change.stands_in:
            return before
        owner = self._owners[uuid]
        return dataclasses.replace(owner, type_id=before.type_id) if change.type_name is None else owner

    def _rows(self) -> list[dict[str, int | str]]:
        rows: list[dict[str, int | str]] = []
        for uuid, change in sorted(self.changes.items()):
            for provider_uuid, resources in sorted(change.wanted.items()):
                locked = self.providers.get(provider_uuid)
                if locked is None:
                    raise errors.BadRequest(
                        f'Allocation for resource provider {provider_uuid} that does not exist.')
                rows.extend({'consumer_id': uuid, 'resource_provider_id': locked.id,
                             'resource_class_id': inventory.class_id(self.names, name), 'used': amount}
                            for name, amount in sorted(resources.items()))
        return rows

    def _check_capacity(self, rows: list[dict[str, int | str]]) -> None:
        asked: dict[Pair, list[int]] = collections.defaultdict(list)
        for row in rows:
            pair = int(row['resource_provider_id']), int(row['resource_class_id'])
            asked[pair].append(int(row['used']))
        if not asked:
            return
        stocks = _stocks(self.connection, asked)
        before: dict[Pair, int] = collections.Counter()
        for one in self.held.values():
            for (provider_uuid, class_id), used in one.used.items():
                before[one.provider_ids[provider_uuid], class_id] += used
        uuids = {locked.id: locked.uuid for locked in self.providers.values()}
        for pair, amounts in asked.items():
            why = _refusal(stocks.get(pair), amounts, before[pair])
            if why:
                raise errors.NoCapacity(amount=sum(amounts), uuid=uuids[pair[0]], why=why,
                                        resource_class=self.names.class_names[pair[1]])

    def _still_held(self) -> None:
        """Refuse nobody on the strength of what a consumer held before we had the locks.

        Raises:
            transaction.Lost: one has moved meanwhile.
        """
        if consumer.generations(self.connection, self.changes) != {
                uuid: one.generation for uuid, one in self.held.items()}:
            raise transaction.Lost


def _json(generation: int | None) -> str:
    return 'null' if generation is None else str(generation)


def _refusal(stock: Stock | None, amounts: list[int], before: int) -> str | None:
    """Why those amounts may not be taken from a stock, or None.

    Who holds no more than before is not refused for want of capacity: an inventory may have shrunk below what
    is in use, and swapping allocations between consumers must stay possible then.
    """
    if stock is None:
        return 'there is no inventory of that class'
    for amount in amounts:
        why = stock.inventory.refuses(amount)
        if why:
            return why
    total = sum(amounts)
    others = stock.used - before
    if total > before and others + total > stock.inventory.capacity:
        return f'the capacity is {int(stock.inventory.capacity)}, of which {others} are used by others'
    return None


_USED = sa.select(sa.func.coalesce(sa.func.sum(ALLOC.c.used), 0)).where(
    ALLOC.c.resource_provider_id == _INV.c.resource_provider_id,
    ALLOC.c.resource_class_id == _INV.c.resource_class_id)
_STOCKS = (
    sa.select(_INV.c.resource_provider_id, _INV.c.resource_class_id, _USED.scalar_subquery(),
              *(_INV.c[field.name] for field in dataclasses.fields(Inventory)))
    .where(_INV.c.resource_provider_id.in_(sa.bindparam('providers', expanding=True)),
           _INV.c.resource_class_id.in_(sa.bindparam('classes', expanding=True))))
_LOCK_AND_NAMES = provider.lock_query(CURRENT_VERSION.scalar_subquery().label('names'))


def _stocks(connection: sa.Connection, pairs: Collection[Pair]) -> dict[Pair, Stock]:
    """Inventories of the pairs and their usage."""
    found: dict[Pair, Stock] = {}
    for some in dbkit.parts(sorted(pairs)):
        providers, classes = ({pair[side] for pair in some} for side in (0, 1))
        for row in connection.execute(_STOCKS, {'providers': sorted(providers), 'classes': sorted(classes)}):
            found[row[0], row[1]] = Stock(Inventory(*row[3:]), int(row[2]))
    return found


def owners_of(agents: Agents, changes: Collection[Change]) -> dict[str, Owner]:
    """Ids of the projects, users and types that changes name, created where new."""
    projects = agents.projects(change.project for change in changes)
    users = agents.users(change.user for change in changes)
    types = agents.types(change.type_name for change in changes if change.type_name)
    return {change.uuid: Owner(projects[change.project], users[change.user],
                               types[change.type_name] if change.type_name else None)
            for change in changes}


def write(db: dbkit.Database, names: Names, agents: Agents, changes: Collection[Change],
          attempts: int) -> None:
    """Make every change, or none.

    Clients that claim for new consumers are believed at first, which saves a look. Where one is wrong, the
    consumer's key or the look before a refusal shows it, and the transaction begins again with open eyes.

    Raises:
        ConsumerConflict, WriteRace, NoCapacity: 409.
        BadRequest: unknown provider or class.
    """
    owners = owners_of(agents, changes)
    believed = all(change.is_claim for change in changes)
    looks = itertools.chain([not believed], itertools.repeat(True))
    transaction.run(db, attempts + believed,
                    lambda connection: _apply(Writer(connection, names, changes, owners, look=next(looks))))


def claim(db: dbkit.Database, names: Names, agents: Agents, changes: Collection[Change]) -> None:
    """Write claims of several clients in one attempt, all or none.

    Raises:
        problem.Problem: one is wrong, or does not fit.
        Exception: of `transaction.LOST`; one lost a race, or its consumer is not new.
    """
    owners = owners_of(agents, changes)
    db.write(lambda connection: _apply(Writer(connection, names, changes, owners, look=False)))


def _apply(writer: Writer) -> None:
    gained = writer.apply()
    provider.bump(writer.connection, gained)
    provider.touch(writer.connection, writer.losers(gained))


def delete(db: dbkit.Database, uuid: str, attempts: int) -> bool:
    """Drop all that a consumer holds, and the consumer; whether there was anything."""
    def once(connection: sa.Connection) -> bool:
        one = consumer.held(connection, [uuid]).get(uuid)
        if one is None or not one.used:
            return False
        locked = provider.lock_all(connection, one.provider_ids)
        connection.execute(sa.delete(ALLOC).where(ALLOC.c.consumer_id == uuid))
        consumer.drop(connection, [one])
        provider.touch(connection, [each.id for each in locked.values()])
        return True
    return transaction.run(db, attempts, once)


@dataclasses.dataclass(frozen=True, slots=True)
class OfProvider:
    """Who holds what of one provider: (consumer uuid, consumer generation, class id, used)."""

    generation: int
    rows: tuple[tuple[str, int, int, int], ...]


def of_provider(connection: sa.Connection, uuid: str) -> OfProvider:
    """Allocations against a provider.

    Raises:
        ProviderNotFound: no such provider.
    """
    rp, consumers = models.resource_providers, models.consumers
    rows = connection.execute(
        sa.select(rp.c.generation, ALLOC.c.consumer_id, sa.func.coalesce(consumers.c.generation, 0),
                  ALLOC.c.resource_class_id, ALLOC.c.used)
        .select_from(rp.outerjoin(ALLOC, ALLOC.c.resource_provider_id == rp.c.id)
                     .outerjoin(consumers, consumers.c.uuid == ALLOC.c.consumer_id))
        .where(rp.c.uuid == uuid)).all()
    if not rows:
        raise errors.ProviderNotFound(uuid=uuid)
    return OfProvider(rows[0].generation, tuple(tuple(row[1:]) for row in rows if row.consumer_id is not None))
