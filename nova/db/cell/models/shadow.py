"""Where rows of deleted servers are archived, until they are purged."""

import sqlalchemy as sa

from nova.common import dbkit
from nova.db import types
from nova.db.cell.models import meta

KEPT: dict[str, str] = {'instance_extra': 'instance_uuid', 'instance_metadata': 'instance_uuid',
                        'migrations': 'instance_uuid', 'tasks': 'instance_uuid', 'instances': 'uuid'}
"""Tables whose rows are archived with a server, and the column that names the server; task steps go along with
their tasks. Servers come last, so that a job that was interrupted finds the rest again."""

OWNERS = {**{name: column for name, column in KEPT.items() if name != 'instances'}, 'task_steps': 'task_uuid'}
"""Columns of shadow tables by which the rows of a server are found."""


def _shadow(table: dbkit.Table) -> dbkit.Table:
    """The same columns without constraints; servers' rows are found by the column that names their server."""
    key = OWNERS.get(table.name)
    columns = [sa.Column(column.name, column.type, primary_key=column.primary_key, autoincrement=False,
                         nullable=not column.primary_key, index=column.name == key or None)
               for column in table.columns]
    return sa.Table(f'shadow_{table.name}', meta.cell_metadata, *columns,
                    sa.Column('archived_at', types.time(), nullable=False, index=True), **types.MYSQL)


def declare() -> dict[str, dbkit.Table]:
    """Shadow tables by the name of the table they are of; call once all of those are declared."""
    names = [*KEPT, 'task_steps']
    return {name: _shadow(meta.cell_metadata.tables[name]) for name in names}

