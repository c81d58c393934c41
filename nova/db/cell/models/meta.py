"""What the tables of a cell have in common."""

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from nova.common import dbkit
from nova.db import types

cell_metadata = sa.MetaData(naming_convention=dbkit.NAMING)


def table(name: str, *items: SchemaItem) -> dbkit.Table:
    """A table with id and times. Ids are not used twice: guests are named by them."""
    return types.table(cell_metadata, name, *items, reuse_ids=False)
