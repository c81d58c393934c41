"""Aggregates: hosts that have something in common, availability zones among them."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Self

import sqlalchemy as sa

from nova import errors
from nova.db.api import models
from nova.objects import fields, relations
from nova.objects.relations import Composed, Pairs, Words

HOSTS = Words(models.aggregate_hosts.c.aggregate_id, models.aggregate_hosts.c.host, models.aggregate_hosts.c.id)
METADATA = Pairs(models.aggregate_metadata.c.aggregate_id)


class Aggregate(Composed):
    """An aggregate, with its hosts in the order in which they were put in."""

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
    def load(cls, conn: sa.Connection, found: Sequence[Self]) -> None:
        relations.fill(conn, {one.id: one for one in found}, {'hosts': HOSTS, 'metadata': METADATA})

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
        METADATA.change(conn, self.id, changes)
        kept = {**self.metadata, **changes}
        self.metadata = {key: value for key, value in kept.items() if value is not None}
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


def zones(conn: sa.Connection) -> dict[str, str]:
    """Host to its availability zone, of the hosts that an aggregate gives one."""
    hosts, metadata = models.aggregate_hosts, models.aggregate_metadata
    rows = conn.execute(
        sa.select(hosts.c.host, metadata.c.value)
        .join(metadata, metadata.c.aggregate_id == hosts.c.aggregate_id)
        .where(metadata.c.key == 'availability_zone').order_by(hosts.c.id))
    return {row.host: row.value for row in rows}
