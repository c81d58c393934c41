"""Column types that behave the same on SQLite, MariaDB and PostgreSQL."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from nova.common import jsonutil

MYSQL: dict[str, Any] = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin',
}
"""Table options."""


def collation(dialect: sa.Dialect) -> str | None:
    """The collation that compares by code point and takes a blank at the end for a character.

    Most of MariaDB's and MySQL's do not: to ``utf8mb4_bin`` the keys ``x`` and ``x`` with a blank are one.
    """
    if dialect.name == 'postgresql':
        return 'C'
    if dialect.name == 'mysql':
        return 'utf8mb4_nopad_bin' if getattr(dialect, 'is_mariadb', False) else 'utf8mb4_0900_bin'
    return None  # SQLite's own


class Exact(sa.types.TypeDecorator[str]):
    """Text that is equal, unique and ordered as it is in Python, on every database.

    What users call things must not meet what other users, or they themselves, call other things; and cells'
    sorted streams are merged in Python.

    Args:
        length: most characters; None is up to 16 MiB.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if self.length is not None:
            return sa.String(self.length, collation=collation(dialect))
        if dialect.name == 'mysql':
            return mysql.MEDIUMTEXT(collation=collation(dialect))
        return sa.Text(collation=collation(dialect))


def string(length: int) -> Exact:
    """Text of up to `length` characters."""
    return Exact(length)


def long_text() -> Exact:
    """Text of up to 16 MiB."""
    return Exact()


def number() -> sa.types.TypeEngine[float]:
    """A float of Python's precision: what was stored is what is found when it is compared with."""
    return sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), 'mysql', 'mariadb')


def time() -> sa.types.TypeEngine[Any]:
    """Naive UTC with microseconds."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


class Json(sa.types.TypeDecorator[Any]):
    """Any JSON value as text; None is NULL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return Exact().load_dialect_impl(dialect)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else jsonutil.text(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else jsonutil.loads(value)
