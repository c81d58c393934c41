"""Has every text column of a database compare exactly: see `nova.db.types.Exact`."""

import sqlalchemy as sa
from alembic import op

from nova.db import types


def convert() -> None:
    """Change the columns that do not; one statement a table. Old code runs on either.

    MariaDB copies a table whose indexed columns change, and keeps writers waiting meanwhile.
    """
    connection = op.get_bind()
    wanted = types.collation(connection.dialect)
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
