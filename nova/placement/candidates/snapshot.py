"""What a worker remembers of all providers, and how it stays true.

A candidate search touches every provider, so it works on memory: columns of free capacity per resource class,
row lists per trait and per aggregate. Before each search one statement reads the *stamp* of the database;
when it differs from the snapshot's, the providers that changed are read again. A read therefore sees every
write that was committed, and so answered, before it began, whichever worker or process did the write.

Why an equal stamp means that nothing changed, even though transactions commit in any order:

- every relevant change of a provider raises its `version`, so while no provider is deleted `SUM(version)` rises
  with every commit;
- a deletion writes a tombstone. Tombstones are pruned oldest first, so at an equal number of them the sum of
  their ids can only have risen. (The highest id alone would miss a deletion that commits after a younger one.)
- `names_version` moves with classes and traits; a renamed class loads everything anew.

What changed is found by the same sums over *buckets* of ids, then by id and version inside the few buckets that
moved: a claim on one of 10,000 hosts reads some dozens of rows. After a deletion all ids are compared.

A `View` never changes once it is published, so searches share it between threads without a lock; the next one
shares with it whatever stayed the same.
"""

import dataclasses
import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.candidates.view import Inventory, Provider, View
from nova.placement.db import models

BUCKET = 256
"""Provider ids in one bucket of the change search."""

CHUNK = 500
"""Most ids in one IN (...)."""

