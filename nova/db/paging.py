"""Keyset paging: an order, the rows behind a place in it, and the same said in Python.

NULL comes before every value, on every database.
"""

import dataclasses
from collections.abc import Sequence
from typing import Protocol, Self

import sqlalchemy as sa


class Sortable(Protocol):
    """What a column holds by which rows are sorted: text, numbers, times."""

    def __lt__(self, other: Self, /) -> bool: ...


Values = Sequence[Sortable | None]
"""A place in an order: what a row has in each of its keys."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One part of an order; the last one has to be unique."""

    column: sa.Column
    descending: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    def value_of(self, record: object) -> Sortable | None:
        """What the record has there; its attribute is named as the column is."""
        value: Sortable | None = getattr(record, self.name)
        return value

    def value(self, value: Sortable) -> sa.ColumnElement:
        """A parameter: SQLAlchemy refuses to ask whether something is more than the constant ``true``."""
        return sa.literal(value, self.column.type)


def ordering(order: Sequence[Key]) -> list[sa.ColumnElement]:
    """The ORDER BY."""
    found: list[sa.ColumnElement] = []
    for key in order:
        if key.column.nullable:
            present = key.column.is_not(None)
            found.append(present.desc() if key.descending else present.asc())
        found.append(key.column.desc() if key.descending else key.column.asc())
    return found


def after(order: Sequence[Key], values: Values) -> sa.ColumnElement[bool]:
    """Rows behind the one with these values."""
    ways = []
    for index, key in enumerate(order):
        same = [_same(order[i], values[i]) for i in range(index)]
        ways.append(sa.and_(*same, _behind(key, values[index])))
    behind = sa.or_(*ways)
    first, value = order[0], values[0]
    if first.column.nullable or value is None:
        return behind
    bound = first.column <= first.value(value) if first.descending else first.column >= first.value(value)
    return sa.and_(bound, behind)  # implied by the rest, but what lets an index be entered in the middle


def _same(key: Key, value: Sortable | None) -> sa.ColumnElement[bool]:
    return key.column.is_(None) if value is None else key.column == key.value(value)


def _behind(key: Key, value: Sortable | None) -> sa.ColumnElement[bool]:
    if value is None:
        return sa.false() if key.descending else key.column.is_not(None)
    if not key.descending:
        return key.column > key.value(value)
    less = key.column < key.value(value)
    return sa.or_(less, key.column.is_(None)) if key.column.nullable else less


class Rank:
    """A place in the order, comparable in Python as the databases compare."""

    __slots__ = ('_order', '_values')

    def __init__(self, order: Sequence[Key], values: Values) -> None:
        self._order, self._values = order, values

    def __lt__(self, other: 'Rank') -> bool:
        for key, mine, theirs in zip(self._order, self._values, other._values, strict=True):
            if mine != theirs:
                if mine is None or theirs is None:
                    return (mine is None) is not key.descending
                return theirs < mine if key.descending else mine < theirs
        return False
