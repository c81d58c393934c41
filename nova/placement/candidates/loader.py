"""Reads providers from the database, whole, for the snapshot."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.candidates.view import Inventory, Provider
from nova.placement.db import models

CHUNK = 500
"""Most values in one IN (...) or OR."""

_rp = models.resource_providers.c
_inv = models.inventories.c
_alloc = models.allocations.c
_trait = models.resource_provider_traits.c
_agg = models.resource_provider_aggregates.c


class Names:
    """Names by id; read again when an id turns up that is not here."""

    def __init__(self) -> None:
        self.classes: dict[int, str] = {}
        self.traits: dict[int, str] = {}
        self.aggregates: dict[int, str] = {}

    def copy(self) -> 'Names':
        """A copy to load into; names of a load that fails half-way are not kept."""
        other = Names()
        other.classes, other.traits, other.aggregates = self.classes, self.traits, dict(self.aggregates)
        return other

    def reload(self, connection: sa.Connection) -> bool:
        """Read classes and traits; True when a class that was known has another name or is gone."""
        def read(table: dbkit.Table) -> dict[int, str]:
            return {key: name for key, name in connection.execute(sa.select(table.c.id, table.c.name))}
        before = self.classes
        self.classes, self.traits = read(models.resource_classes), read(models.traits)
        return any(self.classes.get(key) != name for key, name in before.items())

    def learn(self, connection: sa.Connection, classes: set[int], traits: set[int],
              aggregates: set[int]) -> None:
        """Make sure that these ids are known. Aggregates are many and never renamed: only new ones are read."""
        if classes - self.classes.keys() or traits - self.traits.keys():
            self.reload(connection)
        table = models.aggregates.c
        missing = sorted(aggregates - self.aggregates.keys())
        for some in chunks(missing):
            self.aggregates.update({key: uuid for key, uuid in connection.execute(
                sa.select(table.id, table.uuid).where(table.id.in_(some)))})


def chunks(ids: Sequence[int]) -> list[Sequence[int]]:
    """Lists of at most CHUNK."""
    return [ids[start:start + CHUNK] for start in range(0, len(ids), CHUNK)]


class Loader:
    """Reads providers in the transaction of `connection`, so that they fit together."""

    def __init__(self, connection: sa.Connection, names: Names) -> None:
        self._connection = connection
        self._names = names

    def load(self, ids: Sequence[int] | None) -> list[Provider]:
        """The providers of these ids, or all when None."""
        if ids is None:
            return self._load(None)
        return [provider for some in chunks(ids) for provider in self._load(some)]

    def _of(self, ids: Sequence[int] | None, owner: sa.Column, *columns: sa.ColumnElement) -> sa.Select:
        query = sa.select(owner, *columns)
        return query if ids is None else query.where(owner.in_(ids))

    def _links(self, ids: Sequence[int] | None) -> tuple[list[tuple], list[tuple], list[tuple]]:
        """(provider, class, used), (provider, trait), (provider, aggregate): three tables in one trip."""
        def tagged(kind: int) -> sa.Label[int]:
            return sa.literal_column(str(kind)).label('kind')
        owner, name = _alloc.resource_provider_id, _alloc.resource_class_id
        nothing: sa.ColumnElement[int] = sa.literal_column('0')
        query = sa.union_all(
            self._of(ids, owner, name, sa.func.sum(_alloc.used).label('used'), tagged(0)).group_by(owner, name),
            self._of(ids, _trait.resource_provider_id, _trait.trait_id, nothing, tagged(1)),
            self._of(ids, _agg.resource_provider_id, _agg.aggregate_id, nothing, tagged(2)))
        found: tuple[list[tuple], list[tuple], list[tuple]] = ([], [], [])
        for provider, key, used, kind in self._connection.execute(query):
            found[kind].append((provider, key, used) if kind == 0 else (provider, key))
        return found

    def _load(self, ids: Sequence[int] | None) -> list[Provider]:
        providers = self._connection.execute(self._of(
            ids, _rp.id, _rp.uuid, _rp.version, _rp.root_provider_id, _rp.parent_provider_id)).all()
        stock = self._connection.execute(self._of(
            ids, _inv.resource_provider_id, _inv.resource_class_id, _inv.total, _inv.reserved,
            _inv.allocation_ratio, _inv.min_unit, _inv.max_unit, _inv.step_size)).all()
        taken, traits, members = self._links(ids)
        used = {(owner, key): int(total) for owner, key, total in taken}
        names = self._names
        names.learn(self._connection, {row[1] for row in stock}, {row[1] for row in traits},
                    {row[1] for row in members})
        inventories: dict[int, dict[str, Inventory]] = {}
        for owner, key, total, reserved, ratio, *limits in stock:
            inventories.setdefault(owner, {})[names.classes[key]] = Inventory(
                int((total - reserved) * ratio), used.get((owner, key), 0), *limits)
        tagged, joined = _named(traits, names.traits), _named(members, names.aggregates)
        return [Provider(key, uuid, version, root or key, parent, inventories.get(key, {}),
                         tuple(sorted(tagged.get(key, ()))), frozenset(joined.get(key, ())))
                for key, uuid, version, root, parent in providers]


def _named(pairs: Iterable[tuple[int, int]], names: dict[int, str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for owner, key in pairs:
        found.setdefault(owner, []).append(names[key])
    return found
