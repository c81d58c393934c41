"""Signals as something to wait for.

The interpreter writes each signal's number into a pipe, which the main thread reads: no code of ours runs in
the middle of something else, with either concurrency backend.
"""

import os
import select
import signal
from collections.abc import Iterable


def _nothing(number: int, frame: object) -> None:
    """Python wants a handler; what is to be done is done by who waits."""


class Signals:
    """The signals that came, in order; a further descriptor may be watched, whose end counts as SIGTERM."""

    def __init__(self, numbers: Iterable[int], lifeline: int | None = None) -> None:
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._lifeline = lifeline
        for number in numbers:
            signal.signal(number, _nothing)

    def wait(self, seconds: float | None = None) -> int | None:
        """The next signal; None when `seconds` pass without one."""
        watched = [self._read] if self._lifeline is None else [self._read, self._lifeline]
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._read in ready:
            return os.read(self._read, 1)[0]
        return int(signal.SIGTERM) if ready else None
