"""Calls over a library that may hold its caller for longer than it was told to."""

import collections
from collections.abc import Callable
from concurrent import futures
from typing import Any

from nova import errors
from nova.common import clock, threads

MOST = 64
"""Threads at the same time, for each bus."""
IDLE = 10.0
"""Seconds for which a thread without a call stays."""
GRACE = 1.0
"""Seconds beyond a call's time in which the library may still say itself that it is over."""


class Calls:
    """Makes calls in threads of its own, so that each caller is free when its time is over.

    The library waits for a broker that accepts connections and says nothing, and its threads cannot be ended.
    So who calls sees first that the broker answers (`looks.answers`), once it has been silent: it holds as many
    threads as calls were on their way when it fell silent.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: collections.deque[tuple[futures.Future[Any], Callable[[], Any]]] = collections.deque()
        self._changed = threads.condition()
        self._threads = self._idle = 0

    def run(self, call: Callable[[], Any], deadline: clock.Deadline, what: str) -> Any:
        """What `call` returns or raises, where that is by the `deadline`.

        Raises:
            errors.Unavailable: it was not; a call that had not begun never does.
        """
        answer = threads.future()
        with self._changed:
            self._waiting.append((answer, call))
            self._grow()
            self._changed.notify_all()
        try:
            return answer.result((deadline.left() or 0) + GRACE)
        except futures.TimeoutError:
            answer.cancel()
            raise errors.bus.BusAway(f'No answer to {what} came in time.') from None

    def _grow(self) -> None:
        """Have a thread for what waits, where another one is allowed."""
        if len(self._waiting) > self._idle and self._threads < MOST:
            self._threads += 1
            threads.start(f'call-{self._name}', self._work)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._idle += 1
                    self._changed.wait_for(lambda: self._waiting, IDLE)
                    self._idle -= 1
                if not self._waiting:
                    self._threads -= 1
                    return
                answer, call = self._waiting.popleft()
            if answer.set_running_or_notify_cancel():
                self._make(answer, call)

    @staticmethod
    def _make(answer: 'futures.Future[Any]', call: Callable[[], Any]) -> None:
        try:
            result = call()
        except Exception as error:  # noqa: BLE001  handed to the caller, whatever it is
            answer.set_exception(error)
            return
        answer.set_result(result)
