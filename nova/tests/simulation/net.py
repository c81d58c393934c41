"""Between a process and what it has an effect on: latency, what is cut off, what goes wrong, and who looks on.

Every effect has a number, counted over the whole run, so that a history can say: at the seventh effect, before
it happens, the process that has it dies.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from nova.tests.simulation.loop import Actor, Loop, Machine

T = TypeVar('T')
Act = Callable[[], object]

REFUSED, HUNG, ONE_WAY, SLOW = 'refused', 'hung', 'one way', 'slow'
"""Connections are refused; nothing arrives; all arrives, and nothing comes back; all takes seconds."""
KINDS = (REFUSED, HUNG, ONE_WAY, SLOW)
ANY = '*'


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """An effect that has happened or was about to."""

    number: int
    actor: str
    service: str
    name: str
    place: tuple[Any, ...] | None
    at: float


@dataclasses.dataclass(slots=True)
class Fault:
    """What a service answers instead, so often."""

    error: Callable[[], Exception]
    times: int
    late: bool
    name: str | None = None
    flow: str | None = None
    step: str | None = None

    def hits(self, place: tuple[Any, ...] | None, name: str) -> bool:
        mine = place or (None, None, None)
        return (self.times > 0 and self.name in (None, name) and self.flow in (None, mine[0])
                and self.step in (None, mine[1]) and (self.flow is None or mine[2] == 'do'))


class Net:
    """Every way from a machine to a service: ``db api``, ``bus cell1``, ``network``, ``driver h1``.

    Args:
        latency: least and most seconds an effect takes to arrive.
    """

    def __init__(self, loop: Loop, latency: tuple[float, float] = (0.001, 0.02)) -> None:
        self.loop, self._latency = loop, latency
        self.seen: list[Seen] = []
        self._cuts: dict[tuple[str, str], str] = {}
        self._acts: dict[tuple[int, str], Act] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.watch: list[Callable[[Seen, Actor, str], object]] = []
        """Called with each effect: when it begins (``before``), and when it has happened (``after``)."""

    # What a history says

    @property
    def count(self) -> int:
        """Effects so far."""
        return len(self.seen)

    def reset(self) -> None:
        """Count from the beginning; nothing is to happen any more."""
        self.seen.clear()
        self._acts.clear()
        self.faults.clear()

    def do(self, number: int, when: str, act: Act) -> None:
        """Call `act` ``before`` or ``after`` the effect of this number, in the actor that has it."""
        self._acts[number, when] = act

    def cut(self, machine: str, service: str, kind: str) -> None:
        """A machine (or ``*``) reaches a service no more, or slowly."""
        self.loop.say(f'{service} is {kind} for {machine}', 'net')
        self._cuts[machine, service] = kind

    def heal(self, machine: str | None = None, service: str | None = None) -> None:
        """As before; without arguments everything."""
        for key in [key for key in self._cuts if machine in (None, key[0]) and service in (None, key[1])]:
            self.loop.say(f'{key[1]} is well again for {key[0]}', 'net')
            del self._cuts[key]

    def well(self) -> bool:
        """Whether nothing is cut off, or told to fail."""
        return not self._cuts and not any(fault.times > 0 for found in self.faults.values() for fault in found)

    def fail(self, service: str, error: Callable[[], Exception], times: int = 1, **where: Any) -> None:
        """Have a service answer with an error, `late` when the effect has happened; see `Fault`."""
        self.faults.setdefault(service, []).append(Fault(error, times, where.pop('late', False), **where))

    def state(self, machine: Machine, service: str) -> str | None:
        """How a service is reached from a machine; None when well."""
        if not self._cuts:
            return None
        name = machine.name
        return (self._cuts.get((name, service)) or self._cuts.get((ANY, service))
                or self._cuts.get((name, ANY)))

    # What services of the world call

    def travel(self, seconds: float | None = None) -> float:
        low, high = self._latency
        rng = self.loop.rng
        return (low + (high - low) * rng.random() if rng else low) if seconds is None else seconds

    def reach(self, service: str, away: Callable[[], Exception], patience: float) -> None:
        """Arrive at a service, or raise what is raised where it is away, within `patience` seconds."""
        loop = self.loop
        loop.check()
        actor = loop.current
        if actor is None or actor.atomic:
            return
        loop.park(service, self.travel())
        kind = self.state(actor.process.machine, service)
        if kind is None or kind == ONE_WAY:
            return
        if kind == SLOW:
            loop.park(service, self.travel(3.0))
            return
        if kind == HUNG and self._outlast(actor, service, patience):
            return
        loop.say(f'cannot reach {service}')
        raise away()

    def answer(self, service: str, away: Callable[[], Exception], patience: float) -> None:
        """Bring an answer back, or raise where it is lost."""
        loop = self.loop
        loop.check()
        actor = loop.current
        if actor is None or actor.atomic:
            return
        kind = self.state(actor.process.machine, service)
        if kind in (HUNG, ONE_WAY):
            self._outlast(actor, service, patience)
            loop.say(f'gets no answer from {service}')
            raise away()
        if kind == REFUSED:
            loop.say(f'loses the answer of {service}')
            raise away()
        loop.give_way()

    def _outlast(self, actor: Actor, service: str, patience: float) -> bool:
        """Wait while a service hangs; True when it is well again before patience is at its end."""
        loop = self.loop
        end = loop.now + patience
        while loop.now < end:
            loop.park(f'{service}, which hangs', min(1.0, end - loop.now))
            if self.state(actor.process.machine, service) in (None, SLOW):
                return True
        return False

    def effect(self, service: str, name: str, fn: Callable[[], T], away: Callable[[], Exception],
               patience: float, told: str = '') -> T:
        """Have an effect on a service."""
        if self.loop.actor.atomic:
            return fn()
        seen = self.begin(service, name, told, away, patience)
        result = fn()
        self.end(seen, away, patience)
        return result

    def begin(self, service: str, name: str, told: str = '', away: Callable[[], Exception] = AssertionError,
              patience: float = float('inf')) -> Seen:
        """The first half of `effect`, for who has the effect himself: on a hypervisor, which waits for ever."""
        loop, actor = self.loop, self.loop.actor
        loop.check()
        seen = Seen(len(self.seen) + 1, str(actor), service, name, actor.place, loop.now)
        self.seen.append(seen)
        self._act(seen, 'before')
        self.reach(service, away, patience)
        self.spoil(service, name, late=False)
        loop.say(f'[{seen.number}] {service}: {name} {told}'.rstrip() + _at(seen.place))
        for watch in self.watch:
            watch(seen, actor, 'before')
        return seen

    def end(self, seen: Seen, away: Callable[[], Exception] = AssertionError,
            patience: float = float('inf')) -> None:
        """The second half."""
        for watch in self.watch:
            watch(seen, self.loop.actor, 'after')
        self._act(seen, 'after')
        self.spoil(seen.service, seen.name, late=True)
        self.answer(seen.service, away, patience)

    def _act(self, seen: Seen, when: str) -> None:
        act = self._acts.pop((seen.number, when), None)
        if act is not None:
            act()
            self.loop.check()

    def spoil(self, service: str, name: str, late: bool) -> None:
        """Raise what a history has scripted for this effect."""
        for fault in self.faults.get(service, ()) or ():
            if fault.late == late and fault.hits(self.loop.actor.place, name):
                fault.times -= 1
                error = fault.error()
                self.loop.say(f'{service}: {name} {"loses its answer" if late else "fails"}: '
                              f'{type(error).__name__}')
                raise error


def _at(place: tuple[Any, ...] | None) -> str:
    return '' if place is None else f'  ({place[0]}.{place[1]} {place[2]} #{place[4]} of {str(place[3])[:8]})'
