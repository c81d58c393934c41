"""Servers on a bus: their threads, and how they come to listen to a broker that may be away."""

import logging
from collections.abc import Callable
from concurrent import futures

import oslo_messaging
from oslo_messaging._drivers import amqpdriver, base, common
from oslo_messaging.rpc import server as rpc_server

from nova import errors
from nova.common import metrics, threads

LOG = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between attempts to listen."""


Incoming = list[base.RpcIncomingMessage]


class _Borrowed:
    """A shared `threads.Pool` in the shape of an executor that one server owns."""

    def __init__(self, pool: threads.Pool, topic: str) -> None:
        self._pool, self._topic = pool, topic
        self._open: set[futures.Future] = set()

    def submit(self, fn: Callable[[Incoming], None], incoming: Incoming) -> None:
        """Have the messages dealt with; when too many wait they are refused: see `_refuse`."""
        try:
            future = self._pool.submit(fn, incoming)
        except threads.Full:
            for message in incoming:
                self._refuse(message)
            return
        self._open.add(future)
        future.add_done_callback(self._open.discard)

    def _refuse(self, message: base.RpcIncomingMessage) -> None:
        """Tell the caller of a call; a cast is dropped, and whoever sent it comes again."""
        metrics.REFUSED.labels(f'{self._topic}.{message.message.get("method")}').inc()
        error = errors.bus.BusAway(f'Too much waits for {self._topic} here; ask again.')
        try:
            message.acknowledge()
            message.reply({'error': errors.to_dict(error)})
        except Exception:
            # A reply fails with whatever its connection fails with; the caller's own patience ends the call.
            LOG.info('%s could not be told that it is refused', self._topic, exc_info=True)

    def shutdown(self, wait: bool = True) -> None:
        if wait:
            threads.wait(list(self._open))


def declare(driver: amqpdriver.AMQPDriverBase, connection: common.ConnectionContext,
            target: oslo_messaging.Target, hear: Callable[[object], None]) -> None:
    """Have `hear` called with what comes for one server of a topic: it has a queue of its own."""
    connection.declare_topic_consumer(exchange_name=driver._get_exchange(target),
                                      topic=f'{target.topic}.{target.server}', callback=hear)


class PooledServer(rpc_server.RPCServer):
    """The library's server on an executor of ours: shared pools make hundreds of servers cheap.

    Args:
        alone: it is only ever addressed by its name. So it needs neither the queue that all servers of the
            topic share nor one for what is sent to all, which the library declares for everybody: with
            thousands of hosts these are thousands of consumers of one queue, and half of the broker's queues.
    """

    def __init__(self, transport: oslo_messaging.Transport, target: oslo_messaging.Target,
                 dispatcher: oslo_messaging.RPCDispatcher, pool: threads.Pool, alone: bool = False) -> None:
        super().__init__(transport, target, dispatcher)
        self._alone = alone
        # The library looks here when it starts.
        self._executor_cls = lambda max_workers: _Borrowed(pool, target.topic)

    def _create_listener(self) -> base.Listener:
        driver = self.transport._driver
        if not self._alone or not isinstance(driver, amqpdriver.AMQPDriverBase):
            return super()._create_listener()
        connection = driver._get_connection(common.PURPOSE_LISTEN)
        listener = amqpdriver.RpcAMQPListener(driver, connection)
        declare(driver, connection, self._target, listener)
        return base.PollStyleListenerAdapter(listener, 1, None)


class Listening:
    """A server of one topic on one bus.

    `start` returns at once: with a remote broker the connection is made in the background, and made again
    whenever it breaks.
    """

    def __init__(self, server: PooledServer, pool: threads.Pool | None, inline: bool, name: str) -> None:
        self._server, self._own_pool = server, pool
        self._inline, self._name = inline, name
        self._listening = threads.event()
        self._began = False
        self._stopped = threads.event()

    def start(self) -> None:
        self._began = True
        if self._inline:
            self._begin()
        else:
            threads.start(f'listen-{self._name}', self._begin)

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

    def health(self) -> str | None:
        """Why no message can arrive though it should; None when all is well."""
        if self._began and not self._stopped.is_set() and not self._listening.is_set():
            return f'not listening as {self._name} yet'
        return None

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
