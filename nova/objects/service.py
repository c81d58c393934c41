"""Services of a cell: who runs where, and whether it is alive."""

import datetime
import logging
from collections.abc import Callable
from typing import Self

import sqlalchemy as sa

from nova import errors, version
from nova.common import clock, dbkit, threads, uuids
from nova.db.cell import models
from nova.objects import base
from nova.objects.base import fields

LOG = logging.getLogger(__name__)


class Service(base.Record):
    """A service process on a host.

    Attributes:
        version: number of what it can do (`nova.version.SERVICE_VERSION` of its release).
        forced_down: an operator says that the host is dead, whatever its heartbeat says.
        epoch: raised when something that the host was told to do is given up (`nova.objects.owed`).
    """

    table = models.services
    missing, fact = errors.host.ServiceNotFound, 'service'
    fields = {
        'id': fields.maybe(fields.IntegerField),
        'uuid': fields.UUIDField(),
        'host': fields.StringField(),
        'binary': fields.StringField(),
        'topic': fields.maybe(fields.StringField),
        'report_count': fields.IntegerField(default=0),
        'last_seen_up': fields.maybe(fields.TimeField),
        'disabled': fields.BooleanField(default=False),
        'disabled_reason': fields.maybe(fields.StringField),
        'forced_down': fields.BooleanField(default=False),
        'version': fields.IntegerField(default=1),
        'epoch': fields.since('1.1', fields.IntegerField(default=0)),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
    }

    def is_up(self, down_after: float, now: datetime.datetime | None = None) -> bool:
        """Whether it was heard of in the last `down_after` seconds and is not forced down."""
        seen = self.last_seen_up or self.created_at
        if self.forced_down or seen is None:
            return False
        return abs(((now or clock.utcnow()) - seen).total_seconds()) <= down_after

    @classmethod
    def beat(cls, conn: sa.Connection, host: str, binary: str, version: int, disabled: bool | None = None
             ) -> Self | None:
        """Note a sign of life, making the row at the first one; one statement while nothing is new.

        Args:
            disabled: what the service believes of itself; None where that makes no difference to it.

        Returns:
            The record when it says something else than `disabled`, for the service to be told; else None.
        """
        table = models.services
        own = [table.c.host == host, table.c.binary == binary]
        values = {'report_count': table.c.report_count + 1, 'last_seen_up': clock.utcnow(), 'version': version}
        agreed = own if disabled is None else [*own, table.c.disabled == disabled]
        if conn.execute(table.update().where(*agreed).values(values)).rowcount:
            return None
        if disabled is None or not conn.execute(table.update().where(*own).values(values)).rowcount:
            # Workers of one service may begin at the same time.
            now = clock.utcnow()
            dbkit.insert_missing(conn, table, [{
                'uuid': uuids.generate(), 'host': host, 'binary': binary, 'version': version, 'created_at': now,
                'topic': binary.removeprefix('nova-'), 'report_count': 1, 'last_seen_up': now}])
        found = cls.get(conn, host=host, binary=binary)
        return None if disabled is None or found.disabled == disabled else found

    @classmethod
    def oldest(cls, conn: sa.Connection, binary: str) -> int | None:
        """The lowest version among this cell's services of a kind; None when there are none."""
        table = models.services
        return conn.execute(sa.select(sa.func.min(table.c.version)).where(table.c.binary == binary)).scalar()


class Heartbeat:
    """Keeps the row of a service up to date that has a database: conductors and schedulers.

    It is for operators. Who takes over whose tasks is a matter of leases, which are much quicker, know
    incarnations and compare no clocks. A service that stops leaves its row, which is down after a while.

    Args:
        db: where the row is, asked before each beat, since a cell may move.
        seconds: between two beats.
    """

    def __init__(self, db: Callable[[], dbkit.Database], host: str, binary: str, seconds: float) -> None:
        self._db, self._host, self._binary = db, host, binary
        self._failing = False
        self._ticker = threads.Ticker(f'heartbeat-{host}', seconds, self._beat, self._complain)

    def start(self) -> None:
        """Begin at once, in the background: a database that is away keeps nobody from starting."""
        self._ticker.start()

    def stop(self) -> None:
        self._ticker.stop()

    def _beat(self) -> None:
        self._db().write(
            lambda conn: Service.beat(conn, self._host, self._binary, version.SERVICE_VERSION))
        if self._failing:
            LOG.info('%s on %s is listed again', self._binary, self._host)
        self._failing = False

    def _complain(self, error: Exception) -> None:
        """Once for as long as it lasts."""
        if not self._failing:
            LOG.warning('%s on %s cannot note that it lives: %s: %s', self._binary, self._host,
                        type(error).__name__, error)
        self._failing = True
