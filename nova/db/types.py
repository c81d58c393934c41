"""Column types that behave the same on SQLite, MariaDB and PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from nova.common import jsonutil

MYSQL: dict[str, Any] = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin',
}
"""Table options. The binary collation compares as Python does, which merges over cells depend on."""


def string(length: int) -> sa.types.TypeEngine[str]:
    """Text compared by code point everywhere: cells' sorted streams are merged in Python."""
    return sa.String(length).with_variant(sa.String(length, collation='C'), 'postgresql')


def long_text() -> sa.types.TypeEngine[str]:
    """Text of up to 16 MiB."""
    return sa.Text().with_variant(mysql.MEDIUMTEXT(), 'mysql', 'mariadb')


def time() -> sa.types.TypeEngine[Any]:
    """Naive UTC with microseconds."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


class Json(sa.types.TypeDecorator[Any]):
    """Any JSON value as text; None is NULL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(mysql.MEDIUMTEXT() if dialect.name == 'mysql' else sa.Text())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else jsonutil.text(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else jsonutil.loads(value)
