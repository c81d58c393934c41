"""Requests that are answered when something has happened, or their time is over.

Under WSGI each of them holds a thread, so one process has room for a few only (``[api] max_waiting``); who
finds none is told so by whoever serves him, and does not wait.
"""

import contextlib
from collections.abc import Iterator

from nova.common import clock, threads

FIRST, LONGEST = 0.1, 1.0
"""Seconds between two looks: each pause is half as long again as the one before, up to the longest."""


class Waits:
    """Room for the waiting requests of one process.

    Args:
        most: how many there may be.
    """

    def __init__(self, most: int) -> None:
        self._most, self._there = most, 0
        self._lock = threads.lock()
        self._ended = threads.event()

    @contextlib.contextmanager
    def room(self) -> Iterator[bool]:
        """Whether there is room, which is taken meanwhile."""
        with self._lock:
            has = self._there < self._most and not self._ended.is_set()
            self._there += has
        try:
            yield has
        finally:
            with self._lock:
                self._there -= has

    def rounds(self, deadline: clock.Deadline) -> Iterator[None]:
        """One round a look, until the deadline or the end of the process; at least one."""
        pause = FIRST
        yield
        while not deadline.passed() and not self._ended.wait(min(pause, deadline.left() or 0.0)):
            pause = min(pause * 1.5, LONGEST)
            yield

    def close(self) -> None:
        """Have all who wait be answered now."""
        self._ended.set()
