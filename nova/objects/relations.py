"""Relations of records: parts that are kept in tables of their own and read for many owners in one statement.

`Pairs` are keys and values, `Words` are values alone; `fill` reads several in one statement. A record
whose every reading loads them is `Composed`.
"""

import abc
import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, Self, TypeVar

import sqlalchemy as sa

from nova.common import dbkit
from nova.objects.base import Record
from nova.objects.persistent import Persistent
from nova.objects.statements import Order

Owner = TypeVar('Owner', int, str)


@functools.cache
def _of(owner: sa.Column, *columns: sa.Column, order: sa.Column) -> sa.Select:
    """The rows of the ``owners``, made once: making it costs as much as sending it."""
    return sa.select(owner, *columns).where(owner.in_(sa.bindparam('owners', expanding=True))).order_by(order)


def _table(column: sa.Column) -> dbkit.Table:
    table = column.table
    assert isinstance(table, sa.Table)
    return table


Part = tuple[int, str, str | None]
"""What orders a part among those of its owner, and what it says, in one text or two."""


@dataclasses.dataclass(frozen=True)
class Relation(abc.ABC, Generic[Owner]):
    """Parts that an owner has, one a row.

    Attributes:
        owner: column that names the owner.
    """

    owner: sa.Column[Owner]

    @property
    def table(self) -> dbkit.Table:
        return _table(self.owner)

    @property
    @abc.abstractmethod
    def columns(self) -> Sequence[sa.ColumnElement]:
        """Those of a `Part`. None is a bare NULL, which PostgreSQL takes for text."""

    @property
    def where(self) -> Sequence[sa.ColumnElement[bool]]:
        """What rows must fulfil."""
        return ()

    @abc.abstractmethod
    def gathered(self, parts: Sequence[Part]) -> object:
        """The value that these parts, which are in order, come to."""


@dataclasses.dataclass(frozen=True)
class Words(Relation[Owner]):
    """The values that an owner has.

    Attributes:
        value: column of the value.
        order: column that orders them.
    """

    value: sa.Column[str]
    order: sa.Column

    @property
    def columns(self) -> Sequence[sa.ColumnElement]:
        order = sa.literal_column('0') if self.order is self.value else self.order
        return order, self.value, self.value

    def gathered(self, parts: Sequence[Part]) -> list[str]:
        return [word for _, word, _ in parts]

    def of(  # type: ignore[explicit-any]
            self, conn: sa.Connection, owners: Collection[Owner], *where: sa.ColumnElement[bool],
            among: sa.FromClause | None = None) -> dict[Owner, list[str]]:
        """The values of each of these owners, in order; empty where it has none.

        Args:
            where: further conditions on a row.
            among: the table, joined with others that `where` asks about.
        """
        found: dict[Owner, list[str]] = {owner: [] for owner in owners}
        if found:
            query = _of(self.owner, self.value, order=self.order).where(*where)
            rows = conn.execute(query if among is None else query.select_from(among), {'owners': list(found)})
            for owner, value in rows:
                found[owner].append(value)
        return found


@dataclasses.dataclass(frozen=True)
class Pairs(Relation[Owner]):
    """The keys and values that an owner has, in the columns ``id``, ``key`` and ``value``."""

    @property
    def columns(self) -> Sequence[sa.ColumnElement]:
        return self.table.c.id, self.table.c.key, self.table.c.value

    def gathered(self, parts: Sequence[Part]) -> dict[str, str | None]:
        return {key: value for _, key, value in parts}

    def of(self, conn: sa.Connection, owners: Collection[Owner]) -> dict[Owner, dict[str, str]]:
        """The pairs of each of these owners, in the order in which they were added."""
        found: dict[Owner, dict[str, str]] = {owner: {} for owner in owners}
        if found:
            query = _of(self.owner, self.table.c.key, self.table.c.value, order=self.table.c.id)
            rows = conn.execute(query, {'owners': list(found)})
            for owner, key, value in rows:
                found[owner][key] = value
        return found

    def add(self, conn: sa.Connection, owner: Owner, pairs: Mapping[str, str]) -> None:
        """Give an owner pairs whose keys it does not have."""
        if pairs:
            conn.execute(self.table.insert(), [
                {self.owner.name: owner, 'key': key, 'value': value} for key, value in pairs.items()])

    def remove(self, conn: sa.Connection, owner: Owner, keys: Collection[str]) -> int:
        """Take keys from an owner; how many it had."""
        return conn.execute(self.table.delete().where(
            self.owner == owner, self.table.c.key.in_(list(keys)))).rowcount if keys else 0

    def change(self, conn: sa.Connection, owner: Owner, changes: Mapping[str, str | None]) -> None:
        """Add pairs or give keys other values; None removes a key."""
        self.remove(conn, owner, changes)
        self.add(conn, owner, {key: value for key, value in changes.items() if value is not None})

    def replace(self, conn: sa.Connection, owner: Owner, pairs: Mapping[str, str]) -> None:
        """Make these the pairs of an owner, and no others; only what differs is written."""
        kept = self.of(conn, [owner])[owner]
        self.remove(conn, owner, [key for key, value in kept.items() if pairs.get(key) != value])
        self.add(conn, owner, {key: value for key, value in pairs.items() if kept.get(key) != value})


@functools.cache
def _together(relations: tuple[Relation, ...]) -> sa.CompoundSelect:
    """The parts of the ``owners`` by each relation, which is told by its number."""
    owners: sa.BindParameter[int | str] = sa.bindparam('owners', expanding=True)
    return sa.union_all(*(
        sa.select(sa.literal_column(str(number)), relation.owner, *relation.columns)
        .where(relation.owner.in_(owners), *relation.where) for number, relation in enumerate(relations)))


def fill(conn: sa.Connection, records: Mapping[Owner, Record], relations: Mapping[str, Relation[Owner]]
         ) -> None:
    """Load fields of records that are kept as relations, in one statement.

    Args:
        records: by what names them as owners.
        relations: by the name of the field.
    """
    if not records or not relations:
        return
    found: list[dict[Owner, list[Part]]] = [{owner: [] for owner in records} for _ in relations]
    query = _together(tuple(relations.values()))
    for number, owner, *part in conn.execute(query, {'owners': list(records)}):
        found[number][owner].append(tuple(part))
    for (name, relation), by_owner in zip(relations.items(), found, strict=True):
        for owner, parts in by_owner.items():
            records[owner].__dict__[name] = relation.gathered(sorted(parts))


class Composed(Persistent, abstract=True):
    """A record that is never read without its relations: of many records they cost no more statements."""

    @classmethod
    def load(cls, conn: sa.Connection, found: Sequence[Self]) -> None:
        """Fill in the relations of records that were just read."""
        raise NotImplementedError

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Order = None,
            limit: int | None = None, **by: object) -> list[Self]:
        found = super().all(conn, *where, order=order, limit=limit, **by)
        cls._complete(conn, found)
        return found

    @classmethod
    def find(cls, conn: sa.Connection, **by: object) -> Self | None:
        found = super().find(conn, **by)
        if found is not None:
            cls._complete(conn, [found])
        return found

    @classmethod
    def _complete(cls, conn: sa.Connection, found: Sequence[Self]) -> None:
        if found:
            cls.load(conn, found)
        for one in found:
            one.clean()
