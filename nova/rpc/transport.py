"""Buses: who can be reached, and what happens to messages when a broker cannot.

A `Bus` wraps an oslo.messaging transport and gives it two promises that the library does not make. A cast
returns at once and never raises, whatever the state of the broker: it goes out from a background thread, and
when the broker stays away it is dropped (work survives in journals, not in queues). A call that cannot be sent
or is not answered raises `errors.Unavailable` when its timeout has passed, and does not hang.
"""

import collections
import contextlib
import importlib
import logging
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import amqp
import kombu.exceptions
import oslo_messaging
from oslo_config import cfg
from oslo_messaging.rpc import server as rpc_server

from nova import errors
from nova.common import clock, metrics, threads

LOG = logging.getLogger(__name__)

OUTBOX = 10_000
"""Casts that may wait for a broker; more are dropped, newest first."""
PAUSE = 1.0
"""Seconds between attempts while a broker does not answer."""
_CLEAN = 1.0
"""Seconds given to a driver's clean-up, which may wait for threads that wait for a broker; they are daemons."""
_OWN_RETRIES = 1
"""Retries inside the library: one, which is what it takes to replace a connection that went stale."""
_BROKER = (oslo_messaging.MessagingException, kombu.exceptions.KombuError, amqp.AMQPError, OSError)
"""What a broker's absence is raised as; the library lets some of kombu's and amqp's own errors through."""

Sent = tuple[str, str, str]
"""kind (``call``, ``cast`` or ``fanout``), topic and method of a message, as `Bus.counting` lists them."""


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


class Outbox:
    """Casts on their way to a broker, sent in order by one background thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: collections.deque[tuple[Callable[[], None], clock.Deadline, str]] = collections.deque()
        self._changed = threading.Condition()
        self._closing: clock.Deadline | None = None
        self._thread: threading.Thread | None = None

    def put(self, send: Callable[[], None], keep: float, what: str) -> None:
        """Queue a message; when sending fails it is tried again until `keep` seconds from now."""
        with self._changed:
            if self._closing is not None or len(self._waiting) >= OUTBOX:
                self._drop(what, 'the outbox is closed' if self._closing else 'the outbox is full')
                return
            self._waiting.append((send, clock.Deadline(keep), what))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f'outbox-{self._name}', daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Send what waits, for at most `seconds`, and end."""
        with self._changed:
            self._closing = clock.Deadline(seconds)
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and self._closing is None:
                    self._changed.wait()
                if not self._waiting or (self._closing is not None and self._closing.passed()):
                    return
                send, keep, what = self._waiting[0]
            try:
                send()
            except Exception as error:  # noqa: BLE001  whatever a broker's library raises, the next one goes on
                if not keep.passed():
                    self._pause()
                    continue
                self._drop(what, type(error).__name__)
            with self._changed:
                self._waiting.popleft()

    def _pause(self) -> None:
        with self._changed:
            if self._closing is None:
                self._changed.wait_for(lambda: self._closing is not None, PAUSE)

    @staticmethod
    def _drop(what: str, why: str) -> None:
        metrics.RPC_DROPPED.labels(what).inc()
        LOG.warning('cast %s was dropped: %s', what, why)


class _Borrowed:
    """A shared `threads.Pool` in the shape of an executor that one server owns."""

    def __init__(self, pool: threads.Pool) -> None:
        self._pool = pool
        self._open: set[futures.Future] = set()

    def submit(self, fn: Callable[..., Any], *args: Any) -> futures.Future:
        future = self._pool.submit(fn, *args)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    def shutdown(self, wait: bool = True) -> None:
        if wait:
            futures.wait(list(self._open))


class _Server(rpc_server.RPCServer):
    """The library's server on an executor of ours: shared pools make hundreds of servers cheap."""

    def __init__(self, transport: Any, target: Any, dispatcher: Any, pool: threads.Pool) -> None:
        super().__init__(transport, target, dispatcher)
        # The library looks here when it starts.
        self._executor_cls = lambda max_workers: _Borrowed(pool)


class Listening:
    """A server of one topic on one bus.

    `start` returns at once: with a remote broker the connection is made in the background, and made again
    whenever it breaks.
    """

    def __init__(self, server: Any, pool: threads.Pool | None, inline: bool, name: str) -> None:
        self._server, self._own_pool = server, pool
        self._inline, self._name = inline, name
        self._listening = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        if self._inline:
            self._begin()
        else:
            threading.Thread(target=self._begin, name=f'listen-{self._name}', daemon=True).start()

    def _begin(self) -> None:
        while not self._stopped.is_set():
            try:
                self._server.start()
            except Exception as error:  # noqa: BLE001  a broker that is away is no reason for a service to end
                LOG.warning('cannot listen as %s yet: %s: %s', self._name, type(error).__name__, error)
                self._stopped.wait(PAUSE)
                continue
            self._listening.set()
            return

    def ready(self, timeout: float | None = None) -> bool:
        """Wait until messages can arrive; False when `timeout` seconds pass first."""
        return self._listening.wait(timeout)

    def stop(self) -> None:
        """Take no more messages."""
        self._stopped.set()
        if self._listening.is_set():
            self._server.stop()

    def wait(self) -> None:
        """Return when the messages taken before `stop` are done with."""
        if self._listening.is_set():
            self._server.wait()
        if self._own_pool is not None:
            self._own_pool.close()