_rp = models.resource_providers
_bucket = (_rp.c.id // BUCKET).label('bucket')


class Stamp(NamedTuple):
    """State of the database as far as candidates go; equal stamps mean equal states."""

    versions: int = -1
    providers: int = 0
    tombstones: tuple[int, int] = (0, 0)
    names: int = 0


def _stamp_query() -> sa.Select:
    live = sa.select(sa.func.sum(_rp.c.version).label('v'), sa.func.count().label('n')).select_from(_rp).subquery()
    stones = models.provider_tombstones
    dead = sa.select(sa.func.count().label('n'), sa.func.sum(stones.c.id).label('s')).select_from(stones).subquery()
    names = sa.select(models.names_version.c.version).where(models.names_version.c.id == 1).scalar_subquery()
    return sa.select(live.c.v, live.c.n, dead.c.n, dead.c.s, names).select_from(live.join(dead, sa.true()))


_STAMP = _stamp_query()


def read_stamp(connection: sa.Connection) -> Stamp:
    """The stamp of the database as this connection sees it; one statement."""
    versions, providers, dead, dead_ids, names = connection.execute(_STAMP).one()
    return Stamp(int(versions or 0), providers, (dead, int(dead_ids or 0)), names or 0)


@dataclasses.dataclass(slots=True)
class _Names:
    """Names by id, read again when an id is met that is not here."""

    classes: dict[int, str] = dataclasses.field(default_factory=dict)
    traits: dict[int, str] = dataclasses.field(default_factory=dict)
    aggregates: dict[int, str] = dataclasses.field(default_factory=dict)

    def reload(self, connection: sa.Connection) -> bool:
        """Read classes and traits; True when a name that was known means something else now."""
        def read(table: sa.Table) -> dict[int, str]:
            return {row[0]: row[1] for row in connection.execute(sa.select(table.c.id, table.c.name))}
        before = {**self.classes}
        self.classes, self.traits = read(models.resource_classes), read(models.traits)
        return any(self.classes.get(key, name) != name for key, name in before.items())

    def learn_aggregates(self, connection: sa.Connection, ids: Iterable[int]) -> None:
        """Aggregates are never renamed, so only unknown ones are read."""
        table = models.aggregates
        missing = sorted(set(ids) - self.aggregates.keys())
        for start in range(0, len(missing), CHUNK):
            query = sa.select(table.c.id, table.c.uuid).where(table.c.id.in_(missing[start:start + CHUNK]))
            self.aggregates.update((row[0], row[1]) for row in connection.execute(query))


class _Loader:
    """Reads providers whole, inside one transaction."""

    def __init__(self, connection: sa.Connection, names: _Names) -> None:
        self._connection = connection
        self._names = names

    def load(self, ids: Sequence[int] | None) -> list[Provider]:
        """The providers of these ids, or all when None."""
        if ids is None:
            return self._chunk(None)
        chunks = [ids[start:start + CHUNK] for start in range(0, len(ids), CHUNK)]
        return [provider for chunk in chunks for provider in self._chunk(chunk)]

    def _rows(self, columns: Sequence[Any], owner: sa.Column, ids: Sequence[int] | None,
              *group_by: Any) -> Sequence[Any]:
        query = sa.select(*columns)
        if ids is not None:
            query = query.where(owner.in_(ids))
        if group_by:
            query = query.group_by(*group_by)
        return self._connection.execute(query).all()

    def _chunk(self, ids: Sequence[int] | None) -> list[Provider]:
        inv, alloc = models.inventories.c, models.allocations.c
        tags, groups = models.resource_provider_traits.c, models.resource_provider_aggregates.c
        rows = self._rows((_rp.c.id, _rp.c.uuid, _rp.c.version, _rp.c.root_provider_id, _rp.c.parent_provider_id),
                          _rp.c.id, ids)
        used = {(owner, cls): int(total) for owner, cls, total in self._rows(
            (alloc.resource_provider_id, alloc.resource_class_id, sa.func.sum(alloc.used)),
            alloc.resource_provider_id, ids, alloc.resource_provider_id, alloc.resource_class_id)}
        owner_and_class = (inv.resource_provider_id, inv.resource_class_id)
        stock = self._rows((*owner_and_class, inv.total, inv.reserved, inv.allocation_ratio, inv.min_unit,
                            inv.max_unit, inv.step_size), inv.resource_provider_id, ids)
        traits = self._rows((tags.resource_provider_id, tags.trait_id), tags.resource_provider_id, ids)
        members = self._rows((groups.resource_provider_id, groups.aggregate_id), groups.resource_provider_id, ids)
        names = self._names
        if ({row[1] for row in stock} - names.classes.keys()) or ({row[1] for row in traits} - names.traits.keys()):
            names.reload(self._connection)
        names.learn_aggregates(self._connection, {row[1] for row in members})

        inventories: dict[int, dict[str, Inventory]] = {}
        for owner, cls, total, reserved, ratio, least, most, step in stock:
            inventories.setdefault(owner, {})[names.classes[cls]] = Inventory(
                int((total - reserved) * ratio), used.get((owner, cls), 0), least, most, step)
        tagged = _gathered(traits, names.traits)
        joined = _gathered(members, names.aggregates)
        return [Provider(key, uuid, version, root or key, parent, inventories.get(key, {}),
                         tuple(sorted(tagged.get(key, ()))), frozenset(joined.get(key, ())))
                for key, uuid, version, root, parent in rows]


def _gathered(pairs: Iterable[Any], names: dict[int, str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for owner, key in pairs:
        found.setdefault(owner, []).append(names[key])
    return found


class Snapshot:
    """The latest View of one database, brought up to date on demand. Thread-safe."""

    def __init__(self, db: dbkit.Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._names = _Names()
        self._state: tuple[Stamp, View] = (Stamp(), View.of([]))

    def fresh(self) -> View:
        """A View that holds every write committed before this call.

        Raises:
            oslo_db.exception.DBError: the database cannot be read.
        """
        with self._db.read() as connection:
            seen = read_stamp(connection)
        stamp, view = self._state
        if stamp == seen:
            return view
        with self._lock, self._db.read(snapshot=True) as connection:
            stamp, view = self._state
            seen = read_stamp(connection)
            if stamp != seen:
                view = self._advance(connection, stamp, seen, view)
                self._state = (seen, view)
            return view

    def held(self) -> View:
        """The View of the last search, without a look at the database; for figures only."""
        return self._state[1]

    def _advance(self, connection: sa.Connection, stamp: Stamp, seen: Stamp, view: View) -> View:
        loader = _Loader(connection, self._names)
        renamed = seen.names != stamp.names and self._names.reload(connection)
        if renamed or not view.providers:
            return View.of(loader.load(None))
        if stamp.tombstones != seen.tombstones:
            current = self._versions(connection, None)
            gone = view.rows.keys() - current.keys()
        else:
            current, gone = self._versions(connection, self._moved_buckets(connection, view)), set()
        held = view.providers
        changed = [key for key, version in current.items()
                   if key not in view.rows or held[view.rows[key]].version != version]
        everything = len(changed) * 3 > len(held) + CHUNK
        if everything:
            return View.of(loader.load(None))
        return view.after(loader.load(changed), gone)

    def _moved_buckets(self, connection: sa.Connection, view: View) -> list[int]:
        query = sa.select(_bucket, sa.func.sum(_rp.c.version)).group_by(_bucket)
        ids = np.fromiter((p.id for p in view.providers), dtype=np.int64, count=len(view.providers))
        versions = np.fromiter((p.version for p in view.providers), dtype=np.int64, count=len(view.providers))
        sums = np.bincount(ids // BUCKET, weights=versions)
        return [int(bucket) for bucket, total in connection.execute(query)
                if bucket >= len(sums) or int(total) != int(sums[int(bucket)])]

    def _versions(self, connection: sa.Connection, buckets: Collection[int] | None) -> dict[int, int]:
        query = sa.select(_rp.c.id, _rp.c.version)
        if buckets is not None:
            if len(buckets) <= CHUNK:
                query = query.where(sa.or_(sa.false(), *(
                    _rp.c.id.between(bucket * BUCKET, bucket * BUCKET + BUCKET - 1) for bucket in buckets)))
        return {row[0]: row[1] for row in connection.execute(query)}
