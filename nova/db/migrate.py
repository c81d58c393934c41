"""Creating and upgrading the schema of the API database and of cells.

Each has two branches of revisions. *expand* adds tables, columns and indexes and runs while older code works
on; *contract* removes what no running code uses any more.
"""

import pathlib
from typing import Literal

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from nova.common import dbkit
from nova.db.api.models import api_metadata
from nova.db.cell.models import cell_metadata

Which = Literal['api', 'cell']
Branch = Literal['all', 'expand', 'contract']

_HERE = pathlib.Path(__file__).parent
_METADATA = {'api': api_metadata, 'cell': cell_metadata}


def sync(db: dbkit.Database, which: Which, branch: Branch = 'all', revision: str | None = None) -> None:
    """Create or upgrade the schema; nothing to do changes nothing.

    Args:
        which: what the database is: the API's, or a cell's (cell0 too).
        branch: expand and then contract, or one of them.
        revision: upgrade only to this revision; wins over `branch`.

    Raises:
        alembic.util.CommandError: no such revision.
    """
    targets = [revision] if revision else [
        f'{name}@head' for name in ('expand', 'contract') if branch in ('all', name)]
    with db.engine.begin() as connection:
        config = _alembic(which, connection)
        for target in targets:
            command.upgrade(config, target)


def version(db: dbkit.Database, which: Which) -> list[str]:
    """Revisions that the schema stands at, one a branch; empty for an empty database."""
    with db.read() as connection:
        return sorted(MigrationContext.configure(connection).get_current_heads())


def newest(which: Which) -> list[str]:
    """Revisions that a fully upgraded schema stands at."""
    return sorted(ScriptDirectory.from_config(_alembic(which)).get_heads())


def _alembic(which: Which, connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option('script_location', str(_HERE / 'migrations'))
    config.set_main_option('path_separator', 'newline')
    config.set_main_option('version_locations', '\n'.join(
        str(_HERE / which / 'migrations' / branch) for branch in ('expand', 'contract')))
    config.attributes.update(connection=connection, metadata=_METADATA[which])
    return config
