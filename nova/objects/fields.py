"""What a field's annotation says: which values it takes, and how they look on the bus and in journals.

===========================  ==================================================================
``str``, `Uuid`, `Secret`    text; a `Secret` is left out of what a record shows of itself
``Literal['a', 'b']``        text, of which a type checker knows what it can be
``int``, ``float``, ``bool``
``datetime.datetime``        naive UTC with microseconds
``list[str]``                texts
``dict[str, str]``           texts by name
a record class, or a list    records in it
`Json`, other lists, dicts   whatever JSON can hold
``... | None``               the same, or None
``Late[...]``                the same; None at first, until which nobody reads it
===========================  ==================================================================
"""

import dataclasses
import datetime
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, cast

from nova.common import clock

T = TypeVar('T')

_UUID, _SECRET, _JSON, _LATE = 'uuid', 'secret', 'json', 'late'

Uuid = Annotated[str, _UUID]
Secret = Annotated[str, _SECRET]
"""Text that must not appear in a record's repr."""
Json = Annotated[Any, _JSON]
"""For what another service or a user says: we do not look into it."""

Late = Annotated[T, _LATE]
"""None until it is known, as the number of a row is until the row is there; readers may count on it."""
NOT_YET: Any = None
"""The value of a `Late` field that is not known yet."""

Coding = Callable[[Any], Any]
"""From a value to its form on the wire or in a column, or back."""

MISSING = object()
"""The default of a field that has none."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Since:
    version: str
    default: Any


@dataclasses.dataclass(frozen=True, slots=True)
class _Apart:
    default: Any


def since(version: str, default: T) -> T:
    """The default of a field that came in a later version of its record than 1.0."""
    return cast(T, _Since(version, default))


def apart(default: T) -> T:
    """The default of an attribute that is neither kept nor sent: it is about this copy of the record alone."""
    return cast(T, _Apart(default))


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field of a record.

    Attributes:
        kind: uuid, secret, json, text, number, float, truth, time, texts, text by text, record or records.
        default: `MISSING` where there is none. A record gets a copy of its own.
        since: version of the record that it came in.
        apart: it is neither kept nor sent.
        child: class of the records in it.
        encode, decode: to JSON and back, of a value that is not None; None where it is JSON already.
        exact: types whose values need no look.
        look: what a value of another type becomes.

    Raises (look):
        TypeError: it cannot be one.
    """

    name: str
    kind: str
    nullable: bool
    default: Any
    since: str
    apart: bool
    child: type | None
    encode: Callable[[Any], Any] | None
    decode: Callable[[Any], Any] | None
    exact: frozenset[type]
    look: Callable[[Any], Any]

    def accept(self, value: Any) -> Any:
        """The value as it is kept; equal values of other types are taken, such as members of an enumeration.

        Raises:
            TypeError: it is none that the field takes. The value is not named, for it may be a secret.
        """
        if type(value) in self.exact:
            return value
        try:
            return self.look(value)
        except TypeError:
            raise TypeError(f'{self.name}: {self.kind} is wanted{" or None" if self.nullable else ""}, '
                            f'not {type(value).__name__}') from None


def copied(value: Any) -> Any:
    """A field's value for a record of its own; `copy.deepcopy` costs five times as much."""
    kind = type(value)
    if kind in _UNCHANGING:
        return value
    if kind is list:
        return [item if type(item) in _UNCHANGING else copied(item) for item in value]
    if kind is dict:
        return {name: item if type(item) in _UNCHANGING else copied(item) for name, item in value.items()}
    return value.copy() if hasattr(value, 'to_wire') else value


_UNCHANGING = frozenset((type(None), str, int, float, bool, datetime.datetime))


