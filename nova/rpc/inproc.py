"""An oslo.messaging driver for services that share a process: ``inproc://NAME``.

Standalone and tests run hundreds of services in one process. The library's own in-memory driver polls twenty
times a second per server; here a message is handed to its server's executor by the thread that sends it, so
that an idle server costs nothing and a busy one waits for nothing.

It keeps a broker's promises: competing consumers of a topic take turns, a message to a server that is not
there yet waits for it (the oldest go when too many wait), a fanout reaches who is there, every message is
copied through JSON. An exchange lives as long as somebody has it open.
"""

import collections
import itertools
import logging
import types
from collections.abc import Callable, Iterable
from typing import ClassVar

import oslo_messaging
from oslo_config import cfg
from oslo_messaging._drivers import base

from nova.common import clock, jsonutil, threads

LOG = logging.getLogger(__name__)

BACKLOG = 1000
"""Messages kept for a queue nobody serves."""


Failure = tuple[type[BaseException], BaseException, types.TracebackType | None]
"""What was raised, as ``sys.exc_info`` has it."""


class Reply:
    """Where the caller of a call waits."""

    def __init__(self) -> None:
        self._changed = threads.condition()
        self._done = False
        self._beats = 0
        self._outcome: tuple[object, BaseException | None] = (None, None)
        self.abandoned = False

    def put(self, result: object, error: BaseException | None) -> None:
        with self._changed:
            self._outcome, self._done = (result, error), True
            self._changed.notify_all()

    def beat(self) -> None:
        with self._changed:
            self._beats += 1
            self._changed.notify_all()

    def wait(self, timeout: float | None, silence: float | None) -> object:
        """The result. Gives up after `timeout` seconds, or after `silence` seconds without a heartbeat.

        Raises:
            oslo_messaging.MessagingTimeout: gave up; a message not yet taken will never be.
        """
        whole = clock.Deadline(timeout)
        with self._changed:
            while not self._done:
                seen = self._beats
                bounds = [bound for bound in (whole.left(), silence) if bound is not None]
                heard = self._changed.wait(min(bounds) if bounds else None)
                if not self._done and (whole.passed() or (not heard and self._beats == seen)):
                    self.abandoned = True
                    raise oslo_messaging.MessagingTimeout('no reply in time')
            result, error = self._outcome
        if error is not None:
            raise error
        return result


class Message(base.RpcIncomingMessage):
    """What a server is given."""

    def __init__(self, body: bytes, reply: Reply | None, silence: float | None,
                 again: Callable[['Message'], None]) -> None:
        content = jsonutil.loads(body)
        super().__init__(content['context'], content['message'])
        self._body, self._reply, self._again = body, reply, again
        self.client_timeout = silence

    def reply(self, reply: object = None, failure: Failure | None = None) -> None:
        if self._reply is not None:
            self._reply.put(jsonutil.loads(jsonutil.dumps(reply)), failure[1] if failure else None)

    def heartbeat(self) -> None:
        if self._reply is not None:
            self._reply.beat()

    def requeue(self) -> None:
        self._again(self)

    @property
    def wanted(self) -> bool:
        return self._reply is None or not self._reply.abandoned


class Listener(base.Listener):
    """The consumers of one server; called in the sender's thread."""

    def __init__(self, exchange: 'Exchange', queues: list[tuple[str, str | None]]) -> None:
        super().__init__(1, None)
        self.exchange, self.queues = exchange, queues

    def start(self, on_incoming_callback: Callable[[list[Message]], None]) -> None:
        super().start(on_incoming_callback)
        self.exchange.attach(self)

    def stop(self) -> None:
        self.exchange.detach(self)
        super().stop()

    def cleanup(self) -> None:
        """Nothing is held beyond `stop`."""

    def take(self, message: Message) -> bool:
        """Hand over; False when this listener was stopped meanwhile."""
        callback = self.on_incoming_callback
        if callback is None:
            return False
        if message.wanted:
            callback([message])
        return True


