"""Answers that several who ask the same share, where they come faster than answers do.

Nobody is given an answer that was begun before he asked: what he was told before holds for it.
"""

import dataclasses
from collections.abc import Callable, Hashable
from concurrent import futures
from typing import Generic, TypeVar

from nova.common import clock, threads

T = TypeVar('T')

LONGEST = 60.0
"""Seconds that one waits for what another one asks; then he asks himself."""
CROWD = 8
"""As many who share an answer are a crowd."""
REST = 0.1
"""Most seconds of rest after an answer for a crowd, which is half as long as that took."""


@dataclasses.dataclass(slots=True)
class _Answer(Generic[T]):
    """An answer that is to be made, or is being made.

    Attributes:
        sharers: how many have asked for it.
        took: seconds, once it is made.
    """

    future: 'futures.Future[T]'
    sharers: int = 0
    took: float = 0.0


class Shared(Generic[T]):
    """Answers of one kind.

    Args:
        longest: seconds that one waits for what another one asks; then he asks himself.
        rests: after an answer for a crowd, which asks again soon, the next one is not begun at once: so those
            who have it come to work with it, and more share the next one.
    """

    def __init__(self, longest: float = LONGEST, rests: bool = False) -> None:
        self._longest, self._rests = longest, rests
        self._lock = threads.lock()
        self._next: dict[Hashable, _Answer[T]] = {}
        self._begun: dict[Hashable, _Answer[T]] = {}

    def ask(self, key: Hashable, make: Callable[[], T]) -> T:
        """An answer that was begun after the call; those who share it must not change it.

        Args:
            key: questions that have the same are alike.

        Raises:
            What `make` raises, whoever of those who share it has called it.
        """
        with self._lock:
            mine = self._next.get(key)
            if mine is None:
                mine = self._next[key] = _Answer(threads.future())
            first = not mine.sharers
            mine.sharers += 1
            before = self._begun.get(key)
        if first:
            self._make(key, mine, before, make)
        try:
            return mine.future.result(self._longest)
        except (futures.TimeoutError, futures.CancelledError):
            return make()

    def _make(self, key: Hashable, mine: _Answer[T], before: _Answer[T] | None, make: Callable[[], T]) -> None:
        """Make it when the one before is made: whoever comes meanwhile shares it."""
        if before is not None:
            threads.wait([before.future], self._longest)
            if self._rests and before.sharers >= CROWD:
                threads.sleep(min(before.took / 2, REST))
        with self._lock:
            del self._next[key]
            self._begun[key] = mine
        began = clock.monotonic()
        try:
            made = make()
            mine.took = clock.monotonic() - began
            mine.future.set_result(made)
        except Exception as error:  # noqa: BLE001  each who shares it raises it
            mine.future.set_exception(error)
        finally:
            mine.future.cancel()  # where the thread is ended, others ask for themselves
            with self._lock:
                if self._begun.get(key) is mine:
                    del self._begun[key]
