"""Aggregates: hosts that have something in common, availability zones among them."""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Self

import sqlalchemy as sa

from nova import errors
from nova.db.api import models
from nova.objects import fields
from nova.objects.persistent import Persistent


class Aggregate(Persistent):
    table = models.aggregates
    key = ('id',)
    missing, fact = errors.host.AggregateNotFound, 'aggregate'

    id: fields.Late[int] = fields.NOT_YET
    uuid: fields.Uuid
    name: str
    hosts: list[str] = []
    metadata: dict[str, str] = {}
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None

    @property
    def availability_zone(self) -> str | None:
        return self.metadata.get('availability_zone')

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], **options: Any) -> list[Self]:
        """Aggregates with their hosts and metadata: three statements, however many there are."""
        found = super().all(conn, *where, **options)
        _load(conn, found)
        return found

    @classmethod
    def find(cls, conn: sa.Connection, **by: Any) -> Self | None:
        found = super().find(conn, **by)
        if found is not None:
            _load(conn, [found])
        return found

    @classmethod
    def of_host(cls, conn: sa.Connection, host: str) -> list[Self]:
        """Aggregates that a host is in."""
        table = models.aggregate_hosts
        return cls.all(conn, models.aggregates.c.id.in_(
            sa.select(table.c.aggregate_id).where(table.c.host == host)))

    def create(self, conn: sa.Connection) -> None:
        """Insert it with its metadata; hosts are added one by one."""
        metadata = dict(self.metadata)
        super().create(conn)
        self.set_metadata(conn, metadata)

    def set_metadata(self, conn: sa.Connection, changes: Mapping[str, str | None]) -> None:
        """Add or change metadata; None removes a key."""
        table = models.aggregate_metadata
        if not changes:
            return
        conn.execute(table.delete().where(table.c.aggregate_id == self.id, table.c.key.in_(list(changes))))
        kept = {key: value for key, value in changes.items() if value is not None}
        if kept:
            conn.execute(table.insert(), [
                {'aggregate_id': self.id, 'key': key, 'value': value} for key, value in kept.items()])
        self.metadata = {**{key: value for key, value in self.metadata.items() if key not in changes}, **kept}
        self.clean()

    def add_host(self, conn: sa.Connection, host: str) -> None:
        """Put a host in.

        Raises:
            AggregateHostExists: it is in already.
        """
        if host in self.hosts:
            raise errors.host.AggregateHostExists(aggregate=self.id, host=host)
        conn.execute(models.aggregate_hosts.insert().values(aggregate_id=self.id, host=host))
        self.hosts = [*self.hosts, host]
        self.clean()

    def remove_host(self, conn: sa.Connection, host: str) -> None:
        """Take a host out.

        Raises:
            AggregateHostNotFound: it was not in.
        """
        table = models.aggregate_hosts
        if not conn.execute(table.delete().where(
                table.c.aggregate_id == self.id, table.c.host == host)).rowcount:
            raise errors.host.AggregateHostNotFound(aggregate=self.id, host=host)
        self.hosts = [name for name in self.hosts if name != host]
        self.clean()


def _load(conn: sa.Connection, aggregates: Iterable[Aggregate]) -> None:
    by_id = {aggregate.id: aggregate for aggregate in aggregates}
    hosts: dict[int, list[str]] = {key: [] for key in by_id}
    metadata: dict[int, dict[str, str]] = {key: {} for key in by_id}
    if by_id:
        table = models.aggregate_hosts
        for row in conn.execute(sa.select(table.c.aggregate_id, table.c.host)
                                .where(table.c.aggregate_id.in_(list(by_id))).order_by(table.c.id)):
            hosts[row.aggregate_id].append(row.host)
        pairs = models.aggregate_metadata
        for found in conn.execute(sa.select(pairs.c.aggregate_id, pairs.c.key, pairs.c.value)
                                .where(pairs.c.aggregate_id.in_(list(by_id)))):
            metadata[found.aggregate_id][found.key] = found.value
    for key, aggregate in by_id.items():
        aggregate.hosts, aggregate.metadata = hosts[key], metadata[key]
        aggregate.clean()


def zones(conn: sa.Connection) -> dict[str, str]:
    """Host to its availability zone, of the hosts that an aggregate gives one."""
    hosts, metadata = models.aggregate_hosts, models.aggregate_metadata
    rows = conn.execute(
        sa.select(hosts.c.host, metadata.c.value)
        .join(metadata, metadata.c.aggregate_id == hosts.c.aggregate_id)
        .where(metadata.c.key == 'availability_zone').order_by(hosts.c.id))
    return {row.host: row.value for row in rows}
