"""Buses: who can be reached, and what happens to messages when a broker cannot.

A `Bus` wraps an oslo.messaging transport and gives it two promises that the library does not make. A cast
returns at once and never raises, whatever the state of the broker: it goes out from a background thread, and
when the broker stays away it is dropped (work survives in journals, not in queues). A call that cannot be sent
or is not answered raises `errors.Unavailable` when its timeout has passed, and does not hang.
"""

import contextlib
import importlib
import logging
from collections.abc import Iterator

import amqp
import kombu.exceptions
import oslo_messaging
from oslo_config import cfg
from oslo_utils import strutils

from nova import errors
from nova.common import clock, jsonutil, metrics, threads
from nova.common.jsonutil import JsonObject
from nova.rpc import calls, listening, looks, outbox, signs, urls

LOG = logging.getLogger(__name__)

_CLEAN = 1.0
"""Seconds given to a driver's clean-up, which may wait for threads that wait for a broker; they are daemons."""
_LOOK = 2.0
"""Seconds to look whether a broker is there."""
_OWN_RETRIES = 1
"""Retries inside the library: one, which is what it takes to replace a connection that went stale."""
QUEUE = 1000
"""Messages that may wait for a thread of a server; more are refused."""
_NOTICED = {'transport_options': oslo_messaging.TransportOptions(at_least_once=True)}
"""Has a broker refuse a call that it has no queue for."""
UNHEARD = 60.0
"""Most seconds for which a call is repeated while its server's queue does not exist."""
_RECONNECT = {'rabbit_retry_backoff': 1, 'rabbit_interval_max': 2}
"""Defaults of ours: by the library's own, a process whose broker was away looks again half a minute later."""
_UNHEARD_PAUSE = 0.3
BROKER = (oslo_messaging.MessagingException, kombu.exceptions.KombuError, amqp.AMQPError, OSError)
"""What a broker's absence is raised as; the library lets some of kombu's and amqp's own errors through."""

Sent = tuple[str, str, str]
"""kind (``call``, ``cast`` or ``fanout``), topic and method of a message, as `Bus.counting` lists them."""


def _encoded(target: oslo_messaging.Target, context: dict, method: str, args: dict) -> None:
    """A message that cannot be encoded fails here, where it is said, and not where nobody would hear of it.

    Raises:
        errors.Internal: it cannot.
    """
    try:
        jsonutil.dumps((context, args))
    except TypeError as error:
        raise errors.Internal(f'{target.topic}.{method} cannot be put into a message: {error}') from error


class Tally:
    """Lists of messages sent while somebody counts."""

    def __init__(self) -> None:
        self._lists: list[list[Sent]] = []

    def add(self, kind: str, topic: str, method: str) -> None:
        metrics.RPC_SENT.labels(kind, topic, method).inc()
        for sent in self._lists:
            sent.append((kind, topic, method))

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[Sent]]:
        sent: list[Sent] = []
        self._lists = [*self._lists, sent]
        try:
            yield sent
        finally:
            self._lists = [other for other in self._lists if other is not sent]


