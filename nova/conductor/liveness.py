"""Who lives in a cell, as its services table says; and that what is written there comes."""

import datetime
import logging
from collections.abc import Callable

from oslo_config import cfg

from nova import context as nova_context
from nova import release, version
from nova.common import clock, dbkit, threads
from nova.objects import service as services
from nova.objects import step as wire
from nova.rpc import liveness as rpc_liveness
from nova.rpc import transport

LOG = logging.getLogger(__name__)

BINARY = 'nova-conductor'


def silence(conf: cfg.ConfigOpts) -> float:
    """Seconds without a sign of life after which what is heard begins anew."""
    return 3.0 * conf.report_interval


class Liveness:
    """A look at the services table of a cell.

    Args:
        db: the cell's, asked before each look, since a cell may move.
        keep: seconds for which a look is good.
    """

    def __init__(self, db: Callable[[], dbkit.Database], conf: cfg.ConfigOpts, keep: float = 1.0) -> None:
        self._db, self._conf, self._keep = db, conf, keep
        self._alive = services.Alive()
        self._steps: dict[str, dict[str, int]] = {}
        self._until = clock.Deadline(0)

    def is_up(self, host: str) -> bool:
        """Whether nova-compute on `host` lives; see `nova.objects.service.Alive`."""
        self._look()
        return self._alive.is_up(host)

    def heard(self, host: str) -> datetime.datetime | None:
        """When `host` was last heard of, for all we know."""
        self._look()
        return self._alive.heard(host)

    def holds(self, host: str, task: str, attempt: int) -> bool:
        """Whether the newest beat of `host` names this attempt of a task's step."""
        self._look()
        return self._steps.get(host, {}).get(task) == attempt

    def oldest(self, host: str | None = None) -> release.Release:
        """The oldest release that `host`, or any host, and the conductors of the cell are of."""
        self._look()
        mine = self._alive.oldest(BINARY) if host is not None else self._alive.oldest(BINARY, 'nova-compute')
        return mine if host is None or not mine.is_current else self._alive.release_of(host)

    def conductors(self) -> release.Release:
        """The oldest release among the cell's conductors."""
        self._look()
        return self._alive.oldest(BINARY)

    def schedulers(self) -> release.Release:
        """The oldest release among the schedulers; they are listed in cell0."""
        self._look()
        return self._alive.oldest('nova-scheduler')

    def release_of(self, host: str) -> release.Release:
        """That of nova-compute on `host`."""
        self._look()
        return self._alive.release_of(host)

    def forget(self) -> None:
        """Look anew at the next question."""
        self._until = clock.Deadline(0)

    def _look(self) -> None:
        """Read the table where that is due; two who do so at once do no harm, and wait for nobody."""
        if not self._until.passed():
            return
        with self._db().read() as conn:
            self._alive = services.Alive.look(conn, self._conf.service_down_time)
            self._steps = services.steps_of(conn)
        self._until = clock.Deadline(self._keep)


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
            host=self._host, binary=BINARY, version=version.SERVICE_VERSION, disabled=None, epoch=None,
            steps=None))

    def _complain(self, error: Exception) -> None:
        LOG.error('Conductor %s could not give a sign of life: %s', self._host, error)
