"""Histories: what users ask and what breaks, as data, so that one can be drawn, run, shrunk and run again.

A history is its seed, a `worlds.Shape` and a list of `Event`s. The seed decides everything that the events
leave open: who runs next, how long messages take. After `HEAL` seconds all that was broken is well again; then
every task has to end and the invariants have to hold. There may be several such rounds. At last every server
can be deleted, and nothing of it is left.
"""

import dataclasses
import functools
import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nova import errors, objects
from nova.ops.delete import flow as deletion
from nova.states import Power
from nova.task import later, runner
from nova.tests.simulation import bus, cases, invariants, neighbours, net, users
from nova.tests.simulation import world as worlds

HEAL = 90.0
"""Virtual seconds after which everything is well again, at the latest: once all is quiet. What is broken for so
long by itself has `LONGER`."""
LONGER = 30.0
"""Virtual seconds between the end of what is broken for the longest time and that."""
BOUND = 900.0
"""Virtual seconds in which all tasks have to end from then on: less than any flow's deadline, since what is
well has no reason to wait for one."""
LOOK = 150.0
"""Virtual seconds in which every host has to be heard again, and all that is on its way has come. A
super-conductor that was paused until then may begin to remove what came late ninety seconds after that."""
LATER = 2 * later.EVERY.total_seconds() + 300.0
"""Virtual seconds in which conductors look again for what came late. Who speaks as the release before does not
say how long he waits for a scheduler; one that stood still may claim for him after the first look."""
PAUSE = 3.0
"""Virtual seconds in which a host that was heard again has told all."""
SPAN = 12.0
"""Virtual seconds within which users ask and things break."""
EFFECTS = 60
"""The highest number of an effect at which something breaks."""


