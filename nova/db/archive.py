"""Moving rows of deleted servers out of the way, and dropping them for good.

Every transaction is small, whatever there is to do, and every statement finds its rows by an index: no user's
request waits for one of them. A run looks at each server once, behind the one that it looked at last.
"""

import dataclasses
import datetime
import functools
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.db.api import models as api
from nova.db.cell import models
from nova.db.cell.models.shadow import KEPT

tasks = models.cell_metadata.tables['tasks']
task_steps = models.cell_metadata.tables['task_steps']

_BATCH = 100
"""Servers archived, or purged, in one transaction, at most."""
_ROWS = 2000
"""Rows that one transaction archives where they are of several servers."""
_TASKS = 300
"""Tasks that one transaction purges with their steps."""

Forget = Callable[[list[str]], dict[str, int]]
"""Drops what the API database says about servers; rows by table."""


@dataclasses.dataclass(slots=True)
class Archived:
    """What was done: rows by table, those of the API database that were dropped, and servers that are archived
    now."""

    rows: dict[str, int] = dataclasses.field(default_factory=dict)
    forgotten: dict[str, int] = dataclasses.field(default_factory=dict)
    servers: list[str] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


class Archiver:
    """Archives deleted servers of one cell with all that belongs to them.

    A server goes as a whole. Servers that an operation still works on stay.

    Args:
        before: only servers deleted before.
        forget: drops what the API database says about servers, before they go: who is interrupted between finds
            them again.
    """

    def __init__(self, db: dbkit.Database, before: datetime.datetime | None = None,
                 forget: Forget | None = None) -> None:
        self._db, self._before, self._forget, self._last = db, before, forget, 0

    def some(self, max_rows: int) -> Archived:
        """Archive the next servers, up to about `max_rows` rows; nothing when there is none any more.

        The first server goes even when it alone has more rows.
        """
        done = Archived()
        while done.total < max_rows:
            with self._db.read() as conn:
                found = _deleted(conn, self._last, self._before)
                uuids = _that_fit(conn, [row.uuid for row in found], min(_ROWS, max_rows - done.total))
            if not uuids:
                break
            moved = self._archive(uuids)
            self._last = found[len(uuids) - 1].deleted
            _add(done.rows, moved.rows)
            _add(done.forgotten, moved.forgotten)
            done.servers += moved.servers
        return done

    def _archive(self, uuids: list[str]) -> Archived:
        gone = self._forget(uuids) if self._forget is not None else {}
        moved = self._db.write(lambda conn: _move_servers(conn, uuids), landed=dbkit.repeatable)
        moved.forgotten = gone
        return moved


def archive(db: dbkit.Database, max_rows: int, before: datetime.datetime | None = None) -> Archived:
    """Archive servers of one cell, from the first one on: see `Archiver`."""
    return Archiver(db, before).some(max_rows)


_servers = models.instances
_BUSY = sa.exists().where(tasks.c.instance_uuid == _servers.c.uuid, tasks.c.finished_at.is_(None))


def _deleted(conn: sa.Connection, last: int, before: datetime.datetime | None) -> Sequence[sa.Row]:
    query = sa.select(_servers.c.uuid, _servers.c.deleted).where(_servers.c.deleted > last, ~_BUSY)
    if before is not None:
        query = query.where(_servers.c.deleted_at < before)
    # An index, which passes over living ones.
    order = _servers.c.deleted, _servers.c.created_at, _servers.c.uuid
    return conn.execute(query.order_by(*order).limit(_BATCH)).all()


def _that_fit(conn: sa.Connection, uuids: list[str], room: int) -> list[str]:
    """The first servers whose rows fit into `room`, at least one."""
    if not uuids:
        return []
    counts = dict.fromkeys(uuids, 1)
    keys = [models.cell_metadata.tables[name].c[column] for name, column in KEPT.items() if name != 'instances']
    several = [sa.select(key, sa.func.count()).where(key.in_(uuids)).group_by(key) for key in keys]
    several.append(sa.select(tasks.c.instance_uuid, sa.func.count()).join(
        task_steps, task_steps.c.task_uuid == tasks.c.uuid).where(
            tasks.c.instance_uuid.in_(uuids)).group_by(tasks.c.instance_uuid))
    for uuid, count in conn.execute(sa.union_all(*several)):
        counts[uuid] += count
    chosen: list[str] = []
    for uuid in uuids:
        room -= counts[uuid]
        if room < 0 and chosen:
            break
        chosen.append(uuid)
    return chosen


