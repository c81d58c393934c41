"""Message brokers of a world, and the buses on which the real clients and servers of `nova.rpc` speak.

A cast waits in the outbox of `nova.rpc` while its broker is away. A message is copied through its wire form and
dispatched by the library's dispatcher, which checks versions. It may be lost, doubled, delayed and so
overtaken; whether its receiver is well is the `Net`'s to say.
"""

import collections
import contextlib
import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import oslo_messaging

from nova import errors
from nova.common import jsonutil, threads
from nova.rpc import outbox
from nova.tests.simulation.loop import Loop, Process
from nova.tests.simulation.net import HUNG, ONE_WAY, REFUSED, Net

PATIENCE = 5.0
"""Seconds after which a broker that hangs is not waited for with a cast any more."""


@dataclasses.dataclass
class Mishaps:
    """Chances in one of what happens to a message, and by how many seconds a delayed one is late.

    Calls fare well unless `calls` is set.
    """

    lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    delay: float = 10.0
    calls: bool = False


@dataclasses.dataclass(eq=False)
class Message:
    """On its way; what the library's dispatcher wants to see of it."""

    topic: str
    ctxt: dict[str, Any]
    message: dict[str, Any]
    reply: 'Reply | None' = None
    client_timeout: None = None
    """Whether the library gives signs of life, by threads of its own; here `Listening.working` tells."""

    @property
    def name(self) -> str:
        return f'{self.topic}.{self.message["method"]}'


class Reply:
    """Where a caller waits."""

    def __init__(self) -> None:
        self.came = threads.event()
        self.outcome: tuple[Any, Exception | None] | None = None
        self.server: Listening | None = None
        """Who has taken the message and is at it."""

    def put(self, result: Any, error: Exception | None) -> None:
        if self.outcome is None:
            self.outcome = result, error
            self.came.set()


class Broker:
    """Queues by topic and server, as RabbitMQ has them."""

    def __init__(self, net: Net, name: str) -> None:
        self.net, self.name = net, name
        self.loop: Loop = net.loop
        self.service = f'bus {name}'
        self.mishaps = Mishaps()
        self._servers: dict[tuple[str, str | None], list[Listening]] = {}
        self._backlog: dict[tuple[str, str | None], list[Message]] = collections.defaultdict(list)
        self._turns: dict[tuple[str, str | None], Iterator[int]] = {}

    def chance(self, likely: float) -> bool:
        return likely > 0 and self.loop.rng is not None and self.loop.rng.random() < likely

    def send(self, target: Any, message: Message) -> None:
        """A message has come to the broker."""
        mishaps = self.mishaps if message.reply is None or self.mishaps.calls else Mishaps()
        if self.chance(mishaps.lost):
            self.loop.say(f'loses {message.name}', self.service)
            return
        for _ in range(2 if self.chance(mishaps.doubled) else 1):
            rng, late = self.loop.rng, 0.0
            if rng is not None and self.chance(mishaps.delayed):
                late = rng.random() * mishaps.delay
                self.loop.say(f'delays {message.name} by {late:.1f} s', self.service)
            self.loop.after(self.net.travel() + late, lambda: self._route(target, message))

    def _route(self, target: Any, message: Message) -> None:
        if target.fanout:
            everybody = [server for (topic, _), found in self._servers.items() if topic == target.topic
                         for server in found]
            for server in dict.fromkeys(everybody):
                server.take(message)
            return
        key = (target.topic, target.server)
        server = self._next(key)
        if server is None:
            self._backlog[key].append(message)
        else:
            server.take(message)

    def _next(self, key: tuple[str, str | None]) -> 'Listening | None':
        """Whose turn it is of those whose connection the broker takes for a good one."""
        found = [server for server in self._servers.get(key, ()) if server.connected()]
        turn = self._turns.setdefault(key, itertools.count())
        return found[next(turn) % len(found)] if found else None

    def attach(self, server: 'Listening') -> None:
        for key in server.keys:
            self._servers.setdefault(key, []).append(server)
            waiting, self._backlog[key] = self._backlog[key], []
            for message in waiting:
                server.take(message)

    def detach(self, server: 'Listening') -> None:
        for key in server.keys:
            if server in self._servers.get(key, ()):
                self._servers[key].remove(server)


