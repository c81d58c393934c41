"""Records: what the system keeps and sends, one class a noun.

A record declares its fields, the version each came in, and its table. Loading, saving, change tracking, wire
form, version and backport are derived from that. There is no lazy loading: reading what was not loaded is an
error, so no SQL hides behind an attribute.
"""

import copy
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import sqlalchemy as sa
from oslo_versionedobjects import base as ovo
from oslo_versionedobjects import fields as ovo_fields

from nova import errors
from nova.common import clock, dbkit, registry
from nova.db import types
from nova.objects import fields, statements
from nova.objects.fields import since

__all__ = ['NotLoaded', 'Record', 'State', 'backport', 'fields', 'kinds', 'plain', 'since', 'versions']

_kinds: registry.Registry[type['Record']] = registry.Registry('record')


class NotLoaded(RuntimeError):
    """A field was read that nobody loaded: a mistake of the programmer who chose the prefetch."""


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split('.')))


class Record(ovo.VersionedObject):
    """Base of every record; subclassing registers.

    Class attributes of a subclass:
        fields: name to field; ``since('1.1', field)`` marks those that came later.
        table: where it is kept, or None. Fields are kept in the columns of their name; the others are not kept,
            or the subclass keeps them elsewhere.
        key: columns that identify a row.
        missing: error raised when a row is not there.
        fact: what that error's message calls the value that was asked for; None has no such message.
    """

    OBJ_SERIAL_NAMESPACE = 'nova_object'
    OBJ_PROJECT_NAMESPACE = 'nova'

    table: ClassVar[sa.Table | None] = None
    key: ClassVar[tuple[str, ...]] = ('uuid',)
    missing: ClassVar[type[errors.NovaError]] = errors.NotFound
    fact: ClassVar[str | None] = None

    _columns: ClassVar[dict[str, sa.Column[Any]]] = {}
    _slots: ClassVar[dict[str, str]] = {}
    _children: ClassVar[tuple[str, ...]] = ()
    _nested: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}
    _wire: ClassVar[tuple[tuple[str, str, Any, Any], ...]] = ()

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _kinds.add(cls.__name__, cls)
        inherited = {name: field for base in reversed(cls.__mro__[1:])
                     for name, field in getattr(base, 'fields', {}).items()}
        cls.fields = {**inherited, **cls.fields}
        cls.VERSION = max((field_since(field) for field in cls.fields.values()), key=_number, default='1.0')
        ovo.VersionedObjectRegistry.register(cls)
        cls._defaults = {name: field.default for name, field in cls.fields.items()
                         if field.default is not ovo_fields.UnspecifiedDefault}
        cls._children = tuple(name for name, field in cls.fields.items() if isinstance(
            field, (ovo_fields.ObjectField, ovo_fields.ListOfObjectsField)))
        cls._wire = tuple((name, f'_obj_{name}', *_codec(field)) for name, field in cls.fields.items())
        if cls.table is not None:
            cls._columns = {name: cls.table.c[name] for name in cls.fields if name in cls.table.c}
            cls._slots = {name: f'_obj_{name}' for name in cls._columns}
            cls._nested = tuple(name for name in cls._children if name in cls._columns)

    def __init__(self, context: Any = None, **values: Any) -> None:
        super().__init__(context, **values)
        for name, default in self._defaults.items():
            if name not in values:
                setattr(self, name, copy.deepcopy(default))

    def obj_load_attr(self, attrname: str) -> None:
        raise NotLoaded(f"{type(self).__name__}.{attrname} was not loaded: prefetch '{attrname}'")

    # Wire form

    def to_wire(self, versions: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Plain JSON values.

        Args:
            versions: record name to the version that the reader knows; records not named stay as they are.
        """
        values = self.__dict__
        data = {}
        for name, slot, encode, _ in self._wire:
            if slot in values:
                value = values[slot]
                data[name] = value if value is None or encode is None else encode(self, name, value)
        wire = {'nova_object.name': type(self).__name__, 'nova_object.namespace': 'nova',
                'nova_object.version': self.VERSION, 'nova_object.data': data}
        changed = self.obj_what_changed()
        if changed:
            wire['nova_object.changes'] = sorted(changed)
        return backport(wire, versions) if versions else wire

    @staticmethod
    def from_wire(wire: Mapping[str, Any]) -> Any:
        """The record that `to_wire` described, of whichever class.

        Fields that the sender did not know get their defaults.

        Raises:
            nova.errors.Invalid: no such record here, or a newer version of it than this release knows.
        """
        try:
            name, version = wire['nova_object.name'], wire['nova_object.version']
            data = wire['nova_object.data']
        except (KeyError, TypeError):
            raise errors.Invalid('Not a record.') from None
        kind = _kinds.get(name)
        if kind is None or not _reads(kind, version):
            raise errors.Invalid(f'Record {name} {version} is not known to this release.')
        self = kind.__new__(kind)
        values = self.__dict__
        values['_context'] = None
        for name, slot, _, decode in kind._wire:
            if name in data:
                value = data[name]
                values[slot] = value if value is None or decode is None else decode(self, name, value)
            elif name in kind._defaults and version != kind.VERSION:
                values[slot] = copy.deepcopy(kind._defaults[name])
        values['_changed_fields'] = {
            name for name in wire.get('nova_object.changes', ()) if name in kind.fields}
        return self

    def copy(self) -> Self:
        """A deep copy, changes included."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update((name, _copied(value)) for name, value in self.__dict__.items())
        return twin

    def known(self, name: str) -> bool:
        """Whether the field is loaded."""
        return hasattr(self, f'_obj_{name}')

    # Changes

    def changes(self) -> dict[str, Any]:
        """Fields set since the record was loaded or saved; a child record counts when it changed inside."""
        return self.obj_get_changes()

    def obj_what_changed(self) -> set[str]:
        changed = set(self._changed_fields)
        for name in self._children:
            if any(child.obj_what_changed() for child in _children(self, name)):
                changed.add(name)
        return changed

    def clean(self) -> None:
        """Forget that anything changed, in child records too."""
        self._changed_fields.clear()
        for name in self._children:
            for child in _children(self, name):
                child.clean()

    def learn(self, other: 'Record') -> set[str]:
        """Take over what `other`, a copy of this record from elsewhere, changed; return the fields' names."""
        news = other.changes()
        for name, value in news.items():
            setattr(self, name, value)
        return set(news)

    # Rows

    @classmethod
    def select(cls) -> sa.Select[Any]:
        """Every column that `from_row` reads."""
        return sa.select(*cls._columns.values())

    @classmethod
    def from_row(cls, row: sa.Row[Any]) -> Self:
        """A clean record of a row of `select`; further columns of the row are left alone.

        Values come from typed columns, so they are taken without coercing each: lists make hundreds of these.
        """
        self = cls.__new__(cls)
        values = self.__dict__
        values['_changed_fields'] = set()
        values['_context'] = None
        slots = cls._slots
        for name, value in row._mapping.items():
            if name in slots:
                values[slots[name]] = value
        for name in cls._nested:
            kept = values.get(slots[name])
            if isinstance(kept, list):
                values[slots[name]] = [Record.from_wire(item) for item in kept]
            elif kept is not None:
                values[slots[name]] = Record.from_wire(kept)
        return self

    @classmethod
    def where(cls, **by: Any) -> list[sa.ColumnElement[bool]]:
        """Conditions ``column = value``, or ``column IN`` for a list, tuple or set."""
        return [cls._columns[name].in_(list(value)) if isinstance(value, (list, tuple, set, frozenset))
                else cls._columns[name] == value for name, value in by.items()]

    @classmethod
    @functools.cache
    def _finding(cls, shape: statements.Shape, ordered: bool = False, limited: bool = False) -> sa.Select[Any]:
        query = cls.select().where(*statements.conditions(cls._columns, shape))
        if ordered:
            query = query.order_by(*(cls._columns[name] for name in cls.key))
        return query.limit(statements.LIMIT) if limited else query

    @classmethod
    def find(cls, conn: sa.Connection, **by: Any) -> Self | None:
        """The one record with these values, or None."""
        row = conn.execute(cls._finding(statements.shape_of(by)), statements.values_of(by)).first()
        return None if row is None else cls.from_row(row)

    @classmethod
    def get(cls, conn: sa.Connection, **by: Any) -> Self:
        """The one record with these values.

        Raises:
            cls.missing: there is none.
        """
        found = cls.find(conn, **by)
        if found is None:
            raise cls.not_found(by)
        return found

    @classmethod
    def all(cls, conn: sa.Connection, *where: sa.ColumnElement[bool], order: Sequence[Any] | None = None,
            limit: int | None = None, **by: Any) -> list[Self]:
        """Records that fulfil every condition, in the order of the key unless another is given."""
        query = cls._finding(statements.shape_of(by), ordered=order is None, limited=limit is not None)
        if where:
            query = query.where(*where)
        if order is not None:
            query = query.order_by(*order)
        return [cls.from_row(row) for row in conn.execute(query, statements.values_of(by, limit))]

    @classmethod
    def not_found(cls, by: Mapping[str, Any]) -> errors.NovaError:
        """The error for a row that is not there."""
        if cls.fact:
            return cls.missing(**{cls.fact: next(iter(by.values()), None)})
        return cls.missing(f'{cls.__name__} not found: '
                           + ', '.join(f'{name}={value}' for name, value in by.items()))

    def create(self, conn: sa.Connection) -> None:
        """Insert the fields that are set; the database's and the table's defaults become fields."""
        table = _kept_in(type(self))
        stored = self._stored(self._columns)
        values = {name: value for name, value in stored.items()
                  if value is not None or not (table.c[name].primary_key or table.c[name].default)}
        result = conn.execute(table.insert(), values)
        made = dict(zip(table.primary_key.columns.keys(), result.inserted_primary_key or (), strict=False))
        sent: Any = result.last_inserted_params()
        for name, column in self._columns.items():
            if name not in values:
                self.__dict__[self._slots[name]] = _raw(column, made.get(name, sent.get(name)))
        self.clean()

    def save(self, conn: sa.Connection, *where: sa.ColumnElement[bool]) -> set[str]:  # type: ignore[override]
        """Update the columns of the changed fields; nothing changed sends nothing.

        Args:
            where: further conditions that the row must fulfil.

        Returns:
            Names of the saved fields.

        Raises:
            self.missing: the row is gone, or does not fulfil the conditions.
        """
        changed = {name for name in self.changes() if name in self._columns}
        if changed:
            values = self._stored(changed)
            if 'updated_at' in self._columns and 'updated_at' not in changed:
                self.__dict__[self._slots['updated_at']] = values['updated_at'] = clock.utcnow()
            update = statements.update(_kept_in(type(self)), self.key)
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
        self.__dict__.update(type(self).from_row(row).__dict__)

    def destroy(self, conn: sa.Connection) -> None:
        """Delete the row.

        Raises:
            self.missing: it is gone already.
        """
        if not conn.execute(_kept_in(type(self)).delete().where(*self.where(**self._by_key()))).rowcount:
            raise self.not_found(self._by_key())

    def _by_key(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.key}

    def _stored(self, names: Any) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in names if self.known(name)}
        for name in self._nested:
            if values.get(name) is not None:
                kept = values[name]
                values[name] = [at_rest(item) for item in kept] if isinstance(kept, list) else at_rest(kept)
        return values