class Bus:
    """One broker (or in-process exchange), as a client and as a server.

    `url` is kept out of every text: it holds a password.
    """

    def __init__(self, conf: cfg.ConfigOpts, url: str | None = None, name: str = 'bus',
                 tally: Tally | None = None) -> None:
        self.conf, self.name = conf, name
        self._url = url
        self._lock = threads.lock()
        self._transport: oslo_messaging.Transport | None = None
        self._inline = False
        self._addresses: list[tuple[str, int]] = []
        self._tls = False
        self._calls = calls.Calls(name)
        self._proven = False
        """Whether the broker has answered, and no call has come to nothing since."""
        self._clients: dict[str, oslo_messaging.RPCClient] = {}
        self._outbox = outbox.Outbox(name)
        self._signs = signs.Signs(name)
        self._servers: list[listening.Listening] = []
        self._tally = tally or Tally()

    def __repr__(self) -> str:
        return f'<Bus {self.name}>'

    def counting(self) -> contextlib.AbstractContextManager[list[Sent]]:
        """``with bus.counting() as sent``: every message sent meanwhile, as ``(kind, topic, method)``."""
        return self._tally.counting()

    def cast(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
             keep: float = 0.0) -> None:
        """Send without an answer; never waits, never raises for the broker's sake.

        `keep`: for how many seconds to go on trying while the broker is away, or nobody listens.

        Raises:
            errors.Internal: no message can hold `args`.
        """
        kind = 'fanout' if target.fanout else 'cast'
        self._tally.add(kind, target.topic, method)
        _encoded(target, context, method, args)
        what = f'{target.topic}.{method}'
        try:
            inline = self._connect()
        except errors.Unavailable as error:
            outbox.drop(what, error.message)
            return

        # What is kept waits for its server's queue, too: when a broker has just returned there may be none.
        how = _NOTICED if keep and not target.fanout and not inline else {}

        def send() -> None:
            self._prepare(target, retry=_OWN_RETRIES, **how).cast(context, method, **args)

        if inline:
            send()
        else:
            self._outbox.put(send, keep, what)

    def call(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
             timeout: float, silence: float | None = None) -> JsonObject:
        """Send and wait for the answer, at most `timeout` seconds.

        With `silence`, give up earlier when the server gave no sign of life for so many seconds.

        Raises:
            errors.Unavailable: no broker, no server, or no answer in time.
            errors.Internal: no message can hold `args`.
            oslo_messaging.RemoteError: the far end could not dispatch it.
        """
        self._tally.add('call', target.topic, method)
        _encoded(target, context, method, args)
        deadline = clock.Deadline(timeout)
        if self._connect():
            return self._exchange(target, context, method, args, deadline, silence)
        what = f'{target.topic}.{method}'
        if not self._proven:
            if not self._reachable(deadline):
                raise errors.bus.BusAway(f'The message bus cannot be reached to call {what}.')
            self._proven = True
        try:
            return self._calls.run(
                lambda: self._exchange(target, context, method, args, deadline, silence), deadline, what)
        except errors.bus.BusAway:
            self._proven = False
            raise

    def _exchange(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
                  deadline: clock.Deadline, silence: float | None) -> JsonObject:
        unheard = clock.Deadline(min(deadline.left() or 0.001, silence or UNHEARD))
        while True:
            left = deadline.left() or 0.001
            try:
                return self._prepare(target, retry=_OWN_RETRIES, timeout=left, call_monitor_timeout=silence,
                                     **({} if self._inline else _NOTICED)).call(context, method, **args)
            except oslo_messaging.MessageUndeliverable:
                # Nobody listens (yet, or again after an outage): the broker says so instead of dropping it.
                if unheard.passed():
                    raise errors.bus.BusAway(f'Nobody takes {target.topic}.{method}.') from None
                threads.sleep(min(_UNHEARD_PAUSE, unheard.left() or 0))
            except oslo_messaging.MessagingTimeout:
                raise errors.bus.BusAway(f'No answer to {target.topic}.{method} came in time.') from None
            except (oslo_messaging.RemoteError, oslo_messaging.RPCDispatcherError):
                raise
            except BROKER as error:
                LOG.info('call %s.%s could not be sent: %s: %s', target.topic, method, type(error).__name__,
                         error)
                if deadline.passed():
                    raise errors.bus.BusAway(
                        f'The message bus cannot be reached to call {target.topic}.{method}.') from None
                threads.sleep(min(outbox.PAUSE, deadline.left() or 0))

    def _reachable(self, deadline: clock.Deadline) -> bool:
        while not deadline.passed():
            for address in self._addresses:
                if looks.answers(address, min(5.0, deadline.left() or 0.1), self._tls):
                    return True
            threads.sleep(min(outbox.PAUSE, deadline.left() or 0))
        return not self._addresses

    def listen(self, target: oslo_messaging.Target, endpoint: object,
               pool: threads.Pool | None = None, alone: bool = False) -> listening.Listening:
        """A server for `endpoint`; on a pool of its own unless one is given to share.

        Args:
            alone: see `listening.PooledServer`.
        """
        self._connect()
        own = None
        if pool is None:
            own = pool = threads.Pool(f'rpc-{target.topic}', self.conf.executor_thread_pool_size, QUEUE)
        server = listening.PooledServer(
            self._transport, target, signs.Dispatcher(endpoint, self._signs), pool, alone)
        served = listening.Listening(server, own, self._inline, f'{target.topic}.{target.server}')
        self._servers.append(served)
        return served

    def health(self) -> str | None:
        """What of this bus does not work; None when its broker is there and all that was tried last worked."""
        if self._outbox.failing:
            return f'{self.name}: the broker does not take messages'
        if not self._inline and self._addresses and not self._reachable(clock.Deadline(_LOOK)):
            return f'{self.name}: the broker cannot be reached'
        return next((f'{self.name}: {why}' for server in self._servers if (why := server.health())), None)

    def close(self, seconds: float = 5.0) -> None:
        """Send the casts that wait, for at most `seconds`, and disconnect."""
        self._outbox.close(seconds)
        with self._lock:
            transport, self._transport = self._transport, None
            self._clients.clear()
            self._proven = False
        if transport is None:
            return
        if self._inline:
            transport.cleanup()
            return
        # A driver that is still looking for its broker holds the locks that its clean-up wants.
        threads.start(f'close-{self.name}', self._clean, transport).join(_CLEAN)

    def _clean(self, transport: oslo_messaging.Transport) -> None:
        try:
            transport.cleanup()
        except BROKER as error:
            LOG.info('%s was closed while its broker was away: %s', self.name, type(error).__name__)

    def _prepare(self, target: oslo_messaging.Target, **how: object) -> oslo_messaging.RPCClient:
        with self._lock:
            client = self._clients.get(target.topic)
            if client is None:
                client = self._clients[target.topic] = oslo_messaging.get_rpc_client(
                    self._transport, oslo_messaging.Target(topic=target.topic))
        return client.prepare(server=target.server, fanout=target.fanout, version=target.version, **how)

    def _connect(self) -> bool:
        """Load the driver (this opens no connection); True when it delivers in the caller's thread.

        Raises:
            errors.Unavailable: this bus has no broker (``none:``), or its URL cannot be used.
        """
        with self._lock:
            if self._transport is not None:
                return self._inline
            if (self._url or '').startswith('none:'):
                raise errors.Unavailable(f'{self.name} has no message bus.')
            try:
                register_stray_options(self.conf)
                url = oslo_messaging.TransportURL.parse(self.conf, self._url)
                self._transport = oslo_messaging.get_rpc_transport(self.conf, url)
            except (oslo_messaging.InvalidTransportURL, oslo_messaging.DriverLoadFailure, ValueError) as error:
                raise errors.Unavailable(
                    f'The transport URL of {self.name} cannot be used ({type(error).__name__}).') from None
            self._inline = url.transport == 'inproc'
            if url.transport == 'rabbit':
                for name, seconds in _RECONNECT.items():
                    self.conf.set_default(name, seconds, group='oslo_messaging_rabbit')
                tls = url.query.get('ssl', self.conf.oslo_messaging_rabbit.ssl)
                self._tls = strutils.bool_from_string(tls)
            self._addresses = [(host.hostname, host.port or 5672) for host in url.hosts if host.hostname]
            return self._inline