class Queue:
    """Consumers that take turns, and what waits for the first of them."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.backlog: collections.deque[Message] = collections.deque(maxlen=BACKLOG)
        self._turn = itertools.count()

    def next(self) -> Listener | None:
        return self.listeners[next(self._turn) % len(self.listeners)] if self.listeners else None


class Exchange:
    """Queues by topic and server."""

    _open: ClassVar[dict[tuple, 'Exchange']] = {}
    _open_lock: ClassVar[threads.Lock] = threads.lock()

    def __init__(self) -> None:
        self.users = 0
        self._lock = threads.lock()
        self._queues: dict[tuple[str, str | None], Queue] = {}

    @classmethod
    def enter(cls, key: tuple) -> 'Exchange':
        with cls._open_lock:
            exchange = cls._open.setdefault(key, cls())
            exchange.users += 1
            return exchange

    @classmethod
    def leave(cls, key: tuple) -> None:
        with cls._open_lock:
            exchange = cls._open.get(key)
            if exchange is not None:
                exchange.users -= 1
                if exchange.users <= 0:
                    del cls._open[key]

    def send(self, target: oslo_messaging.Target, message: Message) -> None:
        if target.fanout:
            self._fan(target.topic, message)
            return
        key = (target.topic, target.server)
        while True:
            with self._lock:
                queue = self._queues.setdefault(key, Queue())
                listener = queue.next()
                if listener is None:
                    if len(queue.backlog) == BACKLOG:
                        LOG.warning('dropping the oldest message for %s, which nobody serves', key)
                    queue.backlog.append(message)
                    return
            if listener.take(message):
                return

    def _fan(self, topic: str, message: Message) -> None:
        with self._lock:
            listeners = {listener for (name, _), queue in self._queues.items() if name == topic
                         for listener in queue.listeners}
        for listener in listeners:
            listener.take(message)

    def attach(self, listener: Listener) -> None:
        waiting: list[Message] = []
        with self._lock:
            for key in listener.queues:
                queue = self._queues.setdefault(key, Queue())
                queue.listeners.append(listener)
                waiting += queue.backlog
                queue.backlog.clear()
        for message in waiting:
            listener.take(message)

    def detach(self, listener: Listener) -> None:
        with self._lock:
            for key in listener.queues:
                queue = self._queues[key]
                if listener in queue.listeners:
                    queue.listeners.remove(listener)


class InprocDriver(base.BaseDriver):
    """The driver that oslo.messaging loads for ``inproc://``."""

    def __init__(self, conf: cfg.ConfigOpts, url: oslo_messaging.TransportURL,
                 default_exchange: str | None = None, allowed_remote_exmods: list[str] | None = None) -> None:
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        self._place = (url.hosts[0].hostname if url.hosts else '', url.virtual_host or '')
        self._entered: dict[tuple, Exchange] = {}
        self._lock = threads.lock()

    def require_features(self, requeue: bool = False) -> None:
        """All are supported."""

    def _exchange(self, name: str | None) -> Exchange:
        key = (*self._place, name or self._default_exchange)
        with self._lock:
            if key not in self._entered:
                self._entered[key] = Exchange.enter(key)
            return self._entered[key]

    def send(self, target: oslo_messaging.Target, ctxt: dict, message: dict, wait_for_reply: bool | None = None,
             timeout: float | None = None, call_monitor_timeout: float | None = None,
             retry: int | None = None, transport_options: object = None) -> object:
        reply = Reply() if wait_for_reply else None
        exchange = self._exchange(target.exchange)
        body = jsonutil.dumps({'context': ctxt, 'message': message})
        exchange.send(target, Message(body, reply, call_monitor_timeout,
                                      lambda again: exchange.send(target, again)))
        return reply.wait(timeout, call_monitor_timeout) if reply else None

    def send_notification(self, target: oslo_messaging.Target, ctxt: dict, message: dict, version: float,
                          retry: int | None = None) -> None:
        self.send(target, ctxt, message)

    def listen(self, target: oslo_messaging.Target, batch_size: int, batch_timeout: float | None) -> Listener:
        return Listener(self._exchange(target.exchange),
                        [(target.topic, target.server), (target.topic, None)])

    def listen_for_notifications(self, targets_and_priorities: Iterable, pool: str | None, batch_size: int,
                                 batch_timeout: float | None) -> Listener:
        """Listeners in different `pool`s compete here: a process has one consumer of notifications."""
        exchange = self._exchange(next(iter(targets_and_priorities))[0].exchange)
        return Listener(exchange, [(f'{target.topic}.{priority}', None)
                                   for target, priority in targets_and_priorities])

    def cleanup(self) -> None:
        with self._lock:
            for key in self._entered:
                Exchange.leave(key)
            self._entered.clear()
