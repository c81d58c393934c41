"""Statements that are made once and sent often: making one costs five times as much as sending it."""

import datetime
import functools
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from nova.common import dbkit
from nova.common.jsonutil import JsonObject

Shape = tuple[tuple[str, str], ...]
"""What a search's statement depends on: names, and of each whether it is one value, several or NULL."""
LIMIT = sa.bindparam('its_limit', type_=sa.Integer)
_SEVERAL = (list, tuple, set, frozenset)


Order = Sequence[sa.ColumnElement] | None
"""Columns by which records are sorted; None: by their key."""


def shape_of(by: Mapping[str, object]) -> Shape:
    """The shape of a search by these values."""
    return tuple((name, 'IN' if isinstance(value, _SEVERAL) else 'IS' if value is None else '=')
                 for name, value in by.items())


def values_of(by: Mapping[str, object], limit: int | None = None) -> JsonObject:
    """The parameters of its `conditions`, and of `LIMIT`."""
    values: JsonObject = {} if limit is None else {'its_limit': limit}
    for name, value in by.items():
        values[f'its_{name}'] = list(value) if isinstance(value, _SEVERAL) else value
    return values


def conditions(columns: Mapping[str, sa.Column] | sa.sql.base.ReadOnlyColumnCollection[str, sa.Column],
               shape: Shape) -> list[sa.ColumnElement[bool]]:
    """What rows must fulfil, with parameters ``its_...`` for the values: other names than those of columns,
    which in an UPDATE are what is set."""
    return [_condition(name, columns[name], how) for name, how in shape]


@functools.cache
def update(table: dbkit.Table, key: tuple[str, ...]) -> sa.Update:
    """The update of the row with this key (`values_of`), by parameters named like its columns."""
    return table.update().where(*conditions(table.c, tuple((name, '=') for name in key)))


@functools.lru_cache(512)
def narrowed(query: sa.Select, where: tuple[sa.ColumnElement[bool], ...], order: tuple[sa.ColumnElement, ...]
             ) -> sa.Select:
    """A query with further conditions, and sorted; the same statement for the same objects."""
    query = query.where(*where) if where else query
    return query.order_by(*order) if order else query


@functools.cache
def insert(table: dbkit.Table) -> sa.Insert:
    """The insert of a row, by parameters named like its columns."""
    return table.insert()


@functools.cache
def delete(table: dbkit.Table, key: tuple[str, ...]) -> sa.Delete:
    """The delete of the rows with this key (`values_of`)."""
    return table.delete().where(*conditions(table.c, tuple((name, '=') for name in key)))


def old(key: sa.Column, *where: sa.ColumnElement[bool], by: sa.Column) -> sa.Select:
    """The statement for `prune`: it finds the oldest rows up to `LIMIT`, and holds them.

    What somebody else holds is passed over, for he drops it: several conductors share the work.

    Args:
        key: what names a row.
        where: when a row is old, by the parameter ``before``.
        by: what tells the order, of an index.
    """
    return sa.select(key).where(*where).order_by(by).limit(LIMIT).with_for_update(skip_locked=True)


def prune(conn: sa.Connection, found_by: sa.Select, before: datetime.datetime | int, limit: int) -> int:
    """Delete up to `limit` rows from `before` that a statement made with `old` finds; return how many."""
    key, = found_by.selected_columns
    assert isinstance(key, sa.Column)
    found = list(conn.execute(found_by, {'before': before, 'its_limit': limit}).scalars())
    if found:
        conn.execute(sa.delete(key.table).where(key.in_(found)))
    return len(found)


def _condition(name: str, column: sa.Column, how: str) -> sa.ColumnElement[bool]:
    if how == 'IS':
        found: sa.ColumnElement[bool] = column.is_(None)
    elif how == 'IN':
        found = column.in_(sa.bindparam(f'its_{name}', expanding=True))
    else:
        found = column == sa.bindparam(f'its_{name}')
    return found
