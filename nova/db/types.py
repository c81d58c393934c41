"""Column types that mean the same on SQLite, MariaDB and PostgreSQL."""

import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from nova.common import jsonutil


class Json(sa.types.TypeDecorator):
    """A JSON document as text, written and read by orjson; SQL never looks inside."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name == 'mysql':
            return dialect.type_descriptor(mysql.MEDIUMTEXT())
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else jsonutil.text(value)

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        return None if value is None else jsonutil.loads(value)


class Time(sa.types.TypeDecorator):
    """A naive UTC time with microseconds, everywhere."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        if dialect.name == 'mysql':
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: datetime.datetime | None, dialect: Any) -> Any:
        if value is not None and value.tzinfo is not None:
            return value.astimezone(datetime.UTC).replace(tzinfo=None)
        return value
