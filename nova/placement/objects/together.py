"""Claims that come at once, written in one transaction: it costs little more than one claim's own does.

The first that comes is written at once. Whoever comes meanwhile waits in line, and then the first of these
writes for all of them. Who was answered just now is likely to ask for more, so a lot begins when as many are
in line as there were last time, or when as much time has gone by since as the last lot took: who waits for
others waits no longer than they would have had to wait for him. Nobody is refused for what others asked: of a
lot that is turned down nothing is written, and each of its requests is written alone. Nobody waits for long:
what holds up a lot, a provider that others have locked for instance, does not concern everybody, so who has
waited for `PATIENCE` is written alone.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from nova.common import clock, problem, threads
from nova.placement.db import transaction

MOST = 16
"""Requests in a lot."""

PATIENCE = 0.25
"""Seconds in line."""

LINGER = 0.01
"""Most seconds for which a lot waits for those who asked last time."""

C = TypeVar('C')


@dataclasses.dataclass(eq=False, slots=True)
class _Request(Generic[C]):
    """One change and what became of it.

    Attributes:
        turn: set when the request leads a lot, or the lot that it was in has ended.
        error: ended its lot, and says nothing about whether anything was written.
    """

    key: str
    change: C
    turn: threads.Event = dataclasses.field(default_factory=threads.event)
    leads: bool = False
    written: bool = False
    error: Exception | None = None


class Together(Generic[C]):
    """Writes the changes of many threads in few transactions.

    Args:
        write: writes changes, all or none, in one attempt.
        alone: writes one change in as many attempts as it takes, and says what is wrong with it.
    """

    def __init__(self, write: Callable[[Sequence[C]], None], alone: Callable[[C], None]) -> None:
        self._write, self._alone = write, alone
        self._line: list[_Request[C]] = []
        self._busy = False
        self._lock = threads.lock()
        self._expected, self._until = 1, 0.0
        self._all_here: threads.Event | None = None

    @property
    def waiting(self) -> int:
        """Requests in line."""
        return len(self._line)

    def __call__(self, key: str, change: C) -> None:
        """Write a change; two with the same key are never in one lot.

        Raises:
            Exception: what `alone` raises of this change, or what kept a lot from an answer.
        """
        mine = _Request(key, change)
        with self._lock:
            if self._busy:
                self._line.append(mine)
                if self._all_here is not None and self._are_here():
                    self._all_here.set()
            else:
                self._busy = mine.leads = True
        if not mine.leads:
            self._wait(mine)
        if mine.leads:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        if not mine.written:
            self._alone(change)

    def _wait(self, mine: _Request[C]) -> None:
        mine.turn.wait(PATIENCE)
        with self._lock:
            if mine in self._line:
                self._line.remove(mine)
                return
        mine.turn.wait()

    def _lead(self, mine: _Request[C]) -> None:
        """Write for all that wait, then give the lead to the first of those who have come meanwhile."""
        lot = self._gather(mine)
        begun = clock.monotonic()
        try:
            if len(lot) == 1:
                self._alone(mine.change)
            else:
                self._write([each.change for each in lot])
            for each in lot:
                each.written = True
        except Exception as error:  # noqa: BLE001  it is told to everybody whose change was in the lot
            if len(lot) == 1 or not isinstance(error, (problem.Problem, *transaction.LOST)):
                for each in lot:
                    each.error = error
        finally:
            with self._lock:
                self._expect(len(lot) + len(self._line), begun)
                following = self._line.pop(0) if self._line else None
                self._busy = following is not None
            if following is not None:
                following.leads = True
                following.turn.set()
            for each in lot:
                each.turn.set()

    def _expect(self, number: int, begun: float) -> None:
        """So many may be in line soon; the lot that has ended began then."""
        now = clock.monotonic()
        self._expected, self._until = min(number, MOST), now + min(now - begun, LINGER)

    def _are_here(self) -> bool:
        return len(self._line) + 1 >= self._expected

    def _gather(self, mine: _Request[C]) -> list[_Request[C]]:
        """The lot of a leader: those in line, once all have come who are expected, or time is over."""
        with self._lock:
            left = self._until - clock.monotonic()
            if left <= 0 or self._are_here():
                return self._lot(mine)
            here = self._all_here = threads.event()
        here.wait(left)
        with self._lock:
            self._all_here = None
            return self._lot(mine)

    def _lot(self, mine: _Request[C]) -> list[_Request[C]]:
        lot, keys = [mine], {mine.key}
        for each in self._line:
            if each.key not in keys and len(lot) < MOST:
                lot.append(each)
                keys.add(each.key)
        self._line = [each for each in self._line if each not in lot]
        return lot