def read(owner: str, name: str, annotation: Any, default: Any = MISSING) -> Field:
    """The field that a line ``name: annotation = default`` declares.

    Raises:
        TypeError: values of such a type have no form on the bus.
    """
    version, is_apart = '1.0', isinstance(default, _Apart)
    if isinstance(default, _Since):
        version, default = default.version, default.default
    elif isinstance(default, _Apart):
        default = default.default
    nullable, inner = _split(annotation)
    kind, child = _kind(inner)
    if kind is None:
        raise TypeError(f'{owner}.{name}: nothing is known about fields of {annotation!r}')
    encode, decode = _codec(kind, child)
    exact, look = _values(kind, child)
    return Field(name, kind, nullable, default, version, is_apart, child, encode, decode,
                 exact | {type(None)} if nullable else exact, look)


def _split(annotation: Any) -> tuple[bool, Any]:
    """Whether it may be None, and what it is otherwise."""
    marks = getattr(annotation, '__metadata__', ())
    if _LATE in marks:
        rest = tuple(mark for mark in marks if mark != _LATE)
        return True, Annotated[(annotation.__origin__, *rest)] if rest else annotation.__origin__
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation is type(None), annotation
    others = [each for each in typing.get_args(annotation) if each is not type(None)]
    return len(others) < len(typing.get_args(annotation)), others[0] if len(others) == 1 else annotation


_PLAIN = {str: 'text', int: 'number', float: 'float', bool: 'truth', datetime.datetime: 'time',
          list[str]: 'texts', dict[str, str]: 'text by text', Any: _JSON, dict: _JSON, list: _JSON}


def _kind(annotation: Any) -> tuple[str | None, type | None]:
    """What a field of this annotation is, and the class of the records in it."""
    if typing.get_origin(annotation) is Annotated:
        return typing.get_args(annotation)[1], None
    if annotation in _PLAIN:
        return _PLAIN[annotation], None
    if typing.get_origin(annotation) is typing.Literal:
        return 'text', None
    if hasattr(annotation, 'to_wire'):
        return 'record', annotation
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list and hasattr(args[0], 'to_wire'):
        return 'records', args[0]
    return (_JSON if origin in (list, dict) else None), None


def _codec(kind: str, child: Any) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None]:
    if kind == 'record':
        return (lambda value: value.to_wire()), child.from_wire
    if kind == 'records':
        return (lambda value: [item.to_wire() for item in value],
                lambda value: [child.from_wire(item) for item in value])
    if kind == 'time':
        return datetime.datetime.isoformat, clock.parse
    if kind in ('texts', 'text by text', _JSON):
        return copied, None
    return None, None


def _values(kind: str, child: Any) -> tuple[frozenset[type], Callable[[Any], Any]]:
    """Types of values that are taken as they are, and what others become."""
    if kind == 'record':
        return frozenset({child}), lambda value: _record(child, value)
    if kind == 'records':
        return frozenset(), lambda value: [_record(child, item) for item in _list(value)]
    return _LOOKS[kind]


def _record(child: type, value: Any) -> Any:
    if not isinstance(value, child):
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return str(value)


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return int(value)


def _float(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    raise TypeError


def _time(value: Any) -> datetime.datetime:
    if isinstance(value, str):
        return clock.parse(value)
    if not isinstance(value, datetime.datetime):
        raise TypeError
    return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value


def _list(value: Any) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)):
        raise TypeError
    return list(value)


def _texts(value: Any) -> list[str]:
    return [_text(item) for item in _list(value)]


def _text_by_text(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_text(name): _text(item) for name, item in value.items()}


_TEXT = (frozenset({str}), _text)
_LOOKS: dict[str, tuple[frozenset[type], Callable[[Any], Any]]] = {
    'text': _TEXT, _UUID: _TEXT, _SECRET: _TEXT,
    'number': (frozenset({int}), _number), 'float': (frozenset({float}), _float),
    'truth': (frozenset({bool}), _truth), 'time': (frozenset(), _time),
    'texts': (frozenset(), _texts), 'text by text': (frozenset(), _text_by_text),
    _JSON: (frozenset(), lambda value: value),
}
