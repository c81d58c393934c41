"""Opening, creating and upgrading Placement's database."""

import enum
import pathlib
import sqlite3

import os_resource_classes
import os_traits
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from oslo_config import cfg

from nova.common import dbkit
from nova.common.jsonutil import JsonObject
from nova.placement.db import models, peer

PATIENCE = 60.0
"""Seconds for which a statement is waited for; longer than the databases let one wait for a lock."""

RECONNECT = 3.0
"""Seconds for which a write is tried again while the database cannot be reached."""

_MIGRATIONS = pathlib.Path(__file__).parent / 'migrations'


class NotConfigured(Exception):
    """``[placement_database] connection`` is not set, or is no URL of a database."""


def open_database(conf: cfg.ConfigOpts) -> dbkit.Database:
    """Connect as ``[placement_database]`` says.

    Raises:
        NotConfigured: there is no connection URL, or it is none.
    """
    group = conf.placement_database
    if not group.connection:
        raise NotConfigured('[placement_database] connection is not set')
    try:
        url = sa.make_url(group.connection)
        if group.connection_parameters:
            url = url.update_query_string(group.connection_parameters)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise NotConfigured(f'[placement_database] connection: {dbkit.reason(error)}') from None
    try:
        return open_url(url, group)
    except NotConfigured as error:
        raise NotConfigured(f'[placement_database] connection: {error}') from None


def open_url(url: sa.URL | str, group: cfg.ConfigOpts.GroupAttr) -> dbkit.Database:
    """Connect to any database, with the options of ``[placement_database]``.

    Raises:
        NotConfigured: the URL is none, or that of a file that cannot be opened.
    """
    try:
        return _open(sa.make_url(url), group)
    except (sa.exc.ArgumentError, sqlite3.Error, ImportError, ValueError) as error:
        raise NotConfigured(dbkit.reason(error)) from None


def _open(url: sa.URL, group: cfg.ConfigOpts.GroupAttr) -> dbkit.Database:
    names = ['connection_recycle_time', 'max_retries', 'retry_interval']
    if url.get_backend_name() != 'sqlite':
        names += ['max_pool_size', 'max_overflow', 'pool_timeout']
    options: JsonObject = {name: group[name] for name in names}
    if url.get_backend_name() == 'mysql':
        options['mysql_sql_mode'] = group.mysql_sql_mode
    return dbkit.Database(url.render_as_string(hide_password=False), patience=PATIENCE, reconnect=RECONNECT,
                          **options)


def _alembic(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option('script_location', str(_MIGRATIONS))
    config.set_main_option('path_separator', 'newline')
    config.set_main_option('version_locations', '\n'.join(
        str(_MIGRATIONS / 'versions' / branch) for branch in ('expand', 'contract')))
    config.attributes['connection'] = connection
    return config


class State(enum.Enum):
    """What a database has; the value says it with the database as subject."""

    EMPTY = 'has no schema'
    OLDER = 'has the schema of an older release'
    CURRENT = 'has the schema of this release'
    PEER = 'has the schema of OpenStack Placement'
    UNKNOWN = 'has a schema that this release does not know'


def state(db: dbkit.Database) -> State:
    """Which schema a database has."""
    found = set(version(db))
    if not found:
        return State.EMPTY
    scripts = ScriptDirectory.from_config(_alembic())
    if found == set(scripts.get_heads()):
        return State.CURRENT
    if found <= {script.revision for script in scripts.walk_revisions()}:
        return State.OLDER
    return State.PEER if found <= peer.REVISIONS | peer.OLDER else State.UNKNOWN


WHAT_TO_DO = {
    State.EMPTY: 'Run "placement-manage db sync".',
    State.OLDER: 'Run "placement-manage db sync".',
    State.PEER: 'It stays as it is: create a new database, name it in [placement_database] connection, run '
                '"placement-manage db sync", and then "placement-manage db import URL" with the URL of this.',
    State.UNKNOWN: 'Use the release that made it.',
}
"""By what a database has, unless all is well."""


class NotOurs(Exception):
    """The database has the tables of somebody else; says what to do."""


def sync(db: dbkit.Database, revision: str = 'heads') -> None:
    """Create or upgrade the schema, then the standard names.

    Raises:
        NotOurs: it has tables that we must not touch.
        alembic.util.exc.CommandError: there is no such revision.
    """
    found = state(db)
    if found in (State.PEER, State.UNKNOWN):
        raise NotOurs(f'The database {found.value}. {WHAT_TO_DO[found]}')
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
