"""What a host does by the clock, for many hosts on one clock: a ticker, and a small pool that does the work."""

import dataclasses
import logging
from collections.abc import Callable

from nova import context as nova_context
from nova.common import clock, health, threads

LOG = logging.getLogger(__name__)

TICK = 0.25
"""Seconds at least between two looks at what is due, unless something was kicked."""
LONGEST = 10.0
"""Seconds at most between two looks."""
NEVER = clock.NEVER
STANDSTILL = 30.0
"""Seconds without a tick after which the clock stands still."""


@dataclasses.dataclass(slots=True, eq=False)
class Chore:
    """`fn` runs when due and says in how many seconds it is due again; None is `seconds`, `NEVER` ends it.

    A chore that raises is logged and due again after `seconds`; one that still runs is not started twice.

    Attributes:
        of: whose it is. Its turn comes within `seconds`, then, but not at the time when that of others does.
    """

    name: str
    seconds: float
    fn: Callable[[], float | None]
    due: float = 0.0
    runs: bool = False
    ended: bool = False
    kicked: bool = False
    of: str = ''

    def again(self, pause: float | None) -> float:
        """When it is due again; `pause` is what `fn` said."""
        now = clock.monotonic()
        if pause is None and self.of:
            return clock.turn(f'{self.of}/{self.name}', self.seconds, now)
        return now + (self.seconds if pause is None else pause)

    def ready(self, now: float) -> bool:
        return not self.runs and (self.kicked or self.due <= now)


class Chores:
    """Chores of every host in the process."""

    def __init__(self, size: int) -> None:
        self._pool = threads.Pool('chores', size)
        self._all: list[Chore] = []
        self._lock = threads.lock()
        self.health = health.Pulse('nothing has been done by the clock', STANDSTILL)
        self._ticker = threads.Ticker(
            'chores', LONGEST, self._tick, lambda error: LOG.error('the clock stumbled: %s', error))

    def start(self) -> None:
        self._ticker.start()

    def stop(self, wait: bool = True) -> None:
        """Start no more chores; with `wait`, return when those that run have ended."""
        self._ticker.stop()
        self._pool.close(wait)

    def add(self, chore: Chore) -> Chore:
        with self._lock:
            self._all.append(chore)
        self._ticker.within(self._pause(chore))
        return chore

    def remove(self, chores: list[Chore]) -> None:
        """Forget chores; one that runs ends by itself."""
        with self._lock:
            for chore in chores:
                chore.ended = True
            self._all = [one for one in self._all if not one.ended]

    def kick(self, chore: Chore) -> None:
        """Make a chore due now; or, while it runs, as soon as it has ended."""
        chore.kicked = True
        self._ticker.kick()

    @staticmethod
    def _pause(chore: Chore) -> float:
        """In how many seconds to look at it."""
        return 0.0 if chore.kicked else max(TICK, chore.due - clock.monotonic())

    def _tick(self) -> float:
        self.health.beat()
        now = clock.monotonic()
        with self._lock:
            ready = [chore for chore in self._all if chore.ready(now)]
            for chore in ready:
                chore.runs = True
            due = min((chore.due for chore in self._all if not chore.runs), default=NEVER)
        for chore in ready:
            self._pool.submit(self._run, chore)
        return max(TICK, min(LONGEST, due - now))

    def _run(self, chore: Chore) -> None:
        pause: float | None = None
        # Its log lines carry a request id of their own, not the last one's of this thread.
        nova_context.admin().update_store()
        # A kick from now on is for the time after this one.
        chore.kicked = False
        try:
            if not chore.ended:
                pause = chore.fn()
        except Exception:
            # A chore may be anybody's, and one that failed must be called again like any other.
            LOG.exception('%s failed; it is tried again', chore.name)
        finally:
            chore.due = chore.again(pause)
            chore.runs = False
            self._ticker.within(self._pause(chore))
