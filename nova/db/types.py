"""Column types that behave the same on SQLite, MariaDB and PostgreSQL."""

import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import SchemaItem

from nova.common import clock, dbkit, expressions, jsonutil
from nova.common.exact import Exact

MYSQL: dict = {
    'mysql_engine': 'InnoDB', 'mysql_charset': 'utf8mb4', 'mysql_collate': 'utf8mb4_bin',
}
"""Table options."""


def table(metadata: sa.MetaData, name: str, *items: SchemaItem, reuse_ids: bool = True) -> dbkit.Table:
    """A table with id and times.

    Args:
        reuse_ids: SQLite may give a row the id of one that was deleted; the others never do.
    """
    return sa.Table(
        name, metadata, sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('created_at', time(), nullable=False, default=clock.utcnow),
        sa.Column('updated_at', time(), onupdate=clock.utcnow), *items,
        sqlite_autoincrement=not reuse_ids, **MYSQL)


def uuid(name: str = 'uuid', *, nullable: bool = True, unique: bool | None = None, index: bool | None = None,
         primary_key: bool = False) -> sa.Column[str]:
    """A column for a UUID as text."""
    return sa.Column(name, string(36), nullable=nullable and not primary_key, unique=unique, index=index,
                     primary_key=primary_key)


def string(length: int) -> Exact:
    """Text of up to `length` characters."""
    return Exact(length)


def long_text() -> Exact:
    """Text of up to 16 MiB."""
    return Exact()


def number() -> sa.types.TypeEngine[float]:
    """A float of Python's precision: what was stored is what is found when it is compared with."""
    return sa.Float().with_variant(mysql.DOUBLE(asdecimal=False), 'mysql', 'mariadb')


def time() -> sa.types.TypeEngine[datetime.datetime]:
    """Naive UTC with microseconds."""
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), 'mysql', 'mariadb')


class Expression(sa.types.TypeDecorator[str]):
    """A parameter that is a regular expression of `nova.common.expressions`, in the words of each database."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or dialect.name == 'sqlite':  # which asks us: see `nova.common.dbkit`
            return value
        found = expressions.read(value)
        return found.are if dialect.name == 'postgresql' else found.pcre


class Json(sa.types.TypeDecorator[object]):
    """Any JSON value as text; None is NULL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        return Exact().load_dialect_impl(dialect)

    def process_bind_param(self, value: object, dialect: sa.Dialect) -> str | None:
        return None if value is None else jsonutil.text(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> object:
        return None if value is None else jsonutil.loads(value)
