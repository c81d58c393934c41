"""One scheduler of runnable actors on one virtual clock: what happens follows from its random numbers alone.

Every thread of every process of the world is an `Actor`, a greenlet. One runs at a time, until it waits or
comes to an effect; then the loop picks the next that can run, by chance. When none can, time passes to the next
moment at which one can. A `Process` can be killed (its actors end where they wait, and nothing they still do
counts), paused and resumed.
"""

import heapq
import random
from collections.abc import Callable
from typing import Any

import greenlet

from nova import release

INSTANT = 1e-6
"""Virtual seconds of the shortest wait."""
ON_ITS_WAY = -1


class Killed(BaseException):
    """The process ends here, as by kill -9: nothing between this and the loop may catch it."""


class Deadlock(AssertionError):
    """Nobody can run and nobody waits for time to pass; tells who holds what the others wait for."""


class Machine:
    """Where processes run: it has clocks of its own, and can be cut off.

    Attributes:
        skew: seconds by which its wall clock is wrong.
        since: what its monotonic clock showed when the world began.
    """

    def __init__(self, name: str, skew: float = 0.0, since: float = 0.0) -> None:
        self.name, self.skew, self.since = name, skew, since

    def __repr__(self) -> str:
        return self.name


class Process:
    """Actors that live and die together. A restarted one is another object of the same name."""

    def __init__(self, name: str, machine: Machine) -> None:
        self.name, self.machine, self.release = name, machine, release.CURRENT
        self.actors: list[Actor] = []
        self.held: list[Actor] = []
        self.dead = self.paused = False
        self.service: Any = None
        self.ends: list[Callable[[], object]] = []
        """Called when it was killed: sockets close."""

    def __repr__(self) -> str:
        return self.name


class Actor:
    """A thread of a process.

    Attributes:
        place: ``(flow, step, direction, task, attempt)`` of the step it is running, if it runs one.
        waits: what it waits for, to be read by people.
    """

    __slots__ = ('name', 'process', 'green', 'token', 'woken', 'place', 'waits', 'atomic', 'ended')

    def __init__(self, name: str, process: Process) -> None:
        self.name, self.process = name, process
        self.green: Any = None
        self.token = 0
        self.woken = self.ended = False
        self.place: tuple[Any, ...] | None = None
        self.waits: object = None
        self.atomic = 0

    def __repr__(self) -> str:
        return f'{self.process.name}/{self.name}'


