"""Everything that runs the tasks of one journal: lease, engine, keeper and its ticker."""

import logging
from collections.abc import Callable

from oslo_config import cfg

from nova import release
from nova.common import dbkit, health, threads
from nova.conductor import relay
from nova.task import engine as engines
from nova.task import flow as flows
from nova.task import handles, journal, keeper, lease

LOG = logging.getLogger(__name__)

A_SECOND = 2000
"""Open tasks that are looked at in a second; where there are more, the keeper comes round less often. To read
ten thousand takes a quarter of a second, and those that wait for a thread get none sooner by it."""
MOST_SECONDS = 5.0
"""Between two rounds, however many tasks are open."""
RELAY_SECONDS = 1.0
"""Between two looks for notifications that wait."""


class Work:
    """A worker on one journal.

    Args:
        handle: builds the handle of a run; gets the engine too, because handles reach back to it.
        after_doubt: see `nova.task.runner.Runner`.
        sender: of notifications; None where nobody listens.
    """

    def __init__(self, db: dbkit.Database, conf: cfg.ConfigOpts, host: str, reach: engines.Reach,
                 handle: Callable[[engines.Run, engines.Engine], handles.Conductor], pool: threads.Pool, *,
                 supers: bool = False, after_doubt: type[flows.AnyFlow] | None = None,
                 sender: relay.Sender | None = None) -> None:
        self._beat = beat = conf.task.beat_seconds
        self.lease = lease.Lease(db, 'nova-conductor', host, beat, round(conf.task.lease_seconds / beat),
                                 supers=supers, knows=flows.keys())
        self.engine: engines.Engine = engines.Engine(
            journal.Journal(db, lambda host: release.oldest(reach.oldest(host), self.lease.oldest())),
            self.lease, reach, lambda run: handle(run, self.engine), pool, supers=supers,
            after_doubt=after_doubt)
        self.keeper = keeper.Keeper(self.engine, conf.task.recast_seconds)
        # Signs of life depend on nothing but the database: looking after tasks may take its time.
        self._beats = threads.Ticker('lease', beat, self.lease.beat, self._complain)
        self._rounds = threads.Ticker('keeper', beat, self._round, self._complain)
        self._relay = None if sender is None else threads.Ticker(
            'relay', RELAY_SECONDS, relay.Relay(
                db, self.lease, self.keeper.shards, sender, conf.notifications.event_stream_hours > 0),
            self._complain)
        self._complaints = 0
        # Who lets a lease's time pass twice has lost it, and does the work of the living no more.
        self.health = health.Pulse('tasks have not been looked after',
                                   2 * (conf.task.lease_seconds + conf.task.beat_seconds))

    def start(self) -> None:
        self.health.beat()
        self._beats.start()
        self._rounds.start()
        if self._relay is not None:
            self._relay.start()

    def rest(self) -> None:
        """Look after no more tasks; those in hand go on, and nobody else takes them."""
        self._rounds.stop()
        if self._relay is not None:
            self._relay.stop()

    def stop(self) -> None:
        """Stop looking after tasks and give up the lease; what is still owned is up for taking."""
        self.rest()
        self._beats.stop()
        try:
            self.lease.leave()
        except Exception:
            # Who stops, stops: a lease that is not given up runs out, and what hung on it is taken over then.
            LOG.warning('The lease in %r could not be given up', self.engine.journal.db, exc_info=True)

    def _round(self) -> float:
        found = self.keeper.round()
        if self.lease.sure():  # who is not runs no step
            self._complaints = 0
            self.health.beat()
        return max(self._beat, min(found / A_SECOND, MOST_SECONDS))

    def _complain(self, error: Exception) -> None:
        """A database that is down is said once a minute, not once a second."""
        if self._complaints % 60 == 0:
            LOG.error('Tasks in %r cannot be looked after now: %s', self.engine.journal.db, error)
        self._complaints += 1
