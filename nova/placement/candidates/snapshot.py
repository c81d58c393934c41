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

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from nova.common import dbkit, threads
from nova.placement.candidates.frozen import Frozen
from nova.placement.candidates.loader import CHUNK, Loader, Names
from nova.placement.candidates.view import View
from nova.placement.db import models

BUCKET_BITS = 7
"""A bucket of the change search holds the provider ids that differ in these lowest bits only."""

_rp = models.resource_providers
_bucket = _rp.c.id.bitwise_rshift(BUCKET_BITS).label('bucket')


class Stamp(NamedTuple):
    """State of the database as far as candidates go; equal stamps mean equal states."""

    versions: int = -1
    providers: int = 0
    tombstones: tuple[int, int] = (0, 0)
    names: int = 0


def _figures(table: dbkit.Table, column: sa.Column) -> sa.Subquery:  # type: ignore[explicit-any]
    return sa.select(sa.func.sum(column).label('s'), sa.func.count().label('n')).select_from(table).subquery()


_LIVE = _figures(_rp, _rp.c.version)
_DEAD = _figures(models.provider_tombstones, models.provider_tombstones.c.id)
_NAMES = sa.select(models.names_version.c.version).where(models.names_version.c.id == 1).scalar_subquery()
_STAMP = sa.select(_LIVE.c.s, _LIVE.c.n, _DEAD.c.n, _DEAD.c.s, _NAMES).select_from(_LIVE.join(_DEAD, sa.true()))
_REST_OF_STAMP = sa.select(_DEAD.c.n, _DEAD.c.s, _NAMES).select_from(_DEAD)
_BUCKETS = sa.select(_bucket, sa.func.sum(_rp.c.version), sa.func.count()).group_by(_bucket)


def read_stamp(connection: sa.Connection) -> Stamp:
    """The stamp of the database as this connection sees it; one statement."""
    versions, providers, dead, dead_ids, names = connection.execute(_STAMP).one()
    return Stamp(int(versions or 0), providers, (dead, int(dead_ids or 0)), names or 0)


class Snapshot:
    """The latest View of one database, brought up to date on demand. Thread-safe."""

    def __init__(self, db: dbkit.Database) -> None:
        self._db = db
        self._lock = threads.lock()
        self._names = Names()
        self._frozen = Frozen()
        self._state: tuple[Stamp, View] = (Stamp(), View.of([]))

    def fresh(self) -> View:
        """A View that holds every write committed before this call.

        Raises:
            oslo_db.exception.DBError: the database cannot be read.
        """
        return self.state()[1]

    def state(self) -> tuple[Stamp, View]:
        """`fresh`, with the stamp of the database that it shows."""
        with self._db.read() as connection:
            seen = read_stamp(connection)
        stamp, view = state = self._state
        if stamp == seen:
            return state
        with self._lock:
            stamp, view = self._state
            if stamp != seen:
                with self._db.read(snapshot=True) as connection:
                    self._state, self._names = self._advance(connection, stamp, view)
            return self._state

    def held(self) -> View:
        """The View of the last search, without a look at the database; for figures only."""
        return self._state[1]

    def _advance(self, connection: sa.Connection, stamp: Stamp, view: View) -> tuple[tuple[Stamp, View], Names]:
        """The state that this transaction sees, made from the one before."""
        sums = {int(bucket): (int(total), count) for bucket, total, count in connection.execute(_BUCKETS)}
        dead, dead_ids, named = connection.execute(_REST_OF_STAMP).one()
        seen = Stamp(sum(total for total, _ in sums.values()), sum(count for _, count in sums.values()),
                     (dead, int(dead_ids or 0)), named or 0)
        names = self._names.copy()
        loader = Loader(connection, names)
        renamed = seen.names != stamp.names and names.reload(connection)
        if renamed or not view.providers:
            return (seen, self._whole(loader)), names
        if stamp.tombstones != seen.tombstones:
            current = _versions(connection, None)
            gone = view.rows.keys() - current.keys()
        else:
            moved = _moved(view, {bucket: total for bucket, (total, _) in sums.items()})
            current, gone = _versions(connection, moved), set()
        held = view.providers
        changed = [key for key, version in current.items()
                   if key not in view.rows or held[view.rows[key]].version != version]
        if len(changed) * 3 > len(held) + CHUNK:
            return (seen, self._whole(loader)), names
        after = view.after(loader.load(changed), gone)
        self._frozen.loaded(len(changed), len(after.providers))
        return (seen, after), names

    def _whole(self, loader: Loader) -> View:
        view = View.of(loader.load(None))
        self._frozen.loaded(len(view.providers), len(view.providers))
        return view


def _moved(view: View, sums: dict[int, int]) -> list[int]:
    """Buckets whose versions do not add up to what the View holds."""
    held = np.bincount(view.ids >> BUCKET_BITS, weights=view.versions)
    return [bucket for bucket, total in sums.items() if bucket >= len(held) or total != int(held[bucket])]


def _versions(connection: sa.Connection, buckets: Collection[int] | None) -> dict[int, int]:
    """Version by provider id, of all or of these buckets."""
    query = sa.select(_rp.c.id, _rp.c.version)
    if buckets is not None and len(buckets) <= CHUNK:
        size = 1 << BUCKET_BITS
        query = query.where(sa.or_(sa.false(), *(
            _rp.c.id.between(bucket * size, bucket * size + size - 1) for bucket in buckets)))
    return {key: version for key, version in connection.execute(query)}