class Bus:
    """One broker (or in-process exchange), as a client and as a server.

    `url` is kept out of every text: it holds a password.
    """

    def __init__(self, conf: cfg.ConfigOpts, url: str | None = None, name: str = 'bus',
                 tally: Tally | None = None) -> None:
        self.conf, self.name = conf, name
        self._url = url
        self._lock = threading.Lock()
        self._transport: Any = None
        self._inline = False
        self._addresses: list[tuple[str, int]] = []
        self._proven = False
        self._clients: dict[str, Any] = {}
        self._outbox = Outbox(name)
        self._tally = tally or Tally()

    def __repr__(self) -> str:
        return f'<Bus {self.name}>'

    def counting(self) -> contextlib.AbstractContextManager[list[Sent]]:
        """``with bus.counting() as sent``: every message sent meanwhile, as ``(kind, topic, method)``."""
        return self._tally.counting()

    def cast(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
             keep: float = 0.0) -> None:
        """Send without an answer; never waits, never raises for the broker's sake.

        `keep`: for how many seconds to go on trying while the broker is away.
        """
        kind = 'fanout' if target.fanout else 'cast'
        self._tally.add(kind, target.topic, method)
        what = f'{target.topic}.{method}'
        try:
            inline = self._connect()
        except errors.Unavailable as error:
            Outbox._drop(what, error.message)
            return

        def send() -> None:
            self._prepare(target, retry=_OWN_RETRIES).cast(context, method, **args)

        if inline:
            send()
        else:
            self._outbox.put(send, keep, what)

    def call(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
             timeout: float, silence: float | None = None) -> Any:
        """Send and wait for the answer, at most `timeout` seconds.

        With `silence`, give up earlier when the server gave no sign of life for so many seconds.

        Raises:
            errors.Unavailable: no broker, no server, or no answer in time.
            oslo_messaging.RemoteError: the far end could not dispatch it.
        """
        self._tally.add('call', target.topic, method)
        deadline = clock.Deadline(timeout)
        inline = self._connect()
        if inline or self._proven:
            return self._exchange(target, context, method, args, deadline, silence)
        if not self._reachable(deadline):
            raise errors.Unavailable(f'The message bus cannot be reached to call {target.topic}.{method}.')
        return self._first(target, context, method, args, deadline, silence)

    def _first(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
               deadline: clock.Deadline, silence: float | None) -> Any:
        """The first call opens the reply queue, where the library waits without end for a broker that accepts
        connections and says no more; so it runs aside."""
        answer: futures.Future = futures.Future()

        def run() -> None:
            try:
                answer.set_result(self._exchange(target, context, method, args, deadline, silence))
                self._proven = True
            except Exception as error:  # noqa: BLE001  handed to the caller, whatever it is
                answer.set_exception(error)

        threading.Thread(target=run, name=f'first-call-{self.name}', daemon=True).start()
        try:
            return answer.result((deadline.left() or 0) + 1)
        except futures.TimeoutError:
            raise errors.Unavailable(f'No answer to {target.topic}.{method} came in time.') from None

    def _exchange(self, target: oslo_messaging.Target, context: dict, method: str, args: dict,
                  deadline: clock.Deadline, silence: float | None) -> Any:
        pause = threading.Event()
        while True:
            left = deadline.left() or 0.001
            try:
                return self._prepare(target, retry=_OWN_RETRIES, timeout=left,
                                     call_monitor_timeout=silence).call(context, method, **args)
            except oslo_messaging.MessagingTimeout:
                raise errors.Unavailable(f'No answer to {target.topic}.{method} came in time.') from None
            except (oslo_messaging.RemoteError, oslo_messaging.RPCDispatcherError):
                raise
            except _BROKER as error:
                LOG.info('call %s.%s could not be sent: %s: %s', target.topic, method, type(error).__name__,
                         error)
                if deadline.passed():
                    raise errors.Unavailable(
                        f'The message bus cannot be reached to call {target.topic}.{method}.') from None
                pause.wait(min(PAUSE, deadline.left() or 0))

    def _reachable(self, deadline: clock.Deadline) -> bool:
        pause = threading.Event()
        while not deadline.passed():
            for address in self._addresses:
                try:
                    socket.create_connection(address, min(5.0, deadline.left() or 0.1)).close()
                    return True
                except OSError:
                    continue
            pause.wait(min(PAUSE, deadline.left() or 0))
        return not self._addresses

    def listen(self, target: oslo_messaging.Target, endpoint: Any,
               pool: threads.Pool | None = None) -> Listening:
        """A server for `endpoint`; on a pool of its own unless one is given to share."""
        self._connect()
        own = None
        if pool is None:
            own = pool = threads.Pool(f'rpc-{target.topic}', self.conf.executor_thread_pool_size)
        dispatcher = oslo_messaging.RPCDispatcher(
            [endpoint], None, oslo_messaging.ExplicitRPCAccessPolicy)
        server = _Server(self._transport, target, dispatcher, pool)
        return Listening(server, own, self._inline, f'{target.topic}.{target.server}')

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
        cleaner = threading.Thread(
            target=self._clean, args=(transport,), name=f'close-{self.name}', daemon=True)
        cleaner.start()
        cleaner.join(_CLEAN)

    def _clean(self, transport: Any) -> None:
        try:
            transport.cleanup()
        except _BROKER as error:
            LOG.info('%s was closed while its broker was away: %s', self.name, type(error).__name__)

    def _prepare(self, target: oslo_messaging.Target, **how: Any) -> Any:
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
                _register_stray_options(self.conf)
                url = oslo_messaging.TransportURL.parse(self.conf, self._url)
                self._transport = oslo_messaging.get_rpc_transport(self.conf, url)
            except (oslo_messaging.InvalidTransportURL, oslo_messaging.DriverLoadFailure, ValueError) as error:
                raise errors.Unavailable(
                    f'The transport URL of {self.name} cannot be used ({type(error).__name__}).') from None
            self._inline = url.transport == 'inproc'
            self._addresses = [(host.hostname, host.port or 5672) for host in url.hosts if host.hostname]
            return self._inline


