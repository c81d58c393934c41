"""The sign of life of services that have a database: a row among the services, for operators to see."""

import logging
from collections.abc import Callable

from nova import release
from nova.common import dbkit, threads
from nova.objects.service import Service

LOG = logging.getLogger(__name__)


class Heartbeat:
    """Keeps the row of a service up to date that has a database: schedulers and super-conductors.

    It is for operators. Who takes over whose tasks is a matter of leases, which are much quicker, know
    incarnations and compare no clocks. A service that stops leaves its row, which is down after a while.

    Args:
        db: where the row is, asked before each beat, since a cell may move.
        seconds: between two beats.
    """

    def __init__(self, db: Callable[[], dbkit.Database], host: str, binary: str, seconds: float) -> None:
        self._db, self._host, self._binary, self._seconds = db, host, binary, seconds
        self._failing = False
        self._ticker = threads.Ticker(f'heartbeat-{host}', seconds, self._beat, self._complain)

    def start(self) -> None:
        """Begin at once, in the background: a database that is away keeps nobody from starting."""
        self._ticker.start()

    def stop(self) -> None:
        self._ticker.stop()

    def _beat(self) -> None:
        self._db().write(
            lambda conn: Service.beat(conn, self._host, self._binary, release.own().service,
                                      silence=3 * self._seconds))
        if self._failing:
            LOG.info('%s on %s is listed again', self._binary, self._host)
        self._failing = False

    def _complain(self, error: Exception) -> None:
        """Once for as long as it lasts."""
        if not self._failing:
            LOG.warning('%s on %s cannot note that it lives: %s: %s', self._binary, self._host,
                        type(error).__name__, error)
        self._failing = True