def at_rest(record: Record) -> dict[str, Any]:
    """The wire form of a record that is kept in a column of another: what had changed in it is a fact now.

    With its changes, whoever reads the row would find it changed, and write it anew with every save.
    """
    if record.obj_what_changed():
        record = record.copy()
        record.clean()
    return record.to_wire()


def hold(conn: sa.Connection, kind: type[Record], **by: Any) -> None:
    """Have whoever else wants to hold or change these rows wait until the transaction ends.

    Who reads a record, decides and saves it holds it first: else a change that comes in between is lost.
    """
    dbkit.lock_rows(conn, _kept_in(kind), **by)


def _kept_in(kind: type[Record]) -> sa.Table:
    if kind.table is None:
        raise TypeError(f'{kind.__name__} is kept nowhere')
    return kind.table


def _children(record: Record, name: str) -> Sequence[Record]:
    value = record.__dict__.get(f'_obj_{name}')
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


_UNCHANGING = frozenset((type(None), str, int, float, bool))


def _copied(value: Any) -> Any:
    """A field's value for a record of its own; `copy.deepcopy` costs five times as much."""
    if type(value) in _UNCHANGING:
        return value
    if isinstance(value, Record):
        return value.copy()
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return set(value) if isinstance(value, set) else value


def _reads(kind: type[Record], version: str) -> bool:
    theirs, ours = _number(version), _number(kind.VERSION)
    return theirs[0] == ours[0] and theirs <= ours


