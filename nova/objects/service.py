"""Services of a cell: who runs where, and whether it is alive."""

import datetime
import functools
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import sqlalchemy as sa

from nova import errors, release
from nova.common import clock, dbkit, uuids
from nova.common.jsonutil import JsonObject
from nova.db.cell import models
from nova.objects import fields, statements
from nova.objects.persistent import Persistent
from nova.objects.statements import Order

LOG = logging.getLogger(__name__)


class Service(Persistent):
    """A service process on a host.

    Attributes:
        version: number of what it can do (`nova.version.SERVICE_VERSION` of its release).
        forced_down: an operator says that the host is dead, whatever its heartbeat says.
        epoch: raised when something that the host was told to do is given up (`nova.objects.owed`).
        heard_since: since when its signs of life have come without a long silence.
    """

    table = models.services
    missing, fact = errors.host.ServiceNotFound, 'service'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    host: str
    binary: str
    topic: str | None = None
    report_count: int = 0
    last_seen_up: datetime.datetime | None = None
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    version: int = 1
    epoch: int = fields.since('1.1', 0)
    heard_since: datetime.datetime | None = fields.since('1.2', None)
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    read_at: datetime.datetime | None = fields.apart(None)
    """When it was read, by the clock of its database, which wrote `last_seen_up`."""

    def is_up(self, down_after: float, now: datetime.datetime | None = None) -> bool:
        """Whether, when it was read, it had been heard of in the last `down_after` seconds and was not forced
        down: what is shown.

        What is decided, is decided by `Alive`.
        """
        if self.forced_down or self.last_seen_up is None:
            return False
        now = now or self.read_at or clock.utcnow()
        return abs((now - self.last_seen_up).total_seconds()) <= down_after

    @classmethod
    def find(cls, conn: sa.Connection, **by: object) -> Self | None:
        found = super().find(conn, **by)
        if found is not None:
            found.read_at = dbkit.now(conn)
        return found

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Order = None,
            limit: int | None = None, **by: object) -> list[Self]:
        found = super().all(conn, *where, order=order, limit=limit, **by)
        now = dbkit.now(conn) if found else None
        for one in found:
            one.read_at = now
        return found

    @classmethod
    def join(cls, conn: sa.Connection, host: str, binary: str, version: int) -> Self:
        """The row of a service that starts, made where there is none. Its first beat will say that it lives."""
        dbkit.insert_missing(conn, models.services, [_row(host, binary, version)])
        found = cls.get(conn, host=host, binary=binary)
        found.version = version
        found.save(conn)
        return found

    @classmethod
    def beat(cls, conn: sa.Connection, host: str, binary: str, version: int, disabled: bool | None = None, *,
             epoch: int | None = None, attempts: Mapping[str, int] | None = None, silence: float = 30.0
             ) -> Self | None:
        """Note a sign of life, in one statement while nothing is new.

        Args:
            disabled: what the service believes of itself; None where that makes no difference to it.
            epoch: the one it last joined at. With another one than the row's it is no sign of life. None: it
                joins at none, and its first beat makes its row.
            attempts: those of tasks' steps that it has in line or runs, by task; None says nothing of them.
            silence: seconds after which what is heard begins anew (``heard_since``).

        Returns:
            The record when it says something else, for the service to be told; else None.

        Raises:
            errors.host.ServiceNotFound: it joined once, and its row is gone.
        """
        table, now = models.services, dbkit.now(conn)
        same: JsonObject = {'host': host, 'binary': binary}
        if epoch is not None:
            same['epoch'] = epoch
        agreed = same if disabled is None else {**same, 'disabled': disabled}

        def note(where: JsonObject) -> bool:
            return _note(conn, where, now, version, attempts, silence) > 0
        if note(agreed):
            return None
        heard = disabled is not None and note(same)
        if not heard and epoch is None:
            # Workers of one service may begin at the same time.
            dbkit.insert_missing(conn, table, [
                _row(host, binary, version) | {'report_count': 1, 'last_seen_up': now, 'heard_since': now}])
        found = cls.get(conn, host=host, binary=binary)
        told = epoch in (None, found.epoch) and disabled in (None, found.disabled)
        return None if told else found


    @classmethod
    def noted(cls, conn: sa.Connection, hosts: Sequence[str], binary: str, version: int,
              disabled: bool | None = None, *, epoch: int | None = None,
              attempts: Mapping[str, int] | None = None, silence: float = 30.0) -> bool:
        """Note signs of life of many services at once, which say the same but for their names; see `beat`.

        Returns:
            Whether all of them were as they believe. Otherwise `beat` tells of which that is not so.
        """
        where: JsonObject = {'host': sorted(hosts), 'binary': binary}
        if epoch is not None:
            where['epoch'] = epoch
        if disabled is not None:
            where['disabled'] = disabled
        return _note(conn, where, dbkit.now(conn), version, attempts, silence) == len(hosts)


def _note(conn: sa.Connection, where: JsonObject, now: datetime.datetime, version: int,
          attempts: Mapping[str, int] | None, silence: float) -> int:
    """Note a sign of life of the services that are as `where` says; how many there are."""
    values: JsonObject = {
        'its_now': now, 'its_past': now - datetime.timedelta(seconds=silence), 'its_version': version}
    if attempts is not None:
        values['its_attempts'] = dict(attempts)
    heard = _noting(statements.shape_of(where), attempts is not None)
    return conn.execute(heard, {**values, **statements.values_of(where)}).rowcount


