"""Types of record fields: oslo.versionedobjects', and those we need to be exact."""

import datetime
from collections.abc import Callable
from typing import Any

from oslo_versionedobjects import fields as ovo
from oslo_versionedobjects.fields import (
    BooleanField,
    DictOfStringsField,
    FloatField,
    IntegerField,
    ListOfObjectsField,
    ListOfStringsField,
    ObjectField,
    StringField,
    UUIDField,
)

from nova.common import clock

__all__ = [
    'BooleanField', 'DictOfStringsField', 'FloatField', 'IntegerField', 'JsonField', 'ListOfObjectsField',
    'ListOfStringsField', 'ObjectField', 'SecretField', 'StringField', 'TimeField', 'UUIDField', 'maybe',
    'since',
]


def since(version: str, field: ovo.Field[Any]) -> ovo.Field[Any]:
    """Say in which version of its record a field came; those of the first version need not."""
    field.since = version  # type: ignore[attr-defined]
    return field


def maybe(kind: Callable[..., ovo.Field[Any]], *args: Any) -> ovo.Field[Any]:
    """A field that may be None, and is where nothing else is said."""
    return kind(*args, nullable=True, default=None)


class _Time(ovo.FieldType[datetime.datetime]):
    """Naive UTC that keeps its microseconds over the bus."""

    def coerce(self, obj: Any, attr: str, value: Any) -> datetime.datetime:
        if isinstance(value, str):
            return clock.parse(value)
        if not isinstance(value, datetime.datetime):
            raise ValueError(f'{attr}: {value!r} is not a time')
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value

    def to_primitive(self, obj: Any, attr: str, value: datetime.datetime) -> str:
        return value.isoformat()

    def from_primitive(self, obj: Any, attr: str, value: Any) -> datetime.datetime:
        return clock.parse(value)

    def stringify(self, value: datetime.datetime) -> str:
        return value.isoformat()


class TimeField(ovo.AutoTypedField[datetime.datetime]):
    AUTO_TYPE = _Time()


class _Json(ovo.FieldType[Any]):
    """Whatever JSON can hold, taken as it is."""

    def stringify(self, value: Any) -> str:
        return repr(value)


class JsonField(ovo.AutoTypedField[Any]):
    AUTO_TYPE = _Json()


class _Secret(ovo.FieldType[Any]):
    """Text that must not appear in a record's repr."""

    def coerce(self, obj: Any, attr: str, value: Any) -> str:
        return str(value)

    def stringify(self, value: Any) -> str:
        return "'***'"


class SecretField(ovo.AutoTypedField[Any]):
    AUTO_TYPE = _Secret()
