"""Records that are kept in a table: loading, finding, saving."""

import copy
import functools
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self, cast

import sqlalchemy as sa

from nova import errors
from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.db import types
from nova.objects import statements
from nova.objects.base import Record, at_rest
from nova.objects.fields import Coding
from nova.objects.statements import Order


class Persistent(Record, abstract=True):
    """Base of records with a table; fields are kept in the columns of their name, others elsewhere or nowhere.

    Attributes of the class:
        table: where it is kept.
        key: columns that identify a row.
        missing: error raised when a row is not there.
        fact: what that error's message calls the value that was asked for; None has no such message.
    """

    table: ClassVar[dbkit.Table]
    key: ClassVar[tuple[str, ...]] = ('uuid',)
    missing: ClassVar[type[errors.NovaError]] = errors.NotFound
    fact: ClassVar[str | None] = None

    _columns: ClassVar[dict[str, sa.Column]] = {}
    _nested: ClassVar[tuple[tuple[str, Coding], ...]] = ()

    def __init_subclass__(cls, abstract: bool = False, **kwargs: object) -> None:
        super().__init_subclass__(abstract=abstract, **kwargs)
        if abstract:
            return
        if getattr(cls, 'table', None) is None:
            raise TypeError(f'{cls.__name__} has no table')
        cls._columns = {name: cls.table.c[name] for name in cls.fields if name in cls.table.c}
        decodes = ((name, cls.fields[name].decode) for name in cls._children if name in cls._columns)
        cls._nested = tuple((name, decode) for name, decode in decodes if decode is not None)

    @classmethod
    def select(cls) -> sa.Select:
        """Every column that `from_row` reads."""
        return sa.select(*cls._columns.values())

    @classmethod
    def from_row(cls, row: sa.Row) -> Self:
        """A clean record of a row of `select`; further columns of the row are left alone.

        Values come from typed columns, so they are taken without a look at each: lists make hundreds of these.
        """
        values = dict(zip(row._fields, row, strict=True))
        if not values.keys() <= cls._columns.keys():
            values = {name: value for name, value in values.items() if name in cls._columns}
        for name, decode in cls._nested:
            kept = values.get(name)
            if kept is not None:
                values[name] = decode(kept)
        return cls._of(values)

    @classmethod
    def where(cls, **by: object) -> list[sa.ColumnElement[bool]]:
        """Conditions ``column = value``, or ``column IN`` for a list, tuple or set."""
        return [cls._columns[name].in_(list(value)) if isinstance(value, (list, tuple, set, frozenset))
                else cls._columns[name] == value for name, value in by.items()]

    @classmethod
    @functools.cache
    def _finding(cls, shape: statements.Shape, ordered: bool = False, limited: bool = False) -> sa.Select:
        query = cls.select().where(*statements.conditions(cls._columns, shape))
        if ordered:
            query = query.order_by(*(cls._columns[name] for name in cls.key))
        return query.limit(statements.LIMIT) if limited else query

    @classmethod
    def find(cls, conn: sa.Connection, **by: object) -> Self | None:
        """The one record with these values, or None."""
        row = conn.execute(cls._finding(statements.shape_of(by)), statements.values_of(by)).first()
        return None if row is None else cls.from_row(row)

    @classmethod
    def get(cls, conn: sa.Connection, **by: object) -> Self:
        """The one record with these values.

        Raises:
            cls.missing: there is none.
        """
        found = cls.find(conn, **by)
        if found is None:
            raise cls.not_found(by)
        return found

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Order = None,
            limit: int | None = None, **by: object) -> list[Self]:
        """Records that fulfil every condition, in the order of the key unless another is given."""
        query = cls._finding(statements.shape_of(by), ordered=order is None, limited=limit is not None)
        if where or order:
            query = statements.narrowed(query, where, tuple(order or ()))
        return [cls.from_row(row) for row in conn.execute(query, statements.values_of(by, limit))]

    @classmethod
    def not_found(cls, by: Mapping[str, object]) -> errors.NovaError:
        """The error for a row that is not there."""
        if cls.fact:
            told: JsonObject = {cls.fact: next(iter(by.values()), None)}
            return cls.missing(**told)
        return cls.missing(f'{cls.__name__} not found: '
                           + ', '.join(f'{name}={value}' for name, value in by.items()))

    def create(self, conn: sa.Connection) -> None:
        """Insert the fields that are set; the database's and the table's defaults become fields."""
        table = self.table
        values = {name: value for name, value in self._stored(self._columns).items()
                  if value is not None or not (table.c[name].primary_key or table.c[name].default)}
        result = conn.execute(statements.insert(table), values)
        made = dict(zip(table.primary_key.columns.keys(), result.inserted_primary_key or (), strict=False))
        sent = cast('JsonObject', result.last_inserted_params())
        for name, column in self._columns.items():
            if name not in values:
                self.__dict__[name] = _raw(column, made.get(name, sent.get(name)))
        self.clean()

    def save(self, conn: sa.Connection, *where: sa.ColumnElement[bool]) -> set[str]:
        """Update the columns of the changed fields; nothing changed sends nothing.

        Args:
            where: further conditions that the row must fulfil.

        Returns:
            Names of the saved fields.

        Raises:
            self.missing: the row is gone, or does not fulfil the conditions.
        """
        changed = {name for name in self.changed() if name in self._columns}
        if changed:
            values = self._stored(changed)
            if 'updated_at' in self._columns and 'updated_at' not in changed:
                self.__dict__['updated_at'] = values['updated_at'] = dbkit.now(conn)
            update = statements.update(self.table, self.key)
            if where:
                update = update.where(*where)
            if not conn.execute(update, {**values, **statements.values_of(self._by_key())}).rowcount:
                raise self.not_found(self._by_key())
        self.clean()
        return changed

    def refresh(self, conn: sa.Connection) -> None:
        """Load every column anew; relations kept elsewhere stay as they are.

        Raises:
            self.missing: the row is gone.
        """
        row = conn.execute(sa.select(*self._columns.values()).where(*self.where(**self._by_key()))).first()
        if row is None:
            raise self.not_found(self._by_key())
        self._take(type(self).from_row(row))

    def destroy(self, conn: sa.Connection) -> None:
        """Delete the row.

        Raises:
            self.missing: it is gone already.
        """
        delete = statements.delete(self.table, self.key)
        if not conn.execute(delete, statements.values_of(self._by_key())).rowcount:
            raise self.not_found(self._by_key())

    def _take(self, fresh: Self) -> None:
        """What was read anew replaces what was known, changes included."""
        self.__dict__.update(fresh.__dict__)
        self._changed.clear()

    def _by_key(self) -> JsonObject:
        return {name: getattr(self, name) for name in self.key}

    def _stored(self, names: Iterable[str]) -> JsonObject:
        values = {name: self.__dict__[name] for name in names if self.known(name)}
        for name, _ in self._nested:
            kept = values.get(name)
            if kept is not None:
                values[name] = [at_rest(item) for item in kept] if isinstance(kept, list) else at_rest(kept)
        return values


def hold(conn: sa.Connection, kind: type[Persistent], **by: object) -> None:
    """Have whoever else wants to hold or change these rows wait until the transaction ends.

    Who reads a record, decides and saves it holds it first: else a change that comes in between is lost.
    """
    dbkit.lock_rows(conn, kind.table, **by)


def _raw(column: sa.Column, value: object) -> object:
    """A default as Python sees it: the statement's parameters hold JSON as text."""
    if isinstance(column.type, types.Json) and column.default is not None:
        return copy.deepcopy(getattr(column.default, 'arg', None))
    return value