_AS_THEY_ARE = (fields.StringField, fields.IntegerField, fields.BooleanField, fields.FloatField,
                fields.UUIDField, fields.SecretField)


def _codec(field: Any) -> tuple[Any, Any]:
    """How a field's value becomes JSON and back; None where it is JSON already."""
    if isinstance(field, _AS_THEY_ARE):
        return None, None
    if isinstance(field, fields.JsonField):
        return (lambda self, name, value: _copied(value)), None
    if isinstance(field, ovo_fields.ObjectField):
        return (lambda self, name, value: value.to_wire()), (lambda self, name, value: Record.from_wire(value))
    if isinstance(field, ovo_fields.ListOfObjectsField):
        return (lambda self, name, value: [item.to_wire() for item in value],
                lambda self, name, value: [Record.from_wire(item) for item in value])
    return field.to_primitive, field.from_primitive


def _raw(column: sa.Column[Any], value: Any) -> Any:
    """A default as Python sees it: the statement's parameters hold JSON as text."""
    if isinstance(column.type, types.Json) and column.default is not None:
        return copy.deepcopy(getattr(column.default, 'arg', None))
    return value


def field_since(field: Any) -> str:
    """The version that a field came in."""
    return getattr(field, 'since', '1.0')


class State(Record):
    """Base of what a flow remembers between its steps; journalled, so every field must have a wire form.

    Attributes:
        passing: fields that nobody may find any more when the task has ended. Hosts are lent them, and do not
            give them back: so their journals do not hold them either.
    """

    passing: ClassVar[tuple[str, ...]] = ()

    def forget(self) -> None:
        """The task has ended: what was for its steps alone is gone."""
        for name in self.passing:
            setattr(self, name, copy.deepcopy(self._defaults[name]))

    def returned(self) -> Self:
        """What a host answers, to whom this state was lent."""
        if not self.passing:
            return self
        answer = self.copy()
        answer.forget()
        return answer

    def after(self, answer: Self) -> Self:
        """What a host answered, with what it was lent."""
        for name in self.passing:
            setattr(answer, name, getattr(self, name))
        return answer


