"""Who is alive: every worker incarnation bumps a counter, and judges others by watching theirs.

No clocks are compared. A worker is dead when its counter stood still over so many looks of ours: who could not
look himself judges nobody. It gives itself up before others can: `Lease.sure` ends before their patience does.
"""

import dataclasses
from collections.abc import Collection

import sqlalchemy as sa

from nova import release
from nova.common import clock, dbkit, threads, uuids
from nova.objects import task as rows
from nova.task import carers

FORGET = 3600.0
"""Seconds without a beat after which a worker's row is dropped."""

_SPACING = 0.9
"""Beats between two looks that both count; times the looks, that is longer than anybody is sure of himself."""


@dataclasses.dataclass(slots=True)
class _Seen:
    """Another worker as we have watched it.

    Attributes:
        since: when its counter was first seen as it is.
        looks: how often it was seen so again.
        last: when it was last seen so, of the looks that count.
    """

    worker: carers.Worker | None
    count: int
    since: float
    looks: int
    last: float


class Lease:
    """This incarnation's counter in one database, and its view of the others'.

    Args:
        seconds: between two beats; somebody else sees to that.
        beats: looks that find another's counter unchanged until it is dead; at least 3.
        supers: this worker may run steps above the cells.
        knows: the flows that it can run, each as `flow.Flow.key`.
    """

    def __init__(self, db: dbkit.Database, binary: str, host: str, seconds: float = 1.0, beats: int = 4, *,
                 supers: bool = False, knows: Collection[str] = ()) -> None:
        self.uuid = uuids.generate()
        self._db, self._binary, self._host = db, binary, host
        self._seconds, self._beats = seconds, max(3, beats)
        self._own = carers.Worker(self.uuid, supers, frozenset(knows))
        self._seen: dict[str, _Seen] = {}
        self._strangers: dict[str, int] = {}
        self._looks = 0
        self._entered = False
        self._beaten: float | None = None
        self._beating = threads.lock()

    def beat(self) -> None:
        """Bump the own counter, entering the list first where need be, and look at the others.

        Who has been dead for `FORGET` seconds is taken off the list; should it live after all, it enters again.
        One thread at a time does: two that entered the list at once would be one too many.
        """
        with self._beating:
            self._beat()

    def _beat(self) -> None:
        began = clock.monotonic()
        forgotten = [uuid for uuid, seen in self._seen.items()
                     if seen.since < began - FORGET and self._is_still(seen) and uuid != self.uuid]

        def write(conn: sa.Connection) -> list[rows.Beat]:
            if not rows.beat(conn, self.uuid):
                rows.enter(conn, self.uuid, self._binary, self._host, self._own.supers, sorted(self._own.knows))
            for uuid in forgotten:
                rows.leave(conn, uuid)
            return rows.beats(conn)
        found = self._db.write(write, landed=dbkit.repeatable)
        self._entered, self._beaten = True, began
        self._look(found)

    def _look(self, found: list[rows.Beat]) -> None:
        now = clock.monotonic()
        self._looks += 1
        before, self._seen = self._seen, {}
        for row in found:
            seen = before.get(row.uuid)
            if seen is None or seen.count != row.count:
                worker = None if row.knows is None else carers.Worker(
                    row.uuid, row.supers, frozenset(row.knows))
                seen = _Seen(worker, row.count, now, 0, now)
            elif now - seen.last >= _SPACING * self._seconds:
                seen.looks, seen.last = seen.looks + 1, now
            self._seen[row.uuid] = seen
        self._strangers = {uuid: asked for uuid, asked in self._strangers.items()
                           if asked >= self._looks - 2 * self._beats and uuid not in self._seen}

    def enter(self) -> None:
        """Be on the list before owning anything."""
        if not self._entered:
            with self._beating:
                if not self._entered:
                    self._beat()

    def sure(self) -> bool:
        """Whether nobody can have taken us for dead yet; asked before every effect."""
        return self._beaten is not None and (
            clock.monotonic() - self._beaten < (self._beats - 1) * self._seconds)

    def is_dead(self, owner: str) -> bool:
        """Whether `owner` has gone, or has not moved while we watched for long enough.

        One that was never seen may have come since the last look: it is gone when the next look misses it too.
        """
        if owner == self.uuid:
            return False
        seen = self._seen.get(owner)
        if seen is None:
            return self._strangers.setdefault(owner, self._looks) < self._looks
        return self._is_still(seen)

    def _is_still(self, seen: _Seen) -> bool:
        return seen.looks >= self._beats

    def living(self) -> list[carers.Worker]:
        """Workers that are not dead, this one included, as far as they say what they can run."""
        others = [seen.worker for uuid, seen in self._seen.items()
                  if seen.worker is not None and uuid != self.uuid and not self._is_still(seen)]
        return [self._own, *others]

    def oldest(self) -> release.Release:
        """The oldest release among the workers that are not dead.

        One of the release before does not say what it can run, or can run less than this one.
        """
        before = any((seen.worker is None or not self._own.knows <= seen.worker.knows)
                     and not self._is_still(seen) for uuid, seen in self._seen.items() if uuid != self.uuid)
        return release.PREVIOUS if before else release.own()

    def leave(self) -> None:
        """Graceful end: what is still owned is up for taking at once."""
        self._db.write(lambda conn: rows.leave(conn, self.uuid), landed=dbkit.repeatable)
        self._entered, self._beaten = False, None
