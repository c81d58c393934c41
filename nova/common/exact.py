"""Text that compares exactly on every database, and how columns of older schemas come to do so."""


import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql


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

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[str]:
        if self.length is not None:
            return sa.String(self.length, collation=collation(dialect))
        if dialect.name == 'mysql':
            return mysql.MEDIUMTEXT(collation=collation(dialect))
        return sa.Text(collation=collation(dialect))


def convert() -> None:
    """In a migration: change the text columns that do not; one statement a table. Old code runs on either.

    MariaDB copies a table whose indexed columns change, and keeps writers waiting meanwhile.
    """
    connection = op.get_bind()
    wanted = collation(connection.dialect)
    if wanted is None:
        return
    change = _in_mysql if connection.dialect.name == 'mysql' else _in_postgresql
    by_table: dict[str, list[sa.Row[tuple[str, ...]]]] = {}
    for column in connection.execute(_columns(connection.dialect.name), {'wanted': wanted}):
        by_table.setdefault(column.table_name, []).append(column)
    quote = connection.dialect.identifier_preparer.quote
    for table, columns in by_table.items():
        changes = ', '.join(change(quote(column.column_name), column, wanted) for column in columns)
        op.execute(f'ALTER TABLE {quote(table)} {changes}')


def _columns(dialect: str) -> sa.TextClause:
    """Names and types of the columns of text with another collation."""
    schema = 'DATABASE()' if dialect == 'mysql' else 'CURRENT_SCHEMA()'
    kind = 'column_type' if dialect == 'mysql' else 'character_maximum_length'
    return sa.text(
        f'SELECT table_name AS table_name, column_name AS column_name, {kind} AS kind, is_nullable AS nullable '
        f'FROM information_schema.columns WHERE table_schema = {schema} '
        "AND data_type IN ('varchar', 'text', 'mediumtext', 'character varying') "
        "AND table_name <> 'alembic_version' AND COALESCE(collation_name, '') <> :wanted "
        'ORDER BY table_name, ordinal_position')


def _in_mysql(name: str, column: sa.Row[tuple[str, ...]], collation: str) -> str:
    kind = 'mediumtext' if column.kind == 'text' else column.kind
    null = 'NULL' if column.nullable == 'YES' else 'NOT NULL'
    return f'MODIFY {name} {kind} CHARACTER SET utf8mb4 COLLATE {collation} {null}'


def _in_postgresql(name: str, column: sa.Row[tuple[str, ...]], collation: str) -> str:
    kind = 'text' if column.kind is None else f'varchar({column.kind})'
    return f'ALTER COLUMN {name} TYPE {kind} COLLATE "{collation}"'
