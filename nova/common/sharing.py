"""Answers that several who ask the same share, where they come faster than answers do.

Nobody is given an answer that was begun before he asked: what he was told before holds for it.
"""

from collections.abc import Callable, Hashable
from concurrent import futures
from typing import Generic, TypeVar

from nova.common import threads

T = TypeVar('T')

LONGEST = 60.0
"""Seconds that one waits for what another one asks; then he asks himself."""


class Shared(Generic[T]):
    """Answers of one kind."""

    def __init__(self) -> None:
        self._lock = threads.lock()
        self._next: dict[Hashable, futures.Future[T]] = {}
        self._begun: dict[Hashable, futures.Future[T]] = {}

    def ask(self, key: Hashable, make: Callable[[], T]) -> T:
        """An answer that was begun after the call; those who share it must not change it.

        Args:
            key: questions that have the same are alike.

        Raises:
            What `make` raises, whoever of those who share it has called it.
        """
        with self._lock:
            mine = self._next.get(key)
            first = mine is None
            if mine is None:
                mine = self._next[key] = threads.future()
            before = self._begun.get(key)
        if first:
            self._make(key, mine, before, make)
        try:
            return mine.result(LONGEST)
        except (futures.TimeoutError, futures.CancelledError):
            return make()

    def _make(self, key: Hashable, mine: futures.Future[T], before: futures.Future[T] | None,
              make: Callable[[], T]) -> None:
        """Make it when the one before is made: whoever comes meanwhile shares it."""
        if before is not None:
            threads.wait([before], LONGEST)
        with self._lock:
            del self._next[key]
            self._begun[key] = mine
        try:
            mine.set_result(make())
        except Exception as error:  # noqa: BLE001  each who shares it raises it
            mine.set_exception(error)
        finally:
            mine.cancel()  # where the thread is ended, others ask for themselves
            with self._lock:
                if self._begun.get(key) is mine:
                    del self._begun[key]
