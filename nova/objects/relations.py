"""Relations of records: parts that are kept in tables of their own and read for many owners in one statement.

`Pairs` are keys and values, `Words` are values alone; a record whose every reading loads them is `Composed`.
"""

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Generic, Self, TypeVar

import sqlalchemy as sa

from nova.common import dbkit
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


@dataclasses.dataclass(frozen=True)
class Words(Generic[Owner]):
    """The values that an owner has, one a row.

    Attributes:
        owner: column that names the owner.
        value: column of the value.
        order: column that orders them.
    """

    owner: sa.Column[Owner]
    value: sa.Column[str]
    order: sa.Column

    @property
    def table(self) -> dbkit.Table:
        return _table(self.owner)

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
class Pairs(Generic[Owner]):
    """The keys and values that an owner has, one pair a row, in the columns ``key`` and ``value``.

    Attributes:
        owner: column that names the owner.
    """

    owner: sa.Column[Owner]

    @property
    def table(self) -> dbkit.Table:
        return _table(self.owner)

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
def _either(pairs: Pairs, words: Words) -> sa.CompoundSelect:
    """The pairs of the ``owners``, and their words, which have no id."""
    owners: sa.BindParameter[int | str] = sa.bindparam('owners', expanding=True)
    table = pairs.table
    return sa.union_all(
        sa.select(pairs.owner, table.c.id, table.c.key, table.c.value).where(pairs.owner.in_(owners)),
        sa.select(words.owner, sa.null(), words.value, sa.null()).where(words.owner.in_(owners)))


def both(conn: sa.Connection, pairs: Pairs[Owner], words: Words[Owner], owners: Collection[Owner]
         ) -> tuple[dict[Owner, dict[str, str]], dict[Owner, list[str]]]:
    """What `Pairs.of` and `Words.of` say of these owners, in one statement; words are ordered by themselves."""
    paired: dict[Owner, dict[str, str]] = {owner: {} for owner in owners}
    worded: dict[Owner, list[str]] = {owner: [] for owner in owners}
    if paired:
        rows = conn.execute(_either(pairs, words), {'owners': list(paired)}).all()
        for owner, ident, key, value in sorted(rows, key=lambda row: (row[1] or 0, row[2])):
            if ident is None:
                worded[owner].append(key)
            else:
                paired[owner][key] = value
    return paired, worded


class Composed(Persistent, abstract=True):
    """A record that is never read without its relations: a statement for each of them, however many records."""

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
