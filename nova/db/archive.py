"""Moving rows of deleted servers out of the way, and dropping them for good."""

import dataclasses
import datetime

import sqlalchemy as sa

from nova.common import clock, dbkit
from nova.db.api import models as api
from nova.db.cell import models
from nova.db.cell.models.shadow import KEPT

tasks = models.cell_metadata.tables['tasks']
task_steps = models.cell_metadata.tables['task_steps']

_BATCH = 100
"""Servers archived, or purged, in one transaction."""


@dataclasses.dataclass(slots=True)
class Archived:
    """What a batch did: rows by table, and the servers that are archived now."""

    rows: dict[str, int] = dataclasses.field(default_factory=dict)
    servers: list[str] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def archive(db: dbkit.Database, max_rows: int, before: datetime.datetime | None = None,
            with_tasks: bool = True) -> Archived:
    """Archive deleted servers of one cell with all that belongs to them, up to about `max_rows` rows.

    A server goes as a whole: the first one goes even when it alone has more rows. Servers that an operation
    still works on stay.

    Args:
        before: only servers deleted before.
        with_tasks: tasks (instance actions) are archived; without, they are dropped.
    """
    done = Archived()
    while done.total < max_rows:
        room = max_rows - done.total
        batch = db.write(lambda conn, room=room: _batch(conn, room, before, with_tasks))  # type: ignore[misc]
        for name, count in batch.rows.items():
            done.rows[name] = done.rows.get(name, 0) + count
        done.servers += batch.servers
        if not batch.servers:
            break
    return done


def _batch(conn: sa.Connection, room: int, before: datetime.datetime | None, with_tasks: bool) -> Archived:
    uuids = _that_fit(conn, _deleted(conn, before), room)
    done = Archived(servers=uuids)
    if not uuids:
        return done
    of_tasks = task_steps.c.task_uuid.in_(sa.select(tasks.c.uuid).where(tasks.c.instance_uuid.in_(uuids)))
    done.rows['task_steps'] = _move(conn, 'task_steps', of_tasks, with_tasks)
    for name, column in KEPT.items():
        table = models.cell_metadata.tables[name]
        done.rows[name] = _move(conn, name, table.c[column].in_(uuids), with_tasks or name != 'tasks')
    return done


def _deleted(conn: sa.Connection, before: datetime.datetime | None) -> list[str]:
    table = models.instances
    busy = sa.exists().where(tasks.c.instance_uuid == table.c.uuid, tasks.c.finished_at.is_(None))
    query = sa.select(table.c.uuid).where(table.c.deleted > 0, ~busy)
    if before is not None:
        query = query.where(table.c.deleted_at < before)
    order = table.c.deleted, table.c.created_at, table.c.uuid  # an index, which passes over living ones
    return list(conn.execute(query.order_by(*order).limit(_BATCH)).scalars())


def _that_fit(conn: sa.Connection, uuids: list[str], room: int) -> list[str]:
    """The first servers whose rows fit into `room`, at least one."""
    if not uuids:
        return []
    counts = dict.fromkeys(uuids, 0)
    for name, column in KEPT.items():
        key = models.cell_metadata.tables[name].c[column]
        for row in conn.execute(sa.select(key, sa.func.count()).where(key.in_(uuids)).group_by(key)):
            counts[row[0]] += row[1]
    chosen: list[str] = []
    for uuid in uuids:
        room -= counts[uuid]
        if room < 0 and chosen:
            break
        chosen.append(uuid)
    return chosen


def _move(conn: sa.Connection, name: str, where: sa.ColumnElement[bool], keep: bool) -> int:
    table, shadow = models.cell_metadata.tables[name], models.shadows[name]
    if keep:
        columns = [column.name for column in table.columns]
        conn.execute(shadow.insert().from_select(
            [*columns, 'archived_at'],
            sa.select(*(table.c[column] for column in columns), sa.literal(clock.utcnow(), sa.DateTime))
            .where(where)))
    return conn.execute(table.delete().where(where)).rowcount


def forget(conn: sa.Connection, uuids: list[str]) -> dict[str, int]:
    """Drop what the API database says about archived servers; rows by table."""
    gone: dict[str, int] = {}
    for table in (api.instance_mappings, api.request_specs, api.instance_group_member):
        for start in range(0, len(uuids), 500):
            count = conn.execute(table.delete().where(
                table.c.instance_uuid.in_(uuids[start:start + 500]))).rowcount
            gone[table.name] = gone.get(table.name, 0) + count
    return gone


def purge(db: dbkit.Database, before: datetime.datetime | None = None) -> dict[str, int]:
    """Drop archived rows for good; rows by table.

    Args:
        before: only of servers deleted before; None drops all.
    """
    gone, last = dict.fromkeys((models.shadows[name].name for name in _SHADOWED), 0), 0
    while True:
        last, some = db.write(lambda conn, last=last: _purge_some(conn, last, before))  # type: ignore[misc]
        for name, count in some.items():
            gone[name] += count
        if not some:
            return gone


_SHADOWED = ('task_steps', *KEPT)
"""The servers last: the others are found by them."""


def _purge_some(conn: sa.Connection, last: int, before: datetime.datetime | None) -> tuple[int, dict[str, int]]:
    """Drop some servers behind the one with the id `last`, with all that belongs to them.

    Returns:
        The id of the last one, and rows by table; none where no server is left.
    """
    servers, their_tasks = models.shadows['instances'], models.shadows['tasks']
    query = sa.select(servers.c.id, servers.c.uuid).where(servers.c.id > last)
    if before is not None:
        query = query.where(servers.c.deleted_at < before)
    found = conn.execute(query.order_by(servers.c.id).limit(_BATCH)).all()
    if not found:
        return last, {}
    uuids = [row.uuid for row in found]
    of_tasks = list(conn.execute(sa.select(their_tasks.c.uuid).where(
        their_tasks.c.instance_uuid.in_(uuids))).scalars())
    where = {'task_steps': models.shadows['task_steps'].c.task_uuid.in_(of_tasks),
             'instances': servers.c.id.in_([row.id for row in found])}
    return found[-1].id, {
        models.shadows[name].name: conn.execute(models.shadows[name].delete().where(
            where[name] if name in where else models.shadows[name].c[KEPT[name]].in_(uuids))).rowcount
        for name in _SHADOWED}
