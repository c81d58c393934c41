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

import threading
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from nova.common import dbkit
from nova.placement.candidates.loader import CHUNK, Loader, Names
from nova.placement.candidates.view import View
from nova.placement.db import models

BUCKET = 256
"""Provider ids in one bucket of the change search."""

_rp = models.resource_providers
_stones = models.provider_tombstones
_bucket = (_rp.c.id // BUCKET).label('bucket')


class Stamp(NamedTuple):
    """State of the database as far as candidates go; equal stamps mean equal states."""

    versions: int = -1
    providers: int = 0
    tombstones: tuple[int, int] = (0, 0)
    names: int = 0


def _stamp_query() -> sa.Select:
    def figures(table: sa.Table, column: sa.Column) -> sa.Subquery:
        return sa.select(sa.func.sum(column).label('s'),
                         sa.func.count().label('n')).select_from(table).subquery()
    live, dead = figures(_rp, _rp.c.version), figures(_stones, _stones.c.id)
    names = sa.select(models.names_version.c.version).where(models.names_version.c.id == 1).scalar_subquery()
    return sa.select(live.c.s, live.c.n, dead.c.n, dead.c.s, names).select_from(live.join(dead, sa.true()))


_STAMP = _stamp_query()


def read_stamp(connection: sa.Connection) -> Stamp:
    """The stamp of the database as this connection sees it; one statement."""
    versions, providers, dead, dead_ids, names = connection.execute(_STAMP).one()
    return Stamp(int(versions or 0), providers, (dead, int(dead_ids or 0)), names or 0)


class Snapshot:
    """The latest View of one database, brought up to date on demand. Thread-safe."""

    def __init__(self, db: dbkit.Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._names = Names()
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
        loader = Loader(connection, self._names)
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
        sums = np.bincount(view.ids // BUCKET, weights=view.versions)
        return [int(bucket) for bucket, total in connection.execute(query)
                if bucket >= len(sums) or int(total) != int(sums[int(bucket)])]

    def _versions(self, connection: sa.Connection, buckets: Collection[int] | None) -> dict[int, int]:
        query = sa.select(_rp.c.id, _rp.c.version)
        if buckets is not None and len(buckets) <= CHUNK:
            query = query.where(sa.or_(sa.false(), *(
                _rp.c.id.between(bucket * BUCKET, bucket * BUCKET + BUCKET - 1) for bucket in buckets)))
        return {row[0]: row[1] for row in connection.execute(query)}
