"""Calls over a library that may hold its caller for longer than it was told to."""

import collections
from collections.abc import Callable
from concurrent import futures
from typing import Generic, TypeVar

from nova import errors
from nova.common import clock, threads

MOST = 64
"""Threads at the same time, for each bus."""
IDLE = 10.0
"""Seconds for which a thread without a call stays."""
GRACE = 1.0
"""Seconds beyond a call's time in which the library may still say itself that it is over."""


T = TypeVar('T')


class Call(Generic[T]):
    """One call, and the answer for which its caller waits."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self.answer: futures.Future[T] = threads.future()

    def make(self) -> None:
        """Call, unless the caller has given up."""
        if not self.answer.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except Exception as error:  # noqa: BLE001  handed to the caller, whatever it is
            self.answer.set_exception(error)
            return
        self.answer.set_result(result)


class Calls:
    """Makes calls in threads of its own, so that each caller is free when its time is over.

    The library waits for a broker that accepts connections and says nothing, and its threads cannot be ended.
    So who calls sees first that the broker answers (`looks.answers`), once it has been silent: it holds as many
    threads as calls were on their way when it fell silent.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: collections.deque[Call] = collections.deque()
        self._changed = threads.condition()
        self._threads = self._idle = 0

    def run(self, call: Callable[[], T], deadline: clock.Deadline, what: str) -> T:
        """What `call` returns or raises, where that is by the `deadline`.

        Raises:
            errors.Unavailable: it was not; a call that had not begun never does.
        """
        made = Call(call)
        with self._changed:
            self._waiting.append(made)
            self._grow()
            self._changed.notify_all()
        try:
            return made.answer.result((deadline.left() or 0) + GRACE)
        except futures.TimeoutError:
            made.answer.cancel()
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
                call = self._waiting.popleft()
            call.make()