class Loop:
    """The scheduler.

    Args:
        rng: decides who runs next; None takes who has waited longest.
    """

    EPOCH = 1_750_000_000.0
    """The wall clock when a world begins: always the same, and before files of today were written."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self.rng = rng
        self.now = self._suspended = 0.0
        self.current: Actor | None = None
        self.trace: list[tuple[float, str, str]] = []
        self.switches = 0
        self.failure: BaseException | None = None
        self._hub = greenlet.getcurrent()
        self._ready: list[Actor] = []
        self._timers: list[tuple[float, int, Any, int]] = []
        self._serial = 0
        self._outside = self.actor = Actor('test', Process('world', Machine('world')))
        """`actor`: who runs; the test itself where no actor does."""

    # Clocks, as nova.common.clock asks for them

    def timestamp(self) -> float:
        return self.EPOCH + self.now + self.actor.process.machine.skew

    def monotonic(self) -> float:
        return self.now - self._suspended + self.actor.process.machine.since

    def say(self, text: str, actor: object = None) -> None:
        """A line of the trace."""
        self.trace.append((self.now, str(actor or self.actor), text))

    def fail(self, what: str) -> None:
        """The run has shown a fault: it ends here, whoever catches what is raised.

        Raises:
            AssertionError: always.
        """
        error = AssertionError(what)
        if self.failure is None:
            self.failure = error
        raise error

    # Actors

    def spawn(self, process: Process, name: str, fn: Callable[[], object]) -> Actor:
        """Begin an actor; it first runs when the loop picks it."""
        actor = Actor(name, process)
        if process.dead:
            actor.ended = True
            return actor

        def run() -> None:
            try:
                if not process.dead:
                    fn()
            except Killed:
                pass
            except BaseException as error:  # noqa: BLE001  a thread that dies of an error is a finding
                self.say(f'ended by {type(error).__name__}: {error}')
                if self.failure is None:
                    self.failure = error
            finally:
                actor.ended = True
                if not process.dead:
                    process.actors.remove(actor)
        actor.green = greenlet.greenlet(run, self._hub)
        process.actors.append(actor)
        self._make_ready(actor)
        return actor

    def _make_ready(self, actor: Actor) -> None:
        (actor.process.held if actor.process.paused else self._ready).append(actor)

    def park(self, waits: object, seconds: float | None = None) -> bool:
        """Wait until `wake`, or for so long; whether it was woken."""
        actor = self.current
        if actor is None:
            raise AssertionError(f'the test itself would have to wait for {waits}')
        self.check()
        if actor.atomic:
            self.fail(f'{actor} waits for {waits} inside of a transaction')
        actor.token += 1
        actor.woken = False
        actor.waits = waits
        if seconds is not None:
            # Who waits for less than the clock can tell would find that no time has passed, for ever.
            self.at(self.now + max(INSTANT if seconds > 0 else 0.0, seconds), actor, actor.token)
        self._hub.switch()
        if actor.process.dead:
            raise Killed
        return actor.woken

    def wake(self, actor: Actor) -> None:
        """Let an actor that waits go on."""
        if not actor.ended and not actor.woken and actor.waits is not None:
            actor.woken, actor.waits = True, None
            actor.token += 1
            self._make_ready(actor)

    def at(self, when: float, what: Any, token: int = 0) -> None:
        """At that time call `what()`, or wake the actor `what` by the end of its wait."""
        self._serial += 1
        heapq.heappush(self._timers, (when, self._serial, what, token))

    def after(self, seconds: float, fn: Callable[[], object]) -> None:
        """What was sent arrives: call `fn` in so many seconds, in the loop itself. It must not wait."""
        self.at(self.now + seconds, fn, ON_ITS_WAY)

    def plan(self, seconds: float, fn: Callable[[], object]) -> None:
        """Somebody outside of the world will do something in so many seconds."""
        self.at(self.now + seconds, fn)

    def expects(self, seconds: float) -> bool:
        """Whether something that is on its way (`after`) arrives later than in so many seconds."""
        return any(token == ON_ITS_WAY and when > self.now + seconds for when, _, _, token in self._timers)

    def leap(self, until: float) -> None:
        """Everything stands still, as if all machines were suspended, until then or until somebody's plan.

        Their monotonic clocks stand still with them. Nothing happens while something is on its way.
        """
        if self._ready or any(token == ON_ITS_WAY for _, _, _, token in self._timers):
            return
        plans = [when for when, _, what, _ in self._timers if not isinstance(what, Actor)]
        seconds = min([until, *plans]) - self.now
        if seconds > 0:
            self.say(f'everybody sleeps for {seconds:.3f} s', 'loop')
            self.now += seconds
            self._suspended += seconds
            self._timers = [(when + seconds if isinstance(what, Actor) else when, serial, what, token)
                            for when, serial, what, token in self._timers]
            heapq.heapify(self._timers)

    def check(self) -> None:
        """Every effect and every wait begins so: who is dead does nothing more."""
        if self.current is not None and self.current.process.dead:
            raise Killed

    # Processes

    def kill(self, process: Process) -> None:
        """kill -9. The actor that runs, when it is one of its own, must raise `Killed` next."""
        if process.dead:
            return
        process.dead, process.paused = True, False
        self.say('is killed', process)
        current = self.current
        for actor in list(process.actors):
            actor.waits = None
            if actor is not current and actor.green and not actor.ended:
                self._end(actor)
        self._ready = [actor for actor in self._ready if actor.process is not process]
        process.held.clear()
        for fn in process.ends:
            fn()

    def _end(self, actor: Actor) -> None:
        """Unwind an actor where it waits; what its handlers try to do is refused, for its process is dead."""
        if not actor.green:  # never began
            actor.ended = True
            return
        before = self.current
        self.current = self.actor = actor
        parent = actor.green.parent
        try:
            actor.green.parent = greenlet.getcurrent()
            actor.green.throw(Killed)
            if actor.green:
                actor.green.parent = parent
        finally:
            self.current, self.actor = before, before or self._outside

    def pause(self, process: Process) -> None:
        """SIGSTOP: none of its actors runs until `resume`; time passes for it all the same."""
        if process.dead or process.paused:
            return
        self.say('is paused', process)
        process.paused = True
        process.held = [actor for actor in self._ready if actor.process is process]
        self._ready = [actor for actor in self._ready if actor.process is not process]

    def resume(self, process: Process) -> None:
        """SIGCONT."""
        if process.dead or not process.paused:
            return
        self.say('is resumed', process)
        process.paused = False
        self._ready += process.held
        process.held = []

    def give_way(self) -> None:
        """Let others run: where a paused process has to stop."""
        actor = self.current
        if actor is not None and not actor.atomic:
            self._make_ready(actor)
            self._hub.switch()
            if actor.process.dead:
                raise Killed

    # Running

    def run(self, ended: Callable[[], bool], until: float) -> bool:
        """Run until `ended()`, asked about once a virtual second when nobody can run; False when that is not
        before `until`."""
        look = self.now
        while True:
            if self.failure is not None:
                raise self.failure
            if self._ready:
                self._switch()
            elif self.now >= look:
                if ended():
                    return True
                look = self.now + 1.0
            elif not self._timers:
                raise Deadlock('nobody can run:\n' + self.standing())
            else:
                self._pass_time()
            if self.now > until:
                return False

    def _switch(self) -> None:
        ready = self._ready
        index = int(self.rng.random() * len(ready)) if self.rng is not None and len(ready) > 1 else 0
        actor = self.current = self.actor = ready.pop(index)
        actor.waits = None
        self.switches += 1
        try:
            actor.green.switch()
        finally:
            self.current, self.actor = None, self._outside

    def _pass_time(self) -> None:
        when, _, what, token = heapq.heappop(self._timers)
        if isinstance(what, Actor):
            if what.token != token or what.ended or what.process.dead:
                return
            self.now = max(self.now, when)
            what.token += 1
            what.waits = None
            self._make_ready(what)
        else:
            self.now = max(self.now, when)
            what()

    def close(self, processes: list[Process]) -> None:
        """End everything that still waits."""
        for process in processes:
            self.kill(process)
        self._timers.clear()

    def standing(self) -> str:
        """Who waits for what."""
        seen = {actor.process: None for actor in self._ready}
        processes = dict.fromkeys([*seen, *self._known])
        return '\n'.join(f'  {actor} waits for {actor.waits}' for process in processes
                         for actor in process.actors if actor.waits)

    _known: list[Process] = []

    def know(self, process: Process) -> Process:
        """Have `standing` tell of a process."""
        self._known = [*self._known, process]
        return process
