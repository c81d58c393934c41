"""What the tables of a cell have in common."""

from typing import Any

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.db import types

cell_metadata = sa.MetaData(naming_convention=dbkit.NAMING)


def table(name: str, *items: Any) -> sa.Table:
    """A table with id and times. Ids are not used twice, where a database would: guests are named by them."""
    return sa.Table(
        name, cell_metadata, sa.Column('id', sa.Integer, primary_key=True),
        sa.Column('created_at', types.time(), nullable=False, default=clock.utcnow),
        sa.Column('updated_at', types.time(), onupdate=clock.utcnow), *items,
        sqlite_autoincrement=True, **types.MYSQL)


def uuid(name: str = 'uuid', **options: Any) -> sa.Column[Any]:
    return sa.Column(name, types.string(36), **options)
