"""Opening, creating and upgrading Placement's database."""

import pathlib
from typing import Any

import os_resource_classes
import os_traits
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from oslo_config import cfg

from nova.common import dbkit
from nova.placement.db import models

_MIGRATIONS = pathlib.Path(__file__).parent / 'migrations'


class NotConfigured(Exception):
    """``[placement_database] connection`` is not set."""


def open_database(conf: cfg.ConfigOpts) -> dbkit.Database:
    """Connect as ``[placement_database]`` says.

    Raises:
        NotConfigured: there is no connection URL.
    """
    group = conf.placement_database
    if not group.connection:
        raise NotConfigured('[placement_database] connection is not set')
    url = sa.make_url(group.connection)
    if group.connection_parameters:
        url = url.update_query_string(group.connection_parameters)
    names = ['connection_recycle_time', 'max_retries', 'retry_interval']
    if url.get_backend_name() != 'sqlite':
        names += ['max_pool_size', 'max_overflow', 'pool_timeout']
    options: dict[str, Any] = {name: group[name] for name in names}
    if url.get_backend_name() == 'mysql':
        options['mysql_sql_mode'] = group.mysql_sql_mode
    return dbkit.Database(url.render_as_string(hide_password=False), **options)


def _alembic(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option('script_location', str(_MIGRATIONS))
    config.set_main_option('path_separator', 'newline')
    config.set_main_option('version_locations', '\n'.join(
        str(_MIGRATIONS / 'versions' / branch) for branch in ('expand', 'contract')))
    config.attributes['connection'] = connection
    return config


def sync(db: dbkit.Database, revision: str = 'heads') -> None:
    """Create or upgrade the schema, then the standard names."""
    with db.engine.begin() as connection:
        command.upgrade(_alembic(connection), revision)
    sync_names(db)


def stamp(db: dbkit.Database, revision: str) -> None:
    """Note `revision` as the schema's, without running anything."""
    with db.engine.begin() as connection:
        command.stamp(_alembic(connection), revision)


def version(db: dbkit.Database) -> list[str]:
    """Revisions that the schema stands at, one a branch; empty for an empty database."""
    with db.read() as connection:
        return sorted(MigrationContext.configure(connection).get_current_heads())


def sync_names(db: dbkit.Database) -> None:
    """Add the standard resource classes and traits that the libraries know and the database does not."""
    def write(connection: sa.Connection) -> None:
        dbkit.insert_missing(connection, models.names_version, [{'id': 1, 'version': 0}])
        known_classes = set(connection.scalars(sa.select(models.resource_classes.c.name)))
        known_traits = set(connection.scalars(sa.select(models.traits.c.name)))
        classes = [{'id': position, 'name': name}
                   for position, name in enumerate(os_resource_classes.STANDARDS)
                   if name not in known_classes]
        traits = [{'name': name} for name in sorted(os_traits.get_traits()) if name not in known_traits]
        added = (dbkit.insert_missing(connection, models.resource_classes, classes)
                 + dbkit.insert_missing(connection, models.traits, traits))
        if added:
            bump_names(connection)
    db.write(write)


def bump_names(connection: sa.Connection) -> int:
    """Move `names_version`, which also serialises those who do; the new version.

    Nothing may fill a name cache from this transaction afterwards: it could still be rolled back.
    """
    table = models.names_version
    connection.execute(sa.update(table).where(table.c.id == 1).values(version=table.c.version + 1))
    return connection.execute(sa.select(table.c.version).where(table.c.id == 1)).scalar_one()
