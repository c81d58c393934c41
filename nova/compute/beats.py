"""Signs of life, from a thread that does nothing else.

It asks neither the hypervisor, nor a neighbour, nor the disk, and sending is putting into a queue: so whatever
hangs on a host, the host is not taken for dead.
"""

import logging
from collections.abc import Callable, Mapping

from nova import release
from nova.common import clock, health, threads
from nova.objects import step as wire

LOG = logging.getLogger(__name__)

TICK = 0.5
"""Seconds at least between two looks at whose beat is due, unless somebody asks for one."""
LONGEST = 10.0
"""Seconds at most between two looks."""
EARLY = 1.0
"""Seconds for which a step runs before it is worth a beat of its own: quick ones are answered by then."""
STANDSTILL = 30.0
"""Seconds without a look after which the beats stand still."""
MOST = 1000
"""Steps that one beat names."""

Open = Mapping[str, tuple[int, float]]
"""Task to the attempt that a host has in line or runs, and since when on the monotonic clock."""


class Heart:
    """The beats of one host: silent until it has joined, and while it joins anew.

    Args:
        tell: says a beat to the conductors, and returns at once.
        seconds: between two beats, at most: each host has its own turn in them.
        attempts: what the host has in line or runs.
        disabled: whether it believes that it is disabled.
        silence: seconds without a beat after which the host may have been given up.
        slept: is told so once it stood still for so long, and has it join anew.

    Attributes:
        epoch: the one the host last joined at; None while it is silent.
    """

    def __init__(self, host: str, binary: str, tell: Callable[[wire.HostBeat], None], seconds: float,
                 attempts: Callable[[], Open], disabled: Callable[[], bool | None],
                 silence: float, slept: Callable[[], None]) -> None:
        self.host = host
        self.epoch: int | None = None
        self._binary, self._tell, self._seconds = binary, tell, seconds
        self._attempts, self._disabled = attempts, disabled
        self._silence, self._slept = silence, slept
        self._due, self._last = 0.0, clock.NEVER
        self._named: dict[str, int] = {}

    def begin(self, epoch: int) -> None:
        """The host has joined: beat at once, and from now on."""
        self._due, self._last = 0.0, clock.monotonic()
        self.epoch = epoch

    def pause(self) -> None:
        """Be silent until `begin`."""
        self.epoch = None

    def is_awake(self) -> bool:
        """Whether the host may begin what it is told: it has joined, and has not stood still since for so long
        that it may have been given up."""
        if self.epoch is None:
            return False
        if clock.monotonic() - self._last <= self._silence:
            return True
        self._slept()
        return False

    def look(self, now: float) -> float:
        """Beat, if that is due, or if a step runs that no beat has named; when the next beat is due."""
        epoch = self.epoch
        if epoch is None or not self.is_awake():
            return clock.NEVER
        attempts = self._attempts()
        fresh = [since + EARLY for task, (attempt, since) in attempts.items()
                 if self._named.get(task) != attempt]
        due = min([self._due, *fresh])
        if now < due:
            return due
        self._due = clock.turn(self.host, self._seconds, now)
        self._last = clock.monotonic()
        named = dict(list(attempts.items())[:MOST])
        self._named = {task: attempt for task, (attempt, _) in named.items()}
        self._tell(wire.HostBeat(
            host=self.host, binary=self._binary, version=release.own().service, disabled=self._disabled(),
            epoch=epoch, steps=self._named))
        return self._due


class Beats:
    """The hearts of every host in the process."""

    def __init__(self) -> None:
        self._hearts: list[Heart] = []
        self._lock = threads.lock()
        self.health = health.Pulse('no sign of life has been given', STANDSTILL)
        self._ticker = threads.Ticker('beats', LONGEST, self._tick, self._complain)

    def start(self) -> None:
        self._ticker.start()

    def stop(self) -> None:
        self._ticker.stop()

    def add(self, heart: Heart) -> None:
        with self._lock:
            self._hearts = [*self._hearts, heart]

    def remove(self, heart: Heart) -> None:
        with self._lock:
            self._hearts = [one for one in self._hearts if one is not heart]

    def within(self, seconds: float) -> None:
        """Look at what is due in so many seconds, unless that is done anyway."""
        self._ticker.within(seconds)

    def _tick(self) -> float:
        self.health.beat()
        now = clock.monotonic()
        due = now + LONGEST
        for heart in self._hearts:
            try:
                due = min(due, heart.look(now))
            except Exception:
                # Whatever is wrong with one host keeps no other from saying that it lives.
                due = now + TICK
                LOG.exception('Host %s could not give a sign of life', heart.host)
        return max(TICK, due - now)

    @staticmethod
    def _complain(error: Exception) -> None:
        LOG.error('The beats stumbled: %s', error)
