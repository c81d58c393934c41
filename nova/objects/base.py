"""Records: what the system keeps and sends, one class a noun.

A record is an annotated class, one line a field: ``name: type = default``. Construction, change tracking,
copying, wire form, version and backport are derived from that; `nova.objects.fields` has the types, and
`nova.objects.persistent` the records that are kept in a table. There is no lazy loading: reading what was not
loaded is an error, so no SQL hides behind an attribute.
"""

import typing
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.objects import fields as kinds
from nova.objects import wire as forms
from nova.objects.fields import Field, copied

__all__ = ['NotLoaded', 'Record', 'State', 'at_rest']


class NotLoaded(RuntimeError):
    """A field was read that nobody loaded: a mistake of the programmer who chose the prefetch."""


@typing.dataclass_transform(kw_only_default=True, eq_default=False)
class Record:
    """Base of every record; subclassing registers, unless it is ``abstract``.

    The values of loaded fields are in ``__dict__``: to read one costs no more than with any other object.
    """

    __slots__ = ('__dict__', '_changed')

    VERSION: ClassVar[str] = '1.0'
    """The newest of the versions that its fields came in."""
    fields: ClassVar[Mapping[str, Field]] = {}
    """What the annotations say, by name; what is `apart` is not among them."""

    _changed: set[str]
    _accepts: ClassVar[dict[str, Field]] = {}
    _defaults: ClassVar[JsonObject] = {}
    _encoded: ClassVar[tuple[tuple[str, kinds.Coding], ...]] = ()
    _decoded: ClassVar[tuple[tuple[str, kinds.Coding], ...]] = ()
    _children: ClassVar[tuple[str, ...]] = ()
    _apart: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, abstract: bool = False, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if 'fields' in vars(cls):
            raise TypeError(f'{cls.__name__} declares `fields = ...`: a field is a line `name: type = default` '
                            'in the class (doc/source/contributor/records.rst)')
        if not abstract:
            forms.KINDS.add(cls.__name__, cls)
        cls._accepts = {**cls._accepts, **_declared(cls)}
        cls.fields = {name: field for name, field in cls._accepts.items() if not field.apart}
        cls.VERSION = max((field.since for field in cls.fields.values()), key=forms.number, default='1.0')
        cls._apart = frozenset(cls._accepts) - frozenset(cls.fields)
        cls._defaults = {name: field.default for name, field in cls._accepts.items()
                         if field.default is not kinds.MISSING}
        cls._children = tuple(name for name, field in cls.fields.items() if field.child is not None)
        cls._encoded = tuple((name, field.encode) for name, field in cls.fields.items() if field.encode)
        cls._decoded = tuple((name, field.decode) for name, field in cls.fields.items() if field.decode)

    def __init__(self, **values: object) -> None:
        accepts, own = self._accepts, self.__dict__
        for name, value in values.items():
            field = accepts.get(name)
            if field is None:
                raise TypeError(f'{type(self).__name__} has no field {name!r}')
            own[name] = value if type(value) in field.exact else field.accept(value)
        for name, default in self._defaults.items():
            if name not in own:
                own[name] = copied(default)
        if len(own) < len(accepts):
            missing = ', '.join(sorted(accepts.keys() - own.keys()))
            raise TypeError(f'{type(self).__name__} needs {missing}')
        object.__setattr__(self, '_changed', own.keys() - self._apart)

    if not TYPE_CHECKING:  # a type checker knows the fields, and finds what is misspelt
        def __getattr__(self, name: str) -> object:
            if name in self._accepts:
                raise NotLoaded(f"{type(self).__name__}.{name} was not loaded: prefetch '{name}'")
            raise AttributeError(f'{type(self).__name__} has no field {name!r}')

        def __setattr__(self, name: str, value: object) -> None:
            field = self._accepts.get(name)
            if field is None:
                raise AttributeError(f'{type(self).__name__} has no field {name!r}')
            self.__dict__[name] = value if type(value) in field.exact else field.accept(value)
            if not field.apart:
                self._changed.add(name)

    def __repr__(self) -> str:
        shown = (f'{name}=***' if field.kind == 'secret' else f'{name}={getattr(self, name)!r}'
                 for name, field in self.fields.items() if self.known(name))
        return f"{type(self).__name__}({', '.join(shown)})"

    def known(self, name: str) -> bool:
        """Whether the field is loaded."""
        return name in self.__dict__

    def copy(self) -> Self:
        """A deep copy, changes included."""
        twin = type(self)._of(copied(self.__dict__))
        twin._changed.update(self._changed)
        return twin

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self.copy()

    @classmethod
    def part(cls, **values: object) -> Self:
        """A record of which only this is known: to name a thing, where the others are not asked for."""
        self = cls._of({})
        for name, value in values.items():
            setattr(self, name, value)
        return self

    @classmethod
    def _of(cls, values: JsonObject) -> Self:
        """A record whose fields are this dict. They are of the fields' types, and none counts as changed."""
        self = cls.__new__(cls)
        object.__setattr__(self, '__dict__', values)
        object.__setattr__(self, '_changed', set())
        return self

    # Wire form

    def to_wire(self, versions: Mapping[str, str] | None = None) -> JsonObject:
        """Plain JSON values.

        Args:
            versions: record name to the version that the reader knows; records not named stay as they are.
        """
        data = dict(self.__dict__)
        for name in self._apart:
            data.pop(name, None)
        for name, encode in self._encoded:
            value = data.get(name)
            if value is not None:
                data[name] = encode(value)
        wire = {forms.NAME: type(self).__name__, 'nova_object.namespace': 'nova',
                forms.VERSION: self.VERSION, forms.DATA: data}
        # What is in it says in its own wire form whether it has changed, and is not asked again at each level.
        changed = self._changed.union(name for name in self._children if _says_so(data.get(name)))
        if changed:
            wire[forms.CHANGES] = sorted(changed)
        return forms.backport(wire, versions) if versions else wire

    @classmethod
    def from_wire(cls, wire: JsonObject) -> Self:
        """The record that `to_wire` described: one of this class or of a subclass.

        Fields that the sender did not know get their defaults.

        Raises:
            nova.errors.Invalid: no such record here, another one, or a newer version than this release knows.
        """
        try:
            name, version, sent = wire[forms.NAME], wire[forms.VERSION], wire[forms.DATA]
        except (KeyError, TypeError):
            raise errors.Invalid('Not a record.') from None
        kind: type[Record] | None = forms.KINDS.get(name)
        if kind is None or not forms.reads(kind, version):
            raise errors.Invalid(f'Record {name} {version} is not known to this release.')
        if not issubclass(kind, cls):
            raise errors.Invalid(f'Record {name} came where {cls.__name__} is wanted.')
        known = kind.fields
        values = dict(sent) if sent.keys() <= known.keys() else {
            name: value for name, value in sent.items() if name in known}
        for name, decode in kind._decoded:
            value = values.get(name)
            if value is not None:
                values[name] = decode(value)
        if version != kind.VERSION:
            for name, default in kind._defaults.items():
                if name not in values:
                    values[name] = copied(default)
        self = kind._of(values)
        if forms.CHANGES in wire:
            self._changed.update(name for name in wire[forms.CHANGES] if name in known)
        return self

    # Changes

    def changed(self) -> set[str]:
        """Fields set since the record was loaded or saved; one with a record in it counts when that changed."""
        names = set(self._changed)
        for name in self._children:
            if name not in names and any(child._is_changed() for child in self._in(name)):
                names.add(name)
        return names

    def _is_changed(self) -> bool:
        """Whether `changed` names anything."""
        return bool(self._changed) or any(
            child._is_changed() for name in self._children for child in self._in(name))

    def changes(self) -> JsonObject:
        """The values of the `changed` fields."""
        return {name: self.__dict__[name] for name in self.changed()}

    def clean(self) -> None:
        """Forget that anything changed, in child records too."""
        self._changed.clear()
        for name in self._children:
            for child in self._in(name):
                child.clean()

    def learn(self, other: Self) -> set[str]:
        """Take over what `other`, a copy of this record from elsewhere, changed; return the fields' names."""
        news = other.changes()
        for name, value in news.items():
            setattr(self, name, value)
        return set(news)

    def _in(self, name: str) -> 'Sequence[Record]':
        """The records in a field."""
        value = self.__dict__.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)


def _says_so(encoded: object) -> bool:
    """Whether a record, or one of a list, has changed, by its wire form."""
    if isinstance(encoded, list):
        return any(forms.CHANGES in one for one in encoded)
    return isinstance(encoded, dict) and forms.CHANGES in encoded


def _declared(cls: type[Record]) -> dict[str, Field]:
    """The fields that a class adds; their defaults leave the class, else they would answer for what is not
    loaded."""
    own = [name for name, annotation in vars(cls).get('__annotations__', {}).items()
           if not str(annotation).startswith(('typing.ClassVar', 'ClassVar'))]
    hints = typing.get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True) if own else {}
    found = {name: kinds.read(cls.__name__, name, hints[name], vars(cls).get(name, kinds.MISSING))
             for name in own}
    for name in own:
        if name in vars(cls):
            delattr(cls, name)
    return found


def at_rest(record: Record) -> JsonObject:
    """The wire form of a record that is kept in a column of another: what had changed in it is a fact now.

    With its changes, whoever reads the row would find it changed, and write it anew with every save.
    """
    if record.changed():
        record = record.copy()
        record.clean()
    return record.to_wire()


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
            setattr(self, name, copied(self._defaults[name]))

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