def _register_stray_options(conf: cfg.ConfigOpts) -> None:
    """Some releases of the library read these from our configuration, but register them on the global one."""
    for group in ('oslo_messaging_tracing', 'oslo_messaging_metrics'):
        name = f'oslo_messaging._{group.rpartition("_")[2]}.client'
        with contextlib.suppress(ImportError):
            conf.register_opts(getattr(importlib.import_module(name), group, ()), group=group)


def fill(template: str, base: str | None) -> str:
    """A cell mapping's URL with its ``{username}``, ``{password}``, ``{hostname}``, ``{port}``, ``{scheme}``,
    ``{path}``, ``{query}`` and ``{fragment}`` taken from the URL in the configuration, so that mappings need
    not hold passwords.

    Raises:
        errors.Invalid: the template names something else, or something the configuration does not have.
    """
    if '{' not in template:
        return template
    parts = urllib.parse.urlsplit(base or '')
    values: dict[str, Any] = {
        'scheme': parts.scheme, 'path': parts.path.lstrip('/'), 'query': parts.query,
        'fragment': parts.fragment}
    for number, netloc in enumerate(parts.netloc.split(','), 1):
        part = urllib.parse.urlsplit(f'//{netloc}')
        found = {'username': part.username, 'password': part.password, 'hostname': part.hostname,
                 'port': part.port}
        values.update({f'{key}{number}': value for key, value in found.items() if value is not None})
        if number == 1:
            values.update({key: value for key, value in found.items() if value is not None})
    try:
        return template.format(**values)
    except (KeyError, IndexError, ValueError) as error:
        raise errors.Invalid(f'The transport URL template of a cell cannot be filled: {error}') from None


class Buses:
    """Every bus a process speaks on."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self._tally = Tally()
        self.own = Bus(conf, None, 'own bus', self._tally)
        """The bus of ``[DEFAULT] transport_url``: a cell's for its conductors and computes."""
        self._cells: dict[str, Bus] = {}
        self._lock = threading.Lock()

    @property
    def top(self) -> Bus:
        """The API-level bus, which is the own one of every service that may use it."""
        return self.own

    def cell(self, transport_url: str) -> Bus:
        """The bus of a cell, by its mapping's URL or URL template."""
        with self._lock:
            bus = self._cells.get(transport_url)
            if bus is None:
                url = fill(transport_url, self.conf.transport_url)
                bus = self._cells[transport_url] = Bus(
                    self.conf, url, f'bus of cell {len(self._cells) + 1}', self._tally)
            return bus

    def counting(self) -> contextlib.AbstractContextManager[list[Sent]]:
        """Messages sent meanwhile through any of these buses; see `Bus.counting`."""
        return self._tally.counting()

    def close(self, seconds: float = 5.0) -> None:
        for bus in self._all():
            bus.close(seconds)

    def _all(self) -> list[Bus]:
        with self._lock:
            return [self.own, *self._cells.values()]
