"""Is this process well? What it needs is asked, and an answer comes in time even where one of them hangs."""

import logging
from collections.abc import Callable, Mapping
from concurrent import futures

from nova.common import clock, problem, threads

LOG = logging.getLogger(__name__)

Check = Callable[[], str | None]
"""Says why something is not well; None when it is."""

PATIENCE = 3.0
"""Seconds that a question may take."""


class Probe:
    """A `Check` by a question that may hang, such as whether a database answers.

    It runs in a thread of its own, one at a time: while one hangs nobody asks again, and all are told that.

    Args:
        what: who is asked, for the reason.
        ask: returns when all is well, else raises. Of what it raises only the kind is told, for it may name
            addresses and users.
    """

    def __init__(self, what: str, ask: Callable[[], object], seconds: float = PATIENCE) -> None:
        self._what, self._ask, self._seconds = what, ask, seconds
        self._lock = threads.lock()
        self._asking: futures.Future[object] | None = None
        self._since = 0.0

    def __call__(self) -> str | None:
        with self._lock:
            if self._asking is None or self._asking.done():
                self._asking, self._since = threads.future(), clock.monotonic()
                threads.start(f'probe-{self._what}', self._run, self._asking)
            asking, since = self._asking, self._since
        try:
            asking.result(self._seconds)
        except futures.TimeoutError:
            return f'{self._what} has not answered for {clock.monotonic() - since:.0f} s'
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            return f'{self._what} cannot be used ({type(error).__name__})'
        return None

    def _run(self, answer: 'futures.Future[object]') -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:
            LOG.debug('%s cannot be used', self._what, exc_info=True)
            answer.set_exception(error)


class Gate:
    """Refuses requests, in seconds, until what they need has answered for the first time.

    Args:
        probe: asked until it is content for the first time.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe, self._open = probe, False

    def enter(self) -> None:
        """Go on, or raise `problem.Unavailable`."""
        if self._open:
            return
        why = self._probe()
        if why is not None:
            LOG.error('A request was refused: %s', why)
            raise problem.Unavailable(f'The service is not ready: {why}.')
        self._open = True


class Pulse:
    """A `Check` of something that has to happen again and again.

    Args:
        what: what has not happened, for the reason.
        seconds: how long it may take from one time to the next.
    """

    def __init__(self, what: str, seconds: float) -> None:
        self._what, self._seconds = what, seconds
        self._last = clock.monotonic()

    def beat(self) -> None:
        """It has happened."""
        self._last = clock.monotonic()

    def __call__(self) -> str | None:
        still = clock.monotonic() - self._last
        return f'{self._what} for {still:.0f} s' if still > self._seconds else None


def reasons(checks: Mapping[str, Check]) -> dict[str, str]:
    """Why the process is not well, by check; empty when it is."""
    return {name: why for name, check in checks.items() if (why := check())}
