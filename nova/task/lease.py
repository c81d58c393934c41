"""Who is alive: every worker incarnation bumps a counter, and judges others by watching theirs.

No clocks are compared: a worker is dead when its counter has stood still for `seconds` as seen by the watcher,
or when its row is gone.
"""

import sqlalchemy as sa

from nova.common import clock, dbkit, uuids
from nova.objects import task as rows

FORGET = 3600.0
"""Seconds without a beat after which a worker's row is dropped."""


class Lease:
    """This incarnation's counter in one database, and its view of the others'."""

    def __init__(self, db: dbkit.Database, binary: str, host: str, seconds: float = 4.0) -> None:
        self.uuid = uuids.generate()
        self._db, self._binary, self._host, self._seconds = db, binary, host, seconds
        self._seen: dict[str, tuple[int, float]] = {}
        self._entered = False

    def beat(self) -> None:
        """Bump the own counter, entering the list first where need be, and look at the others.

        Who has been dead for `FORGET` seconds is taken off the list; should it live after all, it enters again.
        """
        long_ago = clock.monotonic() - FORGET
        forgotten = [uuid for uuid, (_, since) in self._seen.items() if since < long_ago and uuid != self.uuid]

        def write(conn: sa.Connection) -> dict[str, int]:
            if not self._entered or not rows.beat(conn, self.uuid):
                rows.enter(conn, self.uuid, self._binary, self._host)
            for uuid in forgotten:
                rows.leave(conn, uuid)
            return rows.beats(conn)
        beats = self._db.write(write)
        self._entered = True
        now = clock.monotonic()
        self._seen = {uuid: self._seen[uuid] if self._seen.get(uuid, (None, 0))[0] == count else (count, now)
                      for uuid, count in beats.items()}

    def enter(self) -> None:
        """Be on the list before owning anything."""
        if not self._entered:
            self.beat()

    def is_dead(self, owner: str) -> bool:
        """Whether `owner` has gone, or has not moved for long enough while we watched."""
        if owner == self.uuid:
            return False
        seen = self._seen.get(owner)
        return seen is None or clock.monotonic() - seen[1] >= self._seconds

    def dead(self) -> list[str]:
        """Workers on the list that are dead."""
        return [uuid for uuid in self._seen if self.is_dead(uuid)]

    def leave(self) -> None:
        """Graceful end: what is still owned is up for taking at once."""
        self._db.write(lambda conn: rows.leave(conn, self.uuid))
        self._entered = False
