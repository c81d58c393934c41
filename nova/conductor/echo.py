"""A conductor's own sign of life, which takes the way that those of hosts take."""

import logging

from oslo_config import cfg

from nova import context as nova_context
from nova import release
from nova.cells import CONDUCTOR
from nova.common import threads
from nova.objects import step as wire
from nova.rpc import liveness as rpc_liveness
from nova.rpc import transport

LOG = logging.getLogger(__name__)


def silence(conf: cfg.ConfigOpts) -> float:
    """Seconds without a sign of life after which what is heard begins anew."""
    return 3.0 * conf.report_interval


class Echo:
    """Says that this conductor lives, over the way that hosts' signs of life take.

    So the rows of conductors tell whether broker, threads and database carry them: while they do not, no host
    is taken for dead.
    """

    def __init__(self, bus: transport.Bus, host: str, conf: cfg.ConfigOpts) -> None:
        self._client, self._host = rpc_liveness.Liveness.client(bus), host
        self._ticker = threads.Ticker(f'echo-{host}', conf.report_interval, self._beat, self._complain)

    def start(self) -> None:
        self._ticker.start()

    def stop(self) -> None:
        self._ticker.stop()

    def _beat(self) -> None:
        self._client.beat(nova_context.admin(), wire.HostBeat(
            host=self._host, binary=CONDUCTOR, version=release.own().service, disabled=None, epoch=None,
            steps=None))

    def _complain(self, error: Exception) -> None:
        LOG.error('Conductor %s could not give a sign of life: %s', self._host, error)
