"""Which compute services of a cell are alive, as its services table says."""


from oslo_config import cfg

from nova.common import clock, dbkit, threads
from nova.objects import service as services


class Liveness:
    """A look at the services table, kept for about a second."""

    def __init__(self, db: dbkit.Database, conf: cfg.ConfigOpts, keep: float = 1.0) -> None:
        self._db, self._conf, self._keep = db, conf, keep
        self._up: dict[str, bool] = {}
        self._until = clock.Deadline(0)
        self._lock = threads.lock()

    def is_up(self, host: str) -> bool:
        """Whether nova-compute on `host` was heard of within ``service_down_time`` and is not forced down."""
        with self._lock:
            if self._until.passed() or host not in self._up:
                self._look()
            return self._up.get(host, False)

    def forget(self) -> None:
        """Look anew at the next question."""
        self._until = clock.Deadline(0)

    def _look(self) -> None:
        with self._db.read() as conn:
            found = services.Service.all(conn, binary='nova-compute')
        self._up = {row.host: row.is_up(self._conf.service_down_time) for row in found}
        self._until = clock.Deadline(self._keep)