def backport(wire: Mapping[str, Any], versions: Mapping[str, str]) -> dict[str, Any]:
    """A record's wire form as an older reader knows it: newer fields dropped, in child records too."""
    kind = _kinds.get(wire['nova_object.name'])
    target = versions.get(wire['nova_object.name'])
    data = dict(wire['nova_object.data'])
    lower = dict(wire)
    if kind is not None and target is not None and _number(target) < _number(wire['nova_object.version']):
        data = {name: value for name, value in data.items()
                if name in kind.fields and _number(field_since(kind.fields[name])) <= _number(target)}
        lower['nova_object.version'] = target
        if 'nova_object.changes' in wire:
            lower['nova_object.changes'] = [name for name in wire['nova_object.changes'] if name in data]
    lower['nova_object.data'] = {name: _backport_value(value, versions) for name, value in data.items()}
    return lower


def _backport_value(value: Any, versions: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_backport_value(item, versions) for item in value]
    if isinstance(value, dict):
        if 'nova_object.name' in value:
            return backport(value, versions)
        return {name: _backport_value(item, versions) for name, item in value.items()}
    return value


def plain(wire: Any) -> Any:
    """A wire form without its envelopes: the fields as plain dicts and lists, for views."""
    if isinstance(wire, dict):
        data = wire.get('nova_object.data', wire)
        return {name: plain(value) if isinstance(value, (dict, list)) else value
                for name, value in data.items()}
    if isinstance(wire, list):
        return [plain(item) for item in wire]
    return wire


def kinds() -> list[type[Record]]:
    """Every record class, by name."""
    return _kinds.values()


def versions() -> dict[str, str]:
    """Record name to the version that this release speaks."""
    return {kind.__name__: kind.VERSION for kind in kinds()}