@functools.cache
def _noting(where: statements.Shape, attempts: bool) -> sa.Update:
    """The statement of a sign of life of a service that is as `where` says; `attempts`: it names some."""
    table = models.services
    now, past = (sa.bindparam(name, type_=table.c.heard_since.type) for name in ('its_now', 'its_past'))
    anew = sa.case((sa.or_(table.c.heard_since.is_(None), table.c.last_seen_up.is_(None),
                           table.c.last_seen_up < past), now), else_=table.c.heard_since)
    # In this order: MariaDB takes what is set further left for the old value.
    values = [(table.c.heard_since, anew), (table.c.report_count, table.c.report_count + 1),
              (table.c.last_seen_up, now), (table.c.version, sa.bindparam('its_version')),
              (table.c.updated_at, table.c.updated_at)]
    if attempts:
        values.append((table.c.steps, sa.bindparam('its_attempts', type_=table.c.steps.type)))
    return table.update().where(*statements.conditions(table.c, where)).ordered_values(*values)


def _row(host: str, binary: str, version: int) -> JsonObject:
    """Of a service that has not been heard of yet."""
    return {'uuid': uuids.generate(), 'host': host, 'binary': binary, 'version': version,
            'topic': binary.removeprefix('nova-'), 'report_count': 0, 'last_seen_up': None,
            'created_at': clock.utcnow()}


class Sign(NamedTuple):
    """What is known of a service's life."""

    host: str
    binary: str
    last_seen_up: datetime.datetime | None
    heard_since: datetime.datetime | None
    forced_down: bool
    version: int = release.CURRENT.service


@functools.cache
def _signs(one_host: bool, attempts: bool) -> sa.Select:
    """The statement of `Alive.look`."""
    table = models.services
    computes = table.c.binary == 'nova-compute'
    if one_host:
        computes &= table.c.host == sa.bindparam('its_host')
    return sa.select(*(table.c[name] for name in Sign._fields), *([table.c.steps] if attempts else [])).where(
        sa.or_(table.c.binary.in_(('nova-conductor', 'nova-scheduler')), computes))


class Alive:
    """Which hosts of a cell live, and which release its services are of.

    Signs of life are written down by the cell's conductors, whose own take the same way. So a host is dead when
    a conductor was heard of, without a long silence, for `down_after` seconds longer than the host. While
    nobody is heard of, because the broker or the database is away, nobody grows older; and nobody's clock is
    asked but the database's.

    Args:
        signs: of the cell's services.
        now: time of the cell's database; a cell whose conductors were never heard of is judged by it.
        attempts: see the attribute.

    Attributes:
        attempts: those of tasks' steps that hosts named in their newest beats, {host: {task: attempt}}.
    """

    def __init__(self, signs: Iterable[Sign] = (), down_after: float = 0.0,
                 now: datetime.datetime = datetime.datetime.min,
                 attempts: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.attempts = attempts or {}
        every = self._every = list(signs)
        self._down_after = datetime.timedelta(seconds=down_after)
        self._hosts = {one.host: one for one in every if one.binary == 'nova-compute'}
        self._heard = [(one.heard_since or one.last_seen_up, one.last_seen_up) for one in every
                       if one.binary == 'nova-conductor' and one.last_seen_up is not None]
        self._now = now

    @classmethod
    def look(cls, conn: sa.Connection, down_after: float, host: str | None = None, attempts: bool = False
             ) -> 'Alive':
        """As the cell's database has it: every host, or the one that is asked about.

        Args:
            attempts: read them, too.
        """
        which = {} if host is None else {'its_host': host}
        rows = conn.execute(_signs(host is not None, attempts), which).all()
        signs = len(Sign._fields)
        return cls([Sign(*row[:signs]) for row in rows], down_after, dbkit.now(conn),
                   {row.host: row.steps for row in rows if row.steps} if attempts else None)

    @classmethod
    def supposed(cls, of: release.Release) -> 'Alive':
        """What is said where nobody could look: the conductors and schedulers are of this release."""
        return cls(Sign('', binary, datetime.datetime.min, None, False, of.service)
                   for binary in ('nova-conductor', 'nova-scheduler'))

    def oldest(self, *binaries: str) -> release.Release:
        """The oldest release among the services of these kinds that live: they were heard of not much earlier
        than who was heard last, so that an away broker makes nobody younger."""
        heard = [(one.last_seen_up, one) for one in self._every
                 if one.last_seen_up is not None and not one.forced_down]
        newest = max((seen for seen, _ in heard), default=self._now)
        return release.of(min((one.version for seen, one in heard if one.binary in binaries
                               and newest - seen <= self._down_after), default=release.own().service))

    def all_current(self) -> bool:
        """Whether no service says that it is of the release before, be it alive or not."""
        return all(release.of(one.version).is_current for one in self._every)

    def release_of(self, host: str) -> release.Release:
        """That of nova-compute on `host`, by what it said last."""
        sign = self._hosts.get(host)
        return release.own() if sign is None else release.of(sign.version)

    def heard(self, host: str) -> datetime.datetime | None:
        """When `host` was last heard of, by the cell database's clock."""
        sign = self._hosts.get(host)
        return None if sign is None else sign.last_seen_up

    def is_up(self, host: str) -> bool:
        """Whether nova-compute on `host` lives and is not forced down."""
        sign = self._hosts.get(host)
        if sign is None or sign.forced_down or sign.last_seen_up is None:
            return False
        seen = sign.last_seen_up
        return all(until - max(since, seen) <= self._down_after
                   for since, until in self._heard or [(seen, self._now)])

    def is_dead(self, host: str) -> bool:
        """Whether an operator says that nothing runs on `host` any more: it is forced down, or no service."""
        sign = self._hosts.get(host)
        return sign is None or sign.forced_down
