"""Names and their ids, kept in memory by one application.

Resource classes and traits can change under a worker's feet, so every use compares `names_version` with the
database. Projects, users and consumer types are only ever added, so what is known stays true.
"""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from typing import TypeVar

import sqlalchemy as sa

from nova.common import dbkit, threads
from nova.placement.db import models

T = TypeVar('T')

CURRENT_VERSION = sa.select(models.names_version.c.version).where(models.names_version.c.id == 1)
"""Also usable as a scalar subquery, which saves a round trip where another statement is due anyway."""


@dataclasses.dataclass(frozen=True)
class NameTable:
    """Resource classes and traits as of one version."""

    version: int
    classes: dict[str, int]
    traits: dict[str, int]
    class_names: dict[int, str]
    trait_names: dict[int, str]
    class_times: dict[str, datetime.datetime]
    trait_times: dict[str, datetime.datetime]

    def by_class(self, found: Mapping[int, T]) -> dict[str, T]:
        """What was read by class id, by class name.

        A class can only go once nothing is of it any more. So what has no name has gone between the reading of
        it and of the names, and is left out.
        """
        return {self.class_names[key]: value for key, value in found.items() if key in self.class_names}


class Names:
    """The resource classes and traits, never older than the statement that asked for them."""

    def __init__(self, db: dbkit.Database) -> None:
        self._db = db
        self._table: NameTable | None = None

    def current(self) -> NameTable:
        with self._db.read() as connection:
            return self.within(connection)

    def at(self, version: int) -> NameTable:
        """The names of this `names_version`, which the caller has just read, or newer ones."""
        table = self._table
        return table if table is not None and table.version == version else self.current()

    def within(self, connection: sa.Connection, version: int | None = None) -> NameTable:
        """The names as `connection` sees them.

        Args:
            version: the current `names_version`, where the caller has read it already.
        """
        if version is None:
            version = connection.execute(CURRENT_VERSION).scalar_one()
        table = self._table
        if table is None or table.version != version:
            table = self._table = _load(connection)
        return table


def _load(connection: sa.Connection) -> NameTable:
    # The version is read before the names: were they to move in between, the next use reads again.
    version = connection.execute(CURRENT_VERSION).scalar_one()
    found = []
    for table in (models.resource_classes, models.traits):
        found.append(list(connection.execute(sa.select(
            table.c.id, table.c.name, sa.func.coalesce(table.c.updated_at, table.c.created_at).label('time')))))
    classes, traits = found
    return NameTable(
        version=version,
        classes={row.name: row.id for row in classes}, traits={row.name: row.id for row in traits},
        class_names={row.id: row.name for row in classes}, trait_names={row.id: row.name for row in traits},
        class_times={row.name: row.time for row in classes},
        trait_times={row.name: row.time for row in traits})


class Agents:
    """Ids of projects, users and consumer types, created when first met."""

    MOST = 50000

    def __init__(self, db: dbkit.Database) -> None:
        self._db = db
        self._known: dict[str, dict[str, int]] = {}
        self._guard = threads.lock()

    def projects(self, names: Iterable[str]) -> dict[str, int]:
        return self._ids(models.projects, models.projects.c.external_id, set(names))

    def users(self, names: Iterable[str]) -> dict[str, int]:
        return self._ids(models.users, models.users.c.external_id, set(names))

    def types(self, names: Iterable[str]) -> dict[str, int]:
        return self._ids(models.consumer_types, models.consumer_types.c.name, set(names))

    def _ids(self, table: dbkit.Table, column: sa.Column, names: set[str]) -> dict[str, int]:
        known = self._known.get(table.name, {})
        missing = names - known.keys()
        if missing:
            found = self._read(table, column, missing)
            if len(found) < len(missing):
                self._create(table, column, missing - found.keys())
                found = self._read(table, column, missing)
            with self._guard:
                known = self._known.get(table.name, {})
                kept = known if len(known) < self.MOST else {}
                self._known[table.name] = kept | found
            known = known | found
        return {name: known[name] for name in names}

    def _read(self, table: dbkit.Table, column: sa.Column, names: set[str]) -> dict[str, int]:
        query = sa.select(column, table.c.id).where(column.in_(sa.bindparam('values', expanding=True)))
        with self._db.read() as connection:
            return {row[0]: row[1] for row in dbkit.select_in(connection, query, sorted(names))}

    def _create(self, table: dbkit.Table, column: sa.Column, names: set[str]) -> None:
        rows = [{column.name: name} for name in sorted(names)]
        self._db.write(lambda connection: dbkit.insert_missing(connection, table, rows))
