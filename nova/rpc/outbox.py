"""Casts on their way to a broker, so that nobody waits for one that is away."""

import collections
import logging
from collections.abc import Callable

from nova.common import clock, metrics, threads

LOG = logging.getLogger(__name__)

LIMIT = 10_000
"""Casts that may wait for a broker; more are dropped, newest first."""
PAUSE = 1.0
"""Seconds between attempts while a broker does not answer."""


class Outbox:
    """Casts on their way to a broker, sent in order by one background thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: collections.deque[tuple[Callable[[], None], clock.Deadline, str]] = collections.deque()
        self._changed = threads.condition()
        self._closing: clock.Deadline | None = None
        self.failing = False
        """Whether the last message could not be sent."""
        self._thread: threads.Thread | None = None

    def put(self, send: Callable[[], None], keep: float, what: str) -> None:
        """Queue a message; when sending fails it is tried again until `keep` seconds from now."""
        with self._changed:
            if self._closing is not None or len(self._waiting) >= LIMIT:
                self.drop(what, 'the outbox is closed' if self._closing else 'the outbox is full')
                return
            self._waiting.append((send, clock.Deadline(keep), what))
            if self._thread is None:
                self._thread = threads.start(f'outbox-{self._name}', self._run)
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Send what waits, for at most `seconds`, and end."""
        with self._changed:
            self._closing = clock.Deadline(seconds)
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and self._closing is None:
                    self._changed.wait()
                if not self._waiting or (self._closing is not None and self._closing.passed()):
                    return
                send, keep, what = self._waiting[0]
            try:
                send()
                self.failing = False
            except Exception as error:  # noqa: BLE001  whatever a broker's library raises, the next one goes on
                self.failing = True
                if not keep.passed():
                    self._pause()
                    continue
                self.drop(what, type(error).__name__)
            with self._changed:
                self._waiting.popleft()

    def _pause(self) -> None:
        with self._changed:
            if self._closing is None:
                self._changed.wait_for(lambda: self._closing is not None, PAUSE)

    @staticmethod
    def drop(what: str, why: str) -> None:
        metrics.RPC_DROPPED.labels(what).inc()
        LOG.warning('cast %s was dropped: %s', what, why)