USERS = ('boot', 'delete', 'restore', 'operate', 'evacuate')
"""Events by which nothing breaks."""


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happens at a time (``at``), or at an effect (``effect``, in whoever has it).

    Attributes:
        what: name of a method of `Run` without its ``do_``.
        args: its arguments, as JSON can hold them.
        round: times and effects count from its beginning; all is well and quiet before.
    """

    what: str
    args: dict[str, Any]
    at: float | None = None
    effect: int | None = None
    when: str = 'before'
    round: int = 0

    def __str__(self) -> str:
        where = f'at {self.at:.1f} s' if self.at is not None else f'{self.when} effect {self.effect}'
        told = ', '.join(f'{name}={value}' for name, value in self.args.items())
        return f'{where}: {self.what}({told})' + (f' in round {self.round}' if self.round else '')


@dataclasses.dataclass(frozen=True)
class History:
    """See the module.

    Attributes:
        anew: every server is deleted at the end of each round, so that each is a history of its own in a world
            that has lived others before.
    """

    seed: int
    shape: worlds.Shape
    events: tuple[Event, ...]
    anew: bool = False

    def __str__(self) -> str:
        return '\n'.join([f'seed {self.seed}, {self.shape}', *(f'  {event}' for event in self.events)])

    def to_json(self) -> str:
        return json.dumps({'seed': self.seed, 'shape': dataclasses.asdict(self.shape), 'anew': self.anew,
                           'events': [dataclasses.asdict(event) for event in self.events]})

    @classmethod
    def from_json(cls, text: str) -> 'History':
        found = json.loads(text)
        shape = {**found['shape'], 'older': tuple(found['shape'].get('older', ()))}
        return cls(found['seed'], worlds.Shape(**shape),
                   tuple(Event(**event) for event in found['events']), found.get('anew', False))

    def rounds(self) -> list[list[Event]]:
        """The events of each round."""
        numbers = sorted({event.round for event in self.events})
        return [[event for event in self.events if event.round == number] for number in numbers]

    @property
    def count(self) -> int:
        """How many histories it is."""
        return len(self.rounds()) if self.anew else 1

    def only(self, number: int) -> 'History':
        """One round alone."""
        return dataclasses.replace(self, events=tuple(
            dataclasses.replace(event, round=0) for event in self.events if event.round == number))

    def until(self, number: int) -> 'History':
        """What came before the end of a round."""
        return dataclasses.replace(self, events=tuple(
            event for event in self.events if event.round <= number))

    def without(self, index: int) -> 'History':
        return dataclasses.replace(self, events=self.events[:index] + self.events[index + 1:])


class Failed(AssertionError):
    """A history showed a fault; says what, which history, in which round, and all that happened in it."""

    def __init__(self, history: History, why: BaseException, trace: str, number: int = 0) -> None:
        self.history, self.why, self.number = history, why, number
        super().__init__(f'{type(why).__name__}: {why}\n\n{history}\n\n{trace}\n\n'
                         f'replay: tools/simulate --history \'{history.to_json()}\'')


@functools.cache
def asked_for() -> list[str]:
    """Flows that users begin on a server that is there."""
    return sorted(name for name, kind in cases.flows().items()
                  if users.action_of(kind) is not None and kind.exclusion != 'preempting'
                  and name != deletion.Restore.name)


BEFORE = {'start': 'stop', 'resume': 'suspend', 'unpause': 'pause', 'unrescue': 'rescue', 'unshelve': 'shelve',
          'confirm_resize': 'resize', 'revert_resize': 'resize', 'attach_share': 'stop',
          'detach_share': 'attach_share', 'detach_volume': 'attach_volume', 'swap_volume': 'attach_volume'}
"""What users ask for before something that needs it."""


class Run:
    """One history, being lived."""

    def __init__(self, world: worlds.World, history: History) -> None:
        self.world, self.history = world, history
        self.number = 0
        self.gone: set[str] = set()
        """Servers that had been deleted before this round."""

    def arrange(self, events: Iterable[Event]) -> None:
        """Have every event happen when it is due."""
        world, began = self.world, self.world.loop.now
        for event in events:
            act = self._act(event)
            if event.effect is not None:
                world.net.do(event.effect, event.when, act)
            else:
                world.loop.at(began + (event.at or 0.0), act)

    def _act(self, event: Event) -> Callable[[], object]:
        method = getattr(self, f'do_{event.what}')

        def act() -> None:
            self.world.loop.say(str(event), 'history')
            method(**event.args)
        return act

    def live(self) -> None:
        """Live it to its end.

        Raises:
            AssertionError: something that has to hold does not.
        """
        rounds = self.history.rounds()
        for events in rounds:
            self.number = events[0].round
            self.round(events)
            if self.history.anew or events is rounds[-1]:
                self.delete_all()

    def delete_all(self) -> None:
        """Every server can be deleted, and nothing is left of it."""
        world = self.world
        there = [uuid for uuid in world.users.servers if uuid not in self.gone]
        for uuid in there:
            world.delete(uuid)
        world.settle(BOUND)
        self.check()
        left = [uuid for uuid in there if world.server(uuid) is not None]
        assert not left, f'servers that cannot be deleted: {left}'
        self.gone.update(there)

    def round(self, events: Sequence[Event]) -> None:
        """What happens between two quiet points."""
        world = self.world
        self.arrange(events)
        last = world.loop.now + max(event.at or 0.0 for event in events)
        longest = max(event.args.get('seconds', 0.0) for event in events)
        world.wait(max(HEAL, longest + LONGER), lambda: world.loop.now > last + 5 and world.quiet())
        self.heal()
        world.settle(BOUND)
        # A host that returned, or whose answer is still on its way, has a moment.
        if any(event.what not in USERS for event in events):
            healed = world.loop.now
            assert world.run(LOOK, lambda: world.calm(healed)), 'a host is silent, or an effect on its way'
            world.run(PAUSE)
            world.settle(BOUND)
        if self.history.shape.older and longest > runner.LATE:
            world.run(LATER)
            world.settle(BOUND)
        if any(event.what == 'guest_stops' for event in events):
            # What was said of it may be lost, or too early: hosts compare now and then.
            world.run(worlds.SYNC + PAUSE)
            world.settle(BOUND)
        self.check()
        self.gone |= {uuid for uuid in world.users.servers if world.server(uuid) is None}

    def heal(self) -> None:
        world = self.world
        world.loop.say('everything is well again', 'history')
        world.net.reset()
        world.net.heal()
        for broker in world.brokers.values():
            broker.mishaps = bus.Mishaps()
        for name in sorted(world.older):
            world.upgrade(name)
        for name, process in world.processes.items():
            world.loop.resume(process)
            world.revive(name)

    def check(self) -> None:
        invariants.check(self.world)
        assert not self.world.steps.twice, self.world.steps.twice[0]

    # Users

    def uuid(self, server: int) -> str | None:
        """A server by its number."""
        known = [uuid for uuid in self.world.users.servers if uuid not in self.gone]
        return known[server % len(known)] if known else None

    def do_boot(self, count: int = 1, volumes: int = 0, new: str = '', ports: int = 0) -> None:
        world = self.world
        world.order(count=count, new=[new] if new else [],
                    volumes=[world.clients.volume.add(project_id='project') for _ in range(volumes)],
                    ports=[world.clients.network.api.add_port(world.network) for _ in range(ports)])

    def do_delete(self, server: int, kind: str = 'delete') -> None:
        uuid = self.uuid(server)
        if uuid is not None:
            self.world.delete(uuid, cases.flows()[kind])

    def do_restore(self, server: int) -> None:
        uuid = self.uuid(server)
        if uuid is not None:
            self.world.users.restore(uuid)

    def do_operate(self, server: int, flow: str) -> None:
        uuid = self.uuid(server)
        state = None if uuid is None else cases.state_on(self.world, uuid, flow)
        if state is not None:
            self.world.users.begin(uuid, cases.flows()[flow], state, also=cases.writes_of(flow))

    def do_evacuate(self, host: str) -> None:
        """Each server of a host that is down."""
        cell = self.world.hosts[host]
        with self.world.raw[cell].read() as conn:
            uuids = [each.uuid for each in objects.Instance.all(conn, host=host)]
        for uuid in uuids:
            state = cases.state_on(self.world, uuid, 'evacuate')
            if state is not None:
                self.world.users.begin(uuid, cases.flows()['evacuate'], state)

    def do_guest_stops(self, server: int) -> None:
        """The guest, if it runs, shuts itself down; once the hypervisor is not at something else."""
        uuid = self.uuid(server)

        def stop() -> None:
            for driver in self.world.drivers.values():
                if driver.guests().get(str(uuid)) == Power.RUNNING:
                    driver.set_power(str(uuid), Power.SHUTDOWN)
        if uuid is not None:
            self.world.ask(f'guest of {uuid[:8]} stops', stop)

    # What breaks

    def _process(self, name: str | None) -> Any:
        """The process of a name; None is the one at work."""
        process = self.world.loop.actor.process if name is None else self.world.processes.get(name)
        return process if process is not None and process.name in self.world.processes else None

    def do_kill(self, process: str | None = None, back: float | None = 1.0) -> None:
        """kill -9; without `back` it comes back when everything is healed."""
        found = self._process(process)
        if found is not None:
            self.world.kill(found.name, back)

    def do_upgrade(self, process: str, back: float = 1.0) -> None:
        """A process of the release before starts again with this one."""
        if process in self.world.older:
            self.world.upgrade(process, back)

    def do_pause(self, process: str | None = None, seconds: float = 30.0) -> None:
        found = self._process(process)
        if found is None or found.dead:
            return
        self.world.loop.pause(found)
        self.world.loop.plan(seconds, lambda: self.world.loop.resume(found))
        if found is self.world.loop.actor.process:
            self.world.loop.give_way()

    def do_cut(self, service: str, kind: str, machine: str = net.ANY, seconds: float = 30.0) -> None:
        self.world.net.cut(machine, service, kind)
        self.world.loop.plan(seconds, lambda: self.world.net.heal(machine, service))

    def do_cut_off(self, process: str | None = None, seconds: float = 120.0) -> None:
        """Its machine reaches no broker, and goes on with what it is at."""
        found = self._process(process)
        if found is not None:
            for broker in self.world.brokers.values():
                self.do_cut(broker.service, net.HUNG, found.machine.name, seconds)

    def do_mishaps(self, broker: str, lost: float = 0.0, doubled: float = 0.0, delayed: float = 0.0,
                   delay: float = 10.0, calls: bool = False, seconds: float = 30.0) -> None:
        found = self.world.brokers[broker]
        found.mishaps = bus.Mishaps(lost, doubled, delayed, delay, calls)

        def end() -> None:
            found.mishaps = bus.Mishaps()
        self.world.loop.plan(seconds, end)

    def do_err(self, service: str, times: int = 1, late: bool = False, final: bool = False) -> None:
        """A neighbour says no: for a moment, or (`final`) for good."""
        kinds = neighbours.BROKEN if final else neighbours.AWAY
        self.world.net.fail(service, kinds[service], times, late=late)

    def do_refuse(self, host: str, times: int = 1) -> None:
        """A hypervisor fails at what it is told."""
        self.world.net.fail(f'driver {host}', lambda: errors.virt.DriverFailed(reason='told to fail'), times)


def run(kept: worlds.Kept, history: History, kind: type[Run] = Run) -> worlds.World:
    """Live a history.

    Args:
        kind: knows further events, for histories that are told by hand.

    Raises:
        Failed: it showed a fault.
    """
    with worlds.world(kept, history.shape, history.seed) as world:
        told = kind(world, history)
        try:
            told.live()
        except (AssertionError, RuntimeError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise Failed(history, error, world.tail(100_000), told.number) from error
        return world


def shrunk(live: Callable[[History], object], failed: Failed) -> Failed:
    """A shorter history that fails too: rounds and events without which `live` still raises are left out."""
    best, index = failed, 0
    for shorter in (failed.history.only(failed.number), failed.history.until(failed.number)):
        try:
            live(shorter)
        except Failed as again:
            best = again
            break
    while index < len(best.history.events):
        try:
            live(best.history.without(index))
        except Failed as again:
            best = again
        else:
            index += 1
    return best


# Drawing -----------------------------------------------------------------------------------------

SKEW = 'skew'
"""The kind of fault that is no event: machines whose wall clocks differ by minutes."""
UPGRADE = 'upgrade'
"""Neither is this: services of the release before, which are upgraded one by one, each when it likes."""
UPGRADES = 0.2
"""Of all worlds."""
OPERATIONS = ('boot', 'delete', 'operate') * 8 + ('guest_stops',)
UNASKED = ('guest_stops', 'sync_stop', 'sync_power')
"""What no user asks for: a guest that shuts itself down, and what that begins."""
LARGE = worlds.Shape(cells=2, conductors=2, supers=2, hosts=3, skew=600.0)
"""Six hosts in two cells."""


@dataclasses.dataclass(frozen=True)
class Size:
    """How likely it is, relatively, that so much happens in a history: none, one, two …

    Attributes:
        requests: what users ask beside the first server.
        faults: what breaks.
    """

    requests: tuple[float, ...]
    faults: tuple[float, ...]


SIZES = {'small': Size((50, 30, 14, 6), (15, 45, 25, 10, 5)), 'even': Size((1, 1, 1, 1), (1, 1, 1, 1, 1))}
SIZE, SERIES = 'even', 8
"""How much happens in a history, and how many a world lives, where nobody says otherwise."""


class Draw:
    """Draws a history from a source of chance; hypothesis can be one.

    Args:
        kinds: kinds of faults that may happen; all by default.
        flow: a flow that one of the operations shall begin.
        servers: how many there are to choose from.
    """

    def __init__(self, rng: random.Random, kinds: Iterable[str] | None = None, flow: str | None = None,
                 servers: int = 4, size: Size = SIZES[SIZE]) -> None:
        self._rng, self._flow, self._servers, self._size = rng, flow, servers, size
        self._kinds = sorted(kinds or KINDS)
        self._drawn = [kind for kind in self._kinds if kind in FAULTS]

    def history(self, seed: int) -> History:
        """One history in a world of its own."""
        return self.series(seed, 1)

    def series(self, seed: int, count: int) -> History:
        """As many histories in one world, one after the other: to start it takes as long as half a history."""
        shape = self._shape()
        events = [dataclasses.replace(event, round=number) for number in range(count)
                  for event in self._events(shape if number == 0 else dataclasses.replace(shape, older=()))]
        return History(seed, shape, tuple(events), anew=count > 1)

    def _shape(self) -> worlds.Shape:
        rng = self._rng
        shape = worlds.Shape(
            cells=1 if rng.random() < 0.8 else 2, conductors=rng.randint(1, 2),
            supers=1 if rng.random() < 0.7 else 2,
            skew=rng.choice((0.0, 600.0)) if SKEW in self._kinds else 0.0)
        if UPGRADE in self._kinds and rng.random() < UPGRADES:
            shape = dataclasses.replace(shape, older=tuple(
                name for name in processes(shape) if rng.random() < 0.7))
        return shape

    def _events(self, shape: worlds.Shape) -> list[Event]:
        rng = self._rng
        events = self._operation('boot', 0.0)
        for _ in range(self._many(self._size.requests)):
            events += self._operation(rng.choice(OPERATIONS), rng.random() * SPAN)
        if self._flow is not None:
            events += self._begin(self._flow, 2 + rng.random() * SPAN)
        events += [self._fault(shape) for _ in range(self._many(self._size.faults) if self._drawn else 0)]
        return events + [self._upgrade(name) for name in shape.older if rng.random() < 0.8]

    def _many(self, likely: Sequence[float]) -> int:
        if len(set(likely)) == 1:
            return self._rng.randint(0, len(likely) - 1)
        return self._rng.choices(range(len(likely)), likely)[0]

    def rounds(self, seed: int, count: int) -> History:
        """A large deployment with as many servers as there are to choose from, in `count` rounds after the
        first, in which they are made.

        In each some servers are asked for something at once, others are ordered, hosts are lost and evacuated
        now and then, and other things break.
        """
        rng, shape = self._rng, LARGE
        events = [Event('boot', {'count': 2, 'volumes': rng.randrange(2)}, rng.random() * SPAN)
                  for _ in range(self._servers // 2)]
        for number in range(1, count + 1):
            drawn = [event for _ in range(rng.randint(4, 10)) for event in self._operation(
                rng.choice(('operate',) * 16 + ('boot', 'delete') * 2 + ('guest_stops',)), rng.random() * SPAN)]
            if self._drawn and rng.random() < 0.3:
                host = rng.choice(hosts(shape))
                drawn += [Event('kill', {'process': host, 'back': None}, 0.0),
                          Event('evacuate', {'host': host}, worlds.DOWN + SPAN)]
            drawn += [self._fault(shape) for _ in range(rng.randint(0, 3) if self._drawn else 0)]
            events += [dataclasses.replace(event, round=number) for event in drawn]
        return History(seed, shape, tuple(events))

    def _operation(self, what: str, at: float) -> list[Event]:
        rng = self._rng
        if what == 'boot':
            args: dict[str, Any] = {'count': rng.choice((1, 1, 1, 2))}
            special = rng.random()
            if special < 0.2:
                args['volumes'] = 1
            elif special < 0.3:
                args['new'] = 'image'
            elif special < 0.4 and args['count'] == 1:
                args['ports'] = 1
            return [Event('boot', args, at)]
        if what == 'delete':
            kind = rng.choice(('delete', 'delete', 'soft_delete'))
            return [Event('delete', {'server': rng.randrange(self._servers), 'kind': kind}, at)]
        return self._begin(what if what in UNASKED else rng.choice(asked_for()), at)

    def _begin(self, flow: str, at: float) -> list[Event]:
        if flow in ('schedule', 'build'):
            return self._operation('boot', at)
        server = self._rng.randrange(self._servers)
        if flow in UNASKED:
            return [Event('guest_stops', {'server': server}, at)]
        if flow in ('delete', 'soft_delete'):
            return [Event('delete', {'server': server, 'kind': flow}, at)]
        if flow == 'restore':
            return [Event('restore', {'server': server}, at)]
        return self._operate(server, flow, at)

    def _operate(self, server: int, flow: str, at: float) -> list[Event]:
        """A request, mostly some time after what it needs."""
        asked = Event('operate', {'server': server, 'flow': flow}, at)
        if flow not in BEFORE or self._rng.random() < 0.3:
            return [asked]
        before = self._operate(server, BEFORE[flow], at)
        after = self._rng.choice((1.0, 5.0, 15.0))
        return [*before, dataclasses.replace(asked, at=(before[-1].at or 0.0) + after)]

    def _upgrade(self, process: str) -> Event:
        rng = self._rng
        args = {'process': process, 'back': rng.choice((1.0, 1.0, 15.0))}
        if rng.random() < 0.5:
            return Event('upgrade', args, None, rng.randint(1, EFFECTS), rng.choice(('before', 'after')))
        return Event('upgrade', args, rng.random() * SPAN)

    def _fault(self, shape: worlds.Shape) -> Event:
        rng = self._rng
        kind = rng.choice(self._drawn)
        name, args = FAULTS[kind](rng, shape)
        if rng.random() < 0.7:
            if name in ('kill', 'pause', 'cut_off'):
                args.pop('process')
            return Event(name, args, None, rng.randint(1, EFFECTS), rng.choice(('before', 'after')))
        return Event(name, args, rng.random() * SPAN)


def drawn(seed: int, kinds: Iterable[str] | None = None, flow: str | None = None,
          size: Size = SIZES[SIZE], count: int = 1) -> History:
    """The history of a seed, or so many histories in one world."""
    return Draw(random.Random(seed), kinds, flow, size=size).series(seed, count)


def processes(shape: worlds.Shape) -> list[str]:
    found = [f'super{n + 1}' for n in range(shape.supers)] + ['scheduler1']
    for cell in range(1, shape.cells + 1):
        found += [f'cell{cell}-conductor{n + 1}' for n in range(shape.conductors)]
    return found + hosts(shape)


def hosts(shape: worlds.Shape) -> list[str]:
    return [f'h{n + 1}' for n in range(shape.cells * shape.hosts)]


def _cell(rng: random.Random, shape: worlds.Shape) -> str:
    return f'cell{rng.randint(1, shape.cells)}'


def _cut(services: Callable[[random.Random, worlds.Shape], str], kinds: tuple[str, ...]) -> Any:
    def draw(rng: random.Random, shape: worlds.Shape) -> tuple[str, dict[str, Any]]:
        machine = rng.choice((net.ANY, *processes(shape)))
        return 'cut', {'service': services(rng, shape), 'kind': rng.choice(kinds), 'machine': machine,
                       'seconds': rng.choice((3.0, 20.0, 60.0))}
    return draw


def _neighbour(rng: random.Random, shape: worlds.Shape) -> str:
    return rng.choice(sorted(neighbours.AWAY))


FAULTS: dict[str, Callable[[random.Random, worlds.Shape], tuple[str, dict[str, Any]]]] = {
    'kill': lambda rng, shape: ('kill', {'process': rng.choice(processes(shape)),
                                         'back': rng.choice((1.0, 1.0, 15.0, 60.0, None))}),
    'pause': lambda rng, shape: ('pause', {'process': rng.choice(processes(shape)),
                                           'seconds': rng.choice((3.0, 12.0, 30.0))}),
    'coma': lambda rng, shape: ('pause', {'process': rng.choice(processes(shape)),
                                          'seconds': rng.choice((90.0, 300.0))}),
    'database': _cut(lambda rng, shape: 'db ' + rng.choice(('api', _cell(rng, shape))), net.KINDS),
    'bus': _cut(lambda rng, shape: 'bus ' + rng.choice(('top', _cell(rng, shape))),
                (net.REFUSED, net.HUNG, net.ONE_WAY)),
    'alone': lambda rng, shape: ('cut_off', {'process': rng.choice(hosts(shape)),
                                             'seconds': rng.choice((20.0, 120.0, 120.0))}),
    'neighbour': _cut(_neighbour, net.KINDS),
    'late': _cut(_neighbour, (neighbours.LATE,)),
    'lost': lambda rng, shape: ('mishaps', {'broker': rng.choice(('top', _cell(rng, shape))),
                                            'lost': rng.choice((0.3, 1.0))}),
    'doubled': lambda rng, shape: ('mishaps', {'broker': rng.choice(('top', _cell(rng, shape))),
                                               'doubled': 0.5}),
    'delayed': lambda rng, shape: ('mishaps', {'broker': rng.choice(('top', _cell(rng, shape))), 'delayed': 0.5,
                                               'delay': rng.choice((1.0, 10.0, 45.0))}),
    'calls': lambda rng, shape: ('mishaps', {'broker': rng.choice(('top', _cell(rng, shape))), 'lost': 0.2,
                                             'doubled': 0.2, 'delayed': 0.5, 'calls': True}),
    'again': lambda rng, shape: ('err', {'service': _neighbour(rng, shape), 'times': rng.choice((1, 3, 20)),
                                         'late': rng.random() < 0.5}),
    'final': lambda rng, shape: ('err', {'service': _neighbour(rng, shape), 'times': 1, 'final': True,
                                         'late': rng.random() < 0.5}),
    'refused': lambda rng, shape: ('refuse', {'host': rng.choice(hosts(shape)), 'times': rng.choice((1, 2))}),
}
"""Kinds of faults: what draws the name and the arguments of one's event."""
KINDS = (*FAULTS, SKEW, UPGRADE)