def _move_servers(conn: sa.Connection, uuids: list[str]) -> Archived:
    """Archive those of the servers that nobody works on now."""
    query = sa.select(_servers.c.uuid).where(_servers.c.uuid.in_(uuids), _servers.c.deleted > 0, ~_BUSY)
    idle = set(conn.execute(query.with_for_update(of=_servers)).scalars())
    uuids = [uuid for uuid in uuids if uuid in idle]
    done = Archived(servers=uuids)
    if not uuids:
        return done
    # Asked for, since MariaDB would read all steps to delete those of a query.
    of_tasks = list(conn.execute(sa.select(tasks.c.uuid).where(tasks.c.instance_uuid.in_(uuids))).scalars())
    done.rows['task_steps'] = sum(_move(conn, 'task_steps', task_steps.c.task_uuid.in_(part))
                                  for part in dbkit.parts(of_tasks))
    for name, column in KEPT.items():
        done.rows[name] = _move(conn, name, models.cell_metadata.tables[name].c[column].in_(uuids))
    return done


def _move(conn: sa.Connection, name: str, where: sa.ColumnElement[bool]) -> int:
    table, shadow = models.cell_metadata.tables[name], models.shadows[name]
    columns = [column.name for column in table.columns]
    now = sa.literal(clock.utcnow(), sa.DateTime)
    conn.execute(shadow.insert().from_select(
        [*columns, 'archived_at'], sa.select(*(table.c[column] for column in columns), now).where(where)))
    return conn.execute(table.delete().where(where)).rowcount


def forget(db: dbkit.Database, uuids: list[str]) -> dict[str, int]:
    """Drop what the API database says about servers that are archived; rows by table."""
    there = api.instance_mappings, api.request_specs, api.instance_group_member
    return db.write(lambda conn: {
        table.name: conn.execute(table.delete().where(table.c.instance_uuid.in_(uuids))).rowcount
        for table in there}, landed=dbkit.repeatable)


def purge(db: dbkit.Database, before: datetime.datetime | None = None) -> dict[str, int]:
    """Drop archived rows for good; rows by table.

    Args:
        before: only of servers deleted before; None drops all.
    """
    gone = dict.fromkeys((models.shadows[name].name for name in ('task_steps', *KEPT)), 0)
    last = 0
    while True:
        with db.read() as conn:
            found = _archived(conn, last, before)
        if not found:
            return gone
        last = found[-1].id
        while some := db.write(functools.partial(_purge_tasks, of=found), landed=dbkit.repeatable):
            _add(gone, some)
        _add(gone, db.write(functools.partial(_purge_servers, found=found), landed=dbkit.repeatable))


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def _archived(conn: sa.Connection, last: int, before: datetime.datetime | None) -> Sequence[sa.Row]:
    """Some servers behind the one with the id `last`."""
    servers = models.shadows['instances']
    query = sa.select(servers.c.id, servers.c.uuid).where(servers.c.id > last)
    if before is not None:
        query = query.where(servers.c.deleted_at < before)
    return conn.execute(query.order_by(servers.c.id).limit(_BATCH)).all()


def _purge_tasks(conn: sa.Connection, of: Sequence[sa.Row]) -> dict[str, int]:
    """Drop some tasks of servers with their steps; nothing where none is left."""
    table, steps = models.shadows['tasks'], models.shadows['task_steps']
    found = conn.execute(sa.select(table.c.id, table.c.uuid).where(
        table.c.instance_uuid.in_([row.uuid for row in of])).limit(_TASKS)).all()
    if not found:
        return {}
    gone = conn.execute(steps.delete().where(steps.c.task_uuid.in_([row.uuid for row in found]))).rowcount
    return {steps.name: gone, table.name: conn.execute(table.delete().where(
        table.c.id.in_([row.id for row in found]))).rowcount}


def _purge_servers(conn: sa.Connection, found: Sequence[sa.Row]) -> dict[str, int]:
    """Drop servers whose tasks are gone, themselves last: the others are found by them."""
    servers, uuids = models.shadows['instances'], [row.uuid for row in found]
    where = {name: models.shadows[name].c[column].in_(uuids)
             for name, column in KEPT.items() if name != 'tasks'}
    where['instances'] = servers.c.id.in_([row.id for row in found])
    return {models.shadows[name].name: conn.execute(models.shadows[name].delete().where(which)).rowcount
            for name, which in where.items()}
