"""Casts on their way to a broker, so that nobody waits for one that is away."""

import collections
import dataclasses
import logging
from collections.abc import Callable

from nova.common import clock, metrics, threads

LOG = logging.getLogger(__name__)

LIMIT = 2000
"""Casts of one kind that may wait for a broker; more push the oldest out."""
STALE = 30.0
"""Seconds after which a cast that waits is worth nothing, unless it is kept longer."""
PAUSE = 1.0
"""Seconds between attempts while a broker does not answer."""
IDLE = 10.0
"""Seconds for which a lane keeps its thread without a message."""


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """A message that waits.

    Attributes:
        again: for how long a failed attempt is followed by another one.
        stale: when it is no longer worth sending.
    """

    send: Callable[[], None]
    again: clock.Deadline
    stale: clock.Deadline


class Lane:
    """Messages of one kind, sent in order. Its thread comes with a message and goes when there are none."""

    def __init__(self, bus: str, what: str) -> None:
        self._what, self._name = what, f'outbox-{bus}-{what}'
        self._waiting: collections.deque[Letter] = collections.deque()
        self._changed = threads.condition()
        self._thread: threads.Thread | None = None
        self._closing: clock.Deadline | None = None
        self._dropped = 0
        self.failing = False
        """Whether the last message could not be sent; forgotten when none has come for a while."""

    def put(self, letter: Letter) -> None:
        """Queue a message; when too many wait, the oldest goes: what it says has been said anew since."""
        with self._changed:
            if self._closing is not None:
                drop(self._what, 'the outbox is closed')
                return
            if len(self._waiting) >= LIMIT:
                self._waiting.popleft()
                self._drop('too many wait')
            self._waiting.append(letter)
            if self._thread is None:
                self._thread = threads.start(self._name, self._run)
            self._changed.notify_all()

    def depth(self) -> int:
        """Messages that wait."""
        return len(self._waiting)

    def close(self, until: clock.Deadline) -> threads.Thread | None:
        """Take no more; the thread that sends what waits, for at most that long, and ends."""
        with self._changed:
            self._closing = until
            self._changed.notify_all()
            return self._thread

    def _next(self) -> Letter | None:
        """Take out the next message that is still worth sending; None when the thread may go."""
        with self._changed:
            while True:
                if not self._waiting and self._closing is None:
                    self._changed.wait(IDLE)
                if not self._waiting or (self._closing is not None and self._closing.passed()):
                    self._thread, self.failing = None, False
                    return None
                letter = self._waiting.popleft()
                if not letter.stale.passed():
                    return letter
                self._drop('it has waited too long')

    def _run(self) -> None:
        while (letter := self._next()) is not None:
            while not self._sent(letter):
                self._pause()
                if letter.stale.passed() or (self._closing is not None and self._closing.passed()):
                    self._drop('no broker took it')
                    break

    def _sent(self, letter: Letter) -> bool:
        """Whether the message is done with: it was sent, or is not worth another attempt."""
        try:
            letter.send()
        except Exception as error:  # noqa: BLE001  whatever a broker's library raises, the next one goes on
            self.failing = True
            if not letter.again.passed():
                return False
            self._drop(type(error).__name__)
            return True
        self.failing = False
        if self._dropped:
            LOG.warning('%s is sent again; %d were dropped meanwhile', self._what, self._dropped)
            self._dropped = 0
        return True

    def _pause(self) -> None:
        """Before the next attempt; a shorter one where the time to close is counted."""
        with self._changed:
            self._changed.wait(PAUSE if self._closing is None else PAUSE / 10)

    def _drop(self, why: str) -> None:
        """The first of many is told, the others are counted."""
        self._dropped += 1
        if self._dropped == 1:
            drop(self._what, why)
        else:
            metrics.RPC_DROPPED.labels(self._what).inc()


class Outbox:
    """The lanes of one bus, by what is sent (``conductor.step_done``): no kind of message waits for another."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lanes: dict[str, Lane] = {}
        self._lock = threads.lock()
        self._closed = False

    @property
    def failing(self) -> bool:
        """Whether the last message of some kind could not be sent."""
        return any(lane.failing for lane in list(self._lanes.values()))

    def put(self, send: Callable[[], None], keep: float, what: str) -> None:
        """Queue a message; when sending fails it is tried again until `keep` seconds from now."""
        with self._lock:
            lane = self._lanes.get(what)
            if lane is None and not self._closed:
                lane = self._lanes[what] = Lane(self._name, what)
        if lane is None:
            drop(what, 'the outbox is closed')
            return
        lane.put(Letter(send, clock.Deadline(keep), clock.Deadline(max(keep, STALE))))

    def depths(self) -> dict[str, int]:
        """How many messages wait, by what they say."""
        return {what: lane.depth() for what, lane in list(self._lanes.items())}

    def close(self, seconds: float) -> None:
        """Send what waits, for at most `seconds`, and end."""
        until = clock.Deadline(seconds)
        with self._lock:
            self._closed = True
            lanes = list(self._lanes.values())
        for thread in [lane.close(until) for lane in lanes]:
            if thread is not None:
                thread.join(until.left())


def drop(what: str, why: str) -> None:
    """A cast is given up: count it, and say so."""
    metrics.RPC_DROPPED.labels(what).inc()
    LOG.warning('cast %s was dropped: %s', what, why)