def register_stray_options(conf: cfg.ConfigOpts) -> None:
    """Some releases of the library read these from our configuration, but register them on the global one."""
    for group in ('oslo_messaging_tracing', 'oslo_messaging_metrics'):
        name = f'oslo_messaging._{group.rpartition("_")[2]}.client'
        with contextlib.suppress(ImportError):
            conf.register_opts(getattr(importlib.import_module(name), group, ()), group=group)


class Buses:
    """Every bus a process speaks on."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self._tally = Tally()
        self.own = Bus(conf, None, 'own bus', self._tally)
        """The bus of ``[DEFAULT] transport_url``: a cell's for its conductors and computes."""
        self._cells: dict[str, Bus] = {}
        self._lock = threads.lock()

    @property
    def top(self) -> Bus:
        """The API-level bus, which is the own one of every service that may use it."""
        return self.own

    def cell(self, transport_url: str) -> Bus:
        """The bus of a cell, by its mapping's URL or URL template."""
        with self._lock:
            bus = self._cells.get(transport_url)
            if bus is None:
                url = urls.fill(transport_url, self.conf.transport_url)
                bus = self._cells[transport_url] = Bus(
                    self.conf, url, f'bus of cell {len(self._cells) + 1}', self._tally)
            return bus

    def counting(self) -> contextlib.AbstractContextManager[list[Sent]]:
        """Messages sent meanwhile through any of these buses; see `Bus.counting`."""
        return self._tally.counting()

    def health(self) -> str | None:
        """What does not work of the bus that this process serves; None when all is well.

        A cell that is away is that cell's trouble, not this process's.
        """
        return self.own.health()

    def close(self, seconds: float = 5.0) -> None:
        for bus in self._all():
            bus.close(seconds)

    def _all(self) -> list[Bus]:
        with self._lock:
            return [self.own, *self._cells.values()]