class Listening:
    """A server on a bus; see `nova.rpc.listening.Listening`."""

    def __init__(self, broker: Broker, process: Process, target: Any, endpoint: Any,
                 pool: threads.Pool) -> None:
        self._broker, self._process, self._pool = broker, process, pool
        self.keys = [(target.topic, target.server), (target.topic, None)]
        self.name = f'{target.topic}.{target.server}'
        self._dispatcher = oslo_messaging.RPCDispatcher(
            [endpoint], None, oslo_messaging.ExplicitRPCAccessPolicy)
        self._stopped = False
        self._held: list[Message] = []

    def start(self) -> None:
        self._broker.attach(self)
        self._process.ends.append(lambda: self._broker.detach(self))

    def ready(self, timeout: float | None = None) -> bool:
        return True

    def health(self) -> str | None:
        return None

    def stop(self) -> None:
        self._stopped = True
        self._broker.detach(self)

    def wait(self) -> None:
        """Messages that were taken run in a pool, which its owner closes."""

    def connected(self) -> bool:
        """Whether the broker believes so: a paused process stays connected, one that is cut off does not."""
        return not self._process.dead and self._state() not in (REFUSED, HUNG)

    def _state(self) -> str | None:
        return self._broker.net.state(self._process.machine, self._broker.service)

    def working(self) -> bool:
        """Whether it gives signs of life to who waits for its answer."""
        return not self._process.dead and not self._process.paused and self._state() is None

    def take(self, message: Message) -> None:
        """Have a thread of the process do what the message says. A paused process takes it when it goes on."""
        if self._process.dead or self._stopped:
            return
        if message.reply is not None:
            message.reply.server = self
        self._broker.loop.spawn(self._process, f'listen-{self.name}', lambda: self._submit(message))

    def _submit(self, message: Message) -> None:
        try:
            self._pool.submit(self._dispatch, message)
        except RuntimeError:
            self._broker.loop.say(f'refuses {message.name}: the pool is closed or full')

    def _dispatch(self, message: Message) -> None:
        self._broker.loop.say(f'takes {message.name}')
        result, error = None, None
        try:
            result = self._dispatcher.dispatch(message)
        except Exception as raised:  # noqa: BLE001  as the library does: the caller is told
            error = oslo_messaging.RemoteError(type(raised).__name__, str(raised))
            self._broker.loop.say(f'{message.name} is refused: {raised}')
        if message.reply is not None:
            message.reply.server = None  # who has answered gives no more signs of life
        if message.reply is not None and self._state() is None:
            reply, answer = message.reply, jsonutil.loads(jsonutil.dumps(result))
            self._broker.loop.after(self._broker.net.travel(), lambda: reply.put(answer, error))


class Bus:
    """What a process has of a broker: the face of `nova.rpc.transport.Bus`."""

    def __init__(self, broker: Broker, settings: Any, process: Process) -> None:
        self.conf, self.name = settings, f'bus {broker.name}'
        self._broker, self._process = broker, process
        self.outbox = outbox.Outbox(broker.name)
        self._sent: list[list[tuple[str, str, str]]] = []

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[tuple[str, str, str]]]:
        sent: list[tuple[str, str, str]] = []
        self._sent.append(sent)
        try:
            yield sent
        finally:
            self._sent.remove(sent)

    def _note(self, kind: str, target: Any, method: str) -> None:
        for sent in self._sent:
            sent.append((kind, target.topic, method))

    def cast(self, target: Any, context: dict[str, Any], method: str, args: dict[str, Any],
             keep: float = 0.0) -> None:
        loop = self._broker.loop
        loop.check()
        self._note('fanout' if target.fanout else 'cast', target, method)
        message = self._message(target, context, method, args)
        loop.say(f'casts {message.name} to {target.server or "anybody"}')
        self.outbox.put(lambda: self._push(target, message), keep, message.name)

    def _push(self, target: Any, message: Message) -> None:
        """Bring a cast to the broker, in the outbox's thread."""
        broker = self._broker
        if broker.net.state(self._process.machine, broker.service) in (REFUSED, HUNG):
            broker.net.reach(broker.service, lambda: errors.Unavailable('The message bus is away.'), PATIENCE)
        broker.send(target, message)

    @staticmethod
    def _message(target: Any, context: dict[str, Any], method: str, args: dict[str, Any]) -> Message:
        body = {'method': method, 'args': args, 'version': target.version}
        wired = jsonutil.loads(jsonutil.dumps({'context': context, 'message': body}))
        return Message(target.topic, wired['context'], wired['message'])

    def call(self, target: Any, context: dict[str, Any], method: str, args: dict[str, Any], timeout: float,
             silence: float | None = None) -> Any:
        loop = self._broker.loop
        self._note('call', target, method)
        message = self._message(target, context, method, args)
        reply = message.reply = Reply()
        end = loop.now + timeout

        def away() -> Exception:
            return errors.Unavailable(f'The message bus cannot be reached to call {message.name}.')
        loop.say(f'calls {message.name}')
        self._broker.net.reach(self._broker.service, away, timeout)
        self._broker.send(target, message)
        while reply.outcome is None and loop.now < end:
            wait = min(end - loop.now, silence or timeout)
            if not reply.came.wait(wait) and silence and (reply.server is None or not reply.server.working()):
                break
        lost = self._broker.net.state(self._process.machine, self._broker.service) in (HUNG, REFUSED, ONE_WAY)
        if reply.outcome is None or lost:
            loop.say(f'gets no answer to {message.name}')
            raise errors.Unavailable(f'No answer to {message.name} came in time.')
        result, error = reply.outcome
        if error is not None:
            raise error
        return result

    def listen(self, target: Any, endpoint: Any, pool: threads.Pool | None = None,
               alone: bool = False) -> Listening:
        made = pool or threads.Pool(f'rpc-{target.topic}', self.conf.executor_thread_pool_size)
        return Listening(self._broker, self._process, target, endpoint, made)

    def health(self) -> str | None:
        return None

    def close(self, seconds: float = 5.0) -> None:
        """What waits to be sent is sent anyway."""


class Buses:
    """Every bus a process speaks on, as `nova.rpc.transport.Buses` has them."""

    def __init__(self, brokers: dict[str, Broker], own: str, urls: dict[str, str], settings: Any,
                 process: Process) -> None:
        self.conf = settings
        self._made = {name: Bus(broker, settings, process) for name, broker in brokers.items()}
        self.own = self._made[own]
        self._urls = urls

    @property
    def top(self) -> Bus:
        return self.own

    def cell(self, transport_url: str) -> Bus:
        return self._made[self._urls[transport_url]]

    def counting(self) -> Any:
        return self.own.counting()

    def health(self) -> str | None:
        return None

    def close(self, seconds: float = 5.0) -> None:
        """Nothing is held."""


