"""Many compute hosts in one process of a cluster, each as on a machine of its own but for what they share.

    python tools/lib/cluster_computes.py DIR PROCESS      until SIGTERM

Every host has its own queues, journal, driver and signs of life. The process has one connection on which all
of them listen (a host of its own has two), those on which it sends, threads for all of them, and one Placement
client with one token.
"""

import pathlib
import sys
from collections.abc import Callable

from nova.common import threads

threads.choose('threading')  # before anything else is imported

import cluster_config  # noqa: E402
import oslo_messaging  # noqa: E402
from oslo_messaging._drivers import amqpdriver, base  # noqa: E402
from oslo_messaging._drivers import common as rpc_common  # noqa: E402

from nova import clients, ops  # noqa: E402
from nova.cmd import launch  # noqa: E402
from nova.compute import agent  # noqa: E402
from nova.rpc import host as rpc_host  # noqa: E402
from nova.rpc import listening, questions, transport  # noqa: E402
from nova.virt import loader  # noqa: E402

TOPICS = (rpc_host.ComputeHost.topic, questions.Questions.topic)
PAUSE = 1.0
"""Seconds between attempts to reach a broker that is away."""

Take = Callable[[list[base.RpcIncomingMessage]], None]


class Ear(base.Listener):
    """What one server of one host hears, in the shape in which the library's servers listen."""

    def __init__(self, hear: Callable[[Take | None], None]) -> None:
        super().__init__(1, None, 0)
        self._hear = hear

    def start(self, on_incoming_callback: Take) -> None:
        super().start(on_incoming_callback)
        self._hear(on_incoming_callback)

    def stop(self) -> None:
        super().stop()
        self._hear(None)

    def cleanup(self) -> None:
        super().cleanup()


class Connection:
    """The one connection on which every host of the process listens, by a thread of its own."""

    def __init__(self, driver: amqpdriver.AMQPDriverBase, hosts: list[str]) -> None:
        self._driver, self._hosts = driver, hosts
        self._takers: dict[tuple[str, str], Take | None] = {}

    def open(self) -> None:
        """Declare every queue; returns when there are all of them."""
        connection = self._driver._get_connection(rpc_common.PURPOSE_LISTEN)
        listener = amqpdriver.RpcAMQPListener(self._driver, connection)
        for topic in TOPICS:
            for host in self._hosts:
                target = oslo_messaging.Target(topic=topic, server=host)
                listening.declare(self._driver, connection, target, self._callback(listener, topic, host))
        threads.start('hear', self._listen, connection)

    def _callback(self, listener: amqpdriver.RpcAMQPListener, topic: str, host: str
                  ) -> Callable[[object], None]:
        def heard(message: object) -> None:
            listener(message)
            while listener.incoming:
                taken, take = listener.incoming.pop(0), self._takers.get((topic, host))
                if take is not None:
                    take([taken])
        return heard

    @staticmethod
    def _listen(connection: rpc_common.ConnectionContext) -> None:
        while True:
            try:
                connection.consume(timeout=5.0)
            except rpc_common.Timeout:
                continue

    def listen(self, target: oslo_messaging.Target) -> Ear:
        """What a server of one host hears."""
        def hear(take: Take | None) -> None:
            self._takers[target.topic, target.server] = take
        return Ear(hear)


class Farm:
    """The hosts of one process."""

    def __init__(self, conf: object, deployment: cluster_config.Deployment, service: str) -> None:
        self._buses, self._farm = transport.Buses(conf), agent.ComputeFarm()
        bus, shared = self._buses.own, clients.build(conf)
        bus._connect()
        self._connection = Connection(bus._transport._driver, deployment.farms[service])
        listening.PooledServer._create_listener = lambda server: self._connection.listen(server._target)
        for host in deployment.farms[service]:
            state_dir = pathlib.Path(conf.state_path) / 'compute' / host
            self._farm.add(conf, host, loader.load(conf, host, state_dir), bus, shared, state_dir)

    def start(self) -> None:
        self._connection.open()
        self._farm.start()

    def stop(self) -> None:
        self._farm.stop()
        self._buses.close()

    def joined(self) -> str | None:
        """Who is not up yet."""
        missing = sum(not one.wait_joined(0) for one in self._farm.agents)
        return f'{missing} hosts have not joined yet' if missing else None


def main() -> int:
    deployment, service = cluster_config.Deployment.load(pathlib.Path(sys.argv[1])), sys.argv[2]

    def build(conf: object, listen: object = None) -> launch.Service:
        ops.load()
        farm = Farm(conf, deployment, service)
        return launch.Service(farm.start, (farm.stop,), {'hosts': farm.joined})
    file = deployment.directory / 'etc' / service / 'nova.conf'
    return launch.main('computes', __name__, build, arguments=['--config-file', str(file)])


if __name__ == '__main__':
    sys.exit(main())
