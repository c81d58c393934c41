"""Rows of operations: tasks, the steps they took, and the workers that run them.

Everything here is one statement against a connection that the caller holds; `task.journal` decides what
belongs into one transaction. Both the API database and every cell have these tables.
"""

import dataclasses
import datetime
import functools
import zlib
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import errors, states
from nova.common import clock, dbkit
from nova.common.jsonutil import JsonObject
from nova.db import tasks as tables
from nova.db.cell import models as cell_models
from nova.objects import statements
from nova.objects.progress import Progress

READY, RUNNING, PARKED, WAITING, QUEUED, INERT = (
    'ready', 'running', 'parked', 'waiting', 'queued', 'inert')
DONE, UNDONE, STUCK, ABANDONED = 'done', 'undone', 'stuck', 'abandoned'
OPEN = (READY, RUNNING, PARKED, WAITING, QUEUED)
"""Statuses of a task that somebody must take care of."""
SHARDS = 256
"""Parts into which tasks are divided among workers; see `nova.task.carers`."""


def shard_of(uuid: str) -> int:
    """The part that a task belongs to for life."""
    return zlib.crc32(uuid.encode()) % SHARDS


@dataclasses.dataclass(slots=True)
class Task:
    """One operation on its way, or its history.

    Attributes:
        status: ready (for anybody), running (by `owner`), parked (a host works on it), waiting (for a
            condition), queued (for its turn), inert (not to be run yet), or an end: done, undone, stuck,
            abandoned (by an operator).
        exclusive: the server's slot that the task holds; None when it holds none.
        queued: it takes its turn with others of its kind; the one whose turn it is holds the slot.
        direction: do or undo.
        attempt: counts the starts of steps; a host refuses what is older than the newest it has seen.
        tries: how often the present step has failed; a neighbour that was away does not count.
        turn: name of the choice at which an unwinding turns forward again.
        generation: raised by every save; a save with another generation than the row's is lost.
        doubt: a step of it was tried again, taken over, asked twice or did not go right: something that it
            asked for may still come when it has ended.
        error: {code, message, details, type, created} of the first failure.
        state: wire form of the flow's state record.
        shard: see `shard_of`.
        hosts: the host that each step was last given to going forward, by step; its undo goes there. None of a
            task that a release began which did not write it down.
        progress: wire form of the `Progress` that the running step has told of.
        signals: what the operation was told by users, as `states.Signal`, in order; None is nothing.
        step_started_at: when the present step was first started, however often it was tried since.

    Times are the database server's.
    """

    uuid: str
    flow: str
    flow_version: str
    instance_uuid: str | None
    exclusive: str | None
    status: str
    state: JsonObject
    context: JsonObject
    queued: bool = False
    direction: str = 'do'
    step: str | None = None
    runs_at: str = 'cell'
    host: str | None = None
    hosts: dict[str, str] | None = dataclasses.field(default_factory=dict)
    progress: JsonObject | None = None
    signals: list[str] | None = None
    attempt: int = 1
    tries: int = 0
    turn: str | None = None
    generation: int = 0
    owner: str | None = None
    cancel: bool = False
    doubt: bool = False
    not_before: datetime.datetime | None = None
    deadline: datetime.datetime | None = None
    action: str | None = None
    error: JsonObject | None = None
    request_id: str | None = None
    user_id: str | None = None
    project_id: str | None = None
    parent: str | None = None
    shard: int = 0
    step_started_at: datetime.datetime | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None

    @property
    def ended(self) -> bool:
        return self.finished_at is not None

    def elapsed(self, now: datetime.datetime) -> float:
        """Seconds since the present step was first started."""
        return (now - (self.step_started_at or now)).total_seconds()

    @property
    def unwinds(self) -> bool:
        """Whether it is to go back as far as it can: another operation takes its place, or it was aborted."""
        return self.cancel or states.Signal.ABORT in (self.signals or ())


RESIZE, REVERT = 'resize', 'revert_resize'
FLAVOR_CHANGES = (RESIZE, REVERT)
"""Flows after which a server has another flavor."""

_NAMES = [field.name for field in dataclasses.fields(Task)]
_HEAVY = ('state', 'context', 'error', 'hosts', 'progress')


_GET = sa.select(tables.tasks).where(*statements.conditions(tables.tasks.c, (('uuid', '='),)))
_NOTE = tables.task_steps.insert()
_SAVE = tables.tasks.update().where(
    *statements.conditions(tables.tasks.c, (('uuid', '='), ('generation', '='))))
_PLAIN = sa.select(*(tables.tasks.c[name] for name in _NAMES if name not in _HEAVY))
_OPEN = _PLAIN.where(tables.tasks.c.status.in_([sa.literal_column(f"'{status}'") for status in OPEN]))
_OPEN_OF = {
    None: _OPEN, True: _OPEN.where(tables.tasks.c.runs_at == 'super'),
    False: _OPEN.where(tables.tasks.c.runs_at != 'super')}
_MINE = sa.func.substr(sa.bindparam('its_shards', type_=sa.String()), tables.tasks.c.shard + 1, 1) == '1'
"""Shards as a row of ones and zeros: one parameter instead of hundreds."""
_OPEN_MINE = {above: query.where(_MINE) for above, query in _OPEN_OF.items()}


def from_row(row: sa.Row) -> Task:
    values = row._mapping
    return Task(**{name: values[name] for name in _NAMES})


def _plain(row: sa.RowMapping) -> Task:
    return Task(**row, **dict.fromkeys(_HEAVY))  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """What is written down about a step that has ended."""

    name: str
    direction: str
    attempt: int
    status: str
    host: str | None = None
    detail: str | None = None
    started_at: datetime.datetime | None = None


_NOTED = [field.name for field in dataclasses.fields(Note)]


def insert(conn: sa.Connection, task: Task) -> None:
    """Add the row.

    Raises:
        errors.task.Busy: another operation holds the server's slot; nothing may follow in this transaction.
    """
    table = tables.tasks
    task.shard = shard_of(task.uuid)
    task.created_at = task.updated_at = task.step_started_at = dbkit.now(conn)
    try:
        conn.execute(statements.insert(table), {name: getattr(task, name) for name in _NAMES})
    except db_exc.DBDuplicateEntry:
        raise _busy(task) from None


def _busy(task: Task) -> errors.task.Busy:
    return errors.task.Busy(f'Instance {task.instance_uuid} has another operation in progress.')


def enqueue(conn: sa.Connection, task: Task) -> None:
    """Add the row of a queued operation: with the slot if that is free, else behind the queued one that has it.

    The holder's row stays locked until the caller's transaction ends: so it cannot end without seeing who waits
    behind it, and those who come are numbered one after the other.

    Raises:
        errors.task.Busy: an operation that is not queued, or that was cancelled, holds the server; nothing may
            follow in this transaction.
    """
    table = tables.tasks
    holds = sa.and_(table.c.instance_uuid == task.instance_uuid, table.c.exclusive == task.exclusive)
    while True:  # a round that finds neither a holder nor room saw another operation begin: somebody gets on
        holder = conn.execute(
            sa.select(table.c.queued, table.c.cancel).where(holds).with_for_update()).one_or_none()
        if holder is not None:
            break
        try:
            with conn.begin_nested():
                return insert(conn, task)
        except errors.task.Busy:
            continue
    if holder.cancel or not holder.queued:
        raise _busy(task)
    task.exclusive, task.status = None, QUEUED
    return insert(conn, task)


def pass_on(conn: sa.Connection, task: Task) -> str | None:
    """Give the slot that a queued operation has just left to who waits longest; return whose turn it is now.

    A holder that was cancelled leaves the slot to the operation that cancelled it. Then the queued operations
    end here, and none of their steps has begun.
    """
    table = tables.tasks
    waits = sa.and_(table.c.instance_uuid == task.instance_uuid, table.c.status == QUEUED)
    now = dbkit.now(conn)
    moved = {'generation': table.c.generation + 1, 'updated_at': now}
    if task.cancel:
        conn.execute(table.update().where(waits).values(status=UNDONE, cancel=True, finished_at=now, **moved))
        return None
    while True:  # the one that was first may end just now, by its deadline
        first = conn.execute(sa.select(table.c.uuid).where(waits).order_by(table.c.id).limit(1)).scalar()
        if first is None or conn.execute(table.update().where(waits, table.c.uuid == first).values(
                status=READY, exclusive=task.exclusive, step_started_at=now, **moved)).rowcount == 1:
            return first


def get(conn: sa.Connection, uuid: str) -> Task | None:
    row = conn.execute(_GET, {'its_uuid': uuid}).one_or_none()
    return from_row(row) if row else None


def find(conn: sa.Connection, uuid: str) -> Task | None:
    """`get` without what most of a row is (`_HEAVY`), whatever is in it."""
    row = conn.execute(_PLAIN.where(tables.tasks.c.uuid == uuid)).mappings().one_or_none()
    return _plain(row) if row else None


def save(conn: sa.Connection, task: Task, note: Note | None = None, now: datetime.datetime | None = None,
         **changes: object) -> bool:
    """Compare-and-swap `changes` into the row, and onto `task`; False when somebody else was first.

    With a `note`, the step it tells of is added to the history in the same breath.

    Args:
        now: `dbkit.now`, by which the save can be known again (`is_saved`).
    """
    now = now or dbkit.now(conn)
    won = conn.execute(_SAVE, {
        **changes, 'generation': task.generation + 1, 'updated_at': now,
        'its_uuid': task.uuid, 'its_generation': task.generation}).rowcount == 1
    if won and note is not None:
        conn.execute(_NOTE, {
            'task_uuid': task.uuid, 'finished_at': now, **{name: getattr(note, name) for name in _NOTED}})
    return won


def is_saved(conn: sa.Connection, task: Task, now: datetime.datetime) -> bool:
    """Whether the row is as the save of `task` that was made at `now` left it."""
    table = tables.tasks
    return conn.execute(sa.select(table.c.id).where(
        table.c.uuid == task.uuid, table.c.generation == task.generation + 1,
        table.c.updated_at == now)).first() is not None


def is_owned(conn: sa.Connection, uuid: str, owner: str, attempt: int | None = None) -> bool:
    """Whether a task is being run by `owner`, in this attempt; nobody can take it over before the end of the
    transaction."""
    this: JsonObject = {'uuid': uuid, 'status': RUNNING, 'owner': owner}
    if attempt is not None:
        this['attempt'] = attempt
    return conn.execute(_owned(statements.shape_of(this)), statements.values_of(this)).first() is not None


@functools.cache
def _owned(shape: statements.Shape) -> sa.Select[tuple[int]]:
    return sa.select(tables.tasks.c.id).where(*statements.conditions(tables.tasks.c, shape)).with_for_update()


_ADOPT = tables.tasks.update().where(
    tables.tasks.c.uuid == sa.bindparam('its_uuid'), tables.tasks.c.status == INERT).values(
    status=RUNNING, generation=tables.tasks.c.generation + 1)


def adopt(conn: sa.Connection, uuid: str, owner: str) -> bool:
    """Give a task that waits to be let go to `owner`, who runs it; False when it runs already, or has ended."""
    now = dbkit.now(conn)
    return conn.execute(_ADOPT, {'its_uuid': uuid, 'owner': owner, 'step_started_at': now, 'updated_at': now}
                        ).rowcount == 1


def take_slot(conn: sa.Connection, task: Task, slot: str) -> None:
    """Have a task that shares its server hold it alone, until it ends.

    Raises:
        errors.task.Occupied: another operation holds it.
    """
    table = tables.tasks
    mine = conn.execute(sa.select(table.c.exclusive).where(table.c.uuid == task.uuid)).scalar()
    holder = conn.execute(sa.select(table.c.uuid).where(
        table.c.instance_uuid == task.instance_uuid, table.c.exclusive.is_not(None),
        table.c.uuid != task.uuid).limit(1)).scalar()
    if holder is not None:
        raise errors.task.Occupied(server=task.instance_uuid)
    if mine == slot:
        return
    try:
        with conn.begin_nested():
            conn.execute(table.update().where(table.c.uuid == task.uuid).values(exclusive=slot))
    except db_exc.DBDuplicateEntry:
        raise errors.task.Occupied(server=task.instance_uuid) from None


def let_begin(conn: sa.Connection, uuid: str) -> bool:
    """Let a task begin that was to wait for a while; False when it cannot begin yet, or has begun."""
    table = tables.tasks
    waits = sa.and_(table.c.uuid == uuid, table.c.status.in_((READY, QUEUED)))
    conn.execute(table.update().where(waits).values(not_before=None))
    return conn.execute(sa.select(table.c.id).where(
        table.c.uuid == uuid, table.c.status == READY)).first() is not None


def withdraw(conn: sa.Connection, uuid: str) -> str | None:
    """Drop a task that has not begun, as if it had never been asked for.

    Returns:
        uuid of the queued task whose turn it is now.

    Raises:
        errors.task.Busy: it has begun.
    """
    table = tables.tasks
    row = conn.execute(sa.select(table).where(table.c.uuid == uuid).with_for_update()).one_or_none()
    if row is None:
        return None
    task = from_row(row)
    if task.status not in (READY, QUEUED) or task.attempt > 1:
        raise _busy(task)
    remove(conn, uuid)
    return pass_on(conn, task) if task.queued and task.exclusive is not None else None


def remove(conn: sa.Connection, uuid: str) -> None:
    """Drop a task and its history."""
    conn.execute(tables.task_steps.delete().where(tables.task_steps.c.task_uuid == uuid))
    conn.execute(tables.tasks.delete().where(tables.tasks.c.uuid == uuid))


class Mark(NamedTuple):
    """The row of a task that has ended, in their order: by their end."""

    finished_at: datetime.datetime
    id: int


FIRST = Mark(datetime.datetime(1970, 1, 1), 0)
"""Before every one."""


class Pruned(NamedTuple):
    """What a batch did: how many tasks it dropped, and the last row that it looked at; None when there was no
    further one."""

    dropped: int
    last: Mark | None


LOOK = 300
"""Ended tasks that one batch looks at, at most: what is kept has to be passed over."""
_T = tables.tasks.c
_ENDED = sa.select(_T.id, _T.uuid, _T.finished_at, _T.flow, _T.status, _T.action).where(
    _T.finished_at < sa.bindparam('before'), _T.finished_at >= sa.bindparam('its_finished_at'),
    sa.or_(_T.finished_at > sa.bindparam('its_finished_at'), _T.id > sa.bindparam('its_id')),
).order_by(_T.finished_at, _T.id).limit(statements.LIMIT)
_STILL_ENDED = sa.select(_T.id, _T.uuid).where(
    _T.id.in_(sa.bindparam('its_ids', expanding=True)), _T.finished_at < sa.bindparam('before')
).order_by(_T.id).with_for_update(skip_locked=True)


def prune(conn: sa.Connection, before: datetime.datetime, limit: int, hidden: bool = False, after: Mark = FIRST
          ) -> Pruned:
    """Drop up to `limit` tasks that ended before a time, with their steps.

    Those that changed a server's flavor go with their server, since its usage is counted by them. What somebody
    else holds is left to him.

    Args:
        hidden: only those that clients do not see among a server's actions.
        after: passes over those up to this one: a pass over all looks at each once.
    """
    found = conn.execute(_ENDED, {'before': before, 'its_limit': LOOK, **{
        f'its_{name}': value for name, value in after._asdict().items()}}).all()
    going, last = list[int](), None
    for row in found:
        if len(going) == limit:
            break
        last = Mark(row.finished_at, row.id)
        if (row.action is None or not hidden) and not (row.flow in FLAVOR_CHANGES and row.status == DONE):
            going.append(row.id)
    held = conn.execute(_STILL_ENDED, {'its_ids': going, 'before': before}).all() if going else ()
    if held:
        steps = tables.task_steps
        conn.execute(steps.delete().where(steps.c.task_uuid.in_([row.uuid for row in held])))
        conn.execute(tables.tasks.delete().where(_T.id.in_([row.id for row in held])))
    return Pruned(len(held), last)


_LOOKS = tables.tasks.alias()
"""Tasks beside the tasks that are asked about."""


@functools.cache
def _doubtful(ages: int, servers: bool) -> sa.Select:
    """The statement of `doubtful`, or of `doubtful_requests`, for so many ages."""
    table, looks = tables.tasks, _LOOKS
    then = sa.or_(*(sa.and_(table.c.finished_at <= sa.bindparam(f'its_last_{number}'),
                            table.c.finished_at > sa.bindparam(f'its_first_{number}'))
                    for number in range(ages)))
    looked = sa.exists().where(looks.c.created_at > sa.bindparam('its_since'), *(
        (looks.c.instance_uuid == table.c.instance_uuid, looks.c.flow == sa.bindparam('its_flow'))
        if servers else (looks.c.parent == table.c.uuid,)))
    of = ((table.c.instance_uuid.is_not(None), table.c.flow != sa.bindparam('its_flow'))
          if servers else (table.c.instance_uuid.is_(None), table.c.flow == sa.bindparam('its_flow')))
    return sa.select(table).where(
        then, sa.or_(table.c.doubt, table.c.cancel), *of, ~looked).order_by(table.c.id).limit(statements.LIMIT)


def doubtful(conn: sa.Connection, ages: Sequence[datetime.timedelta], span: datetime.timedelta, flow: str,
             limit: int) -> list[Task]:
    """The oldest tasks that left a doubt and ended so long ago: those about whose servers no task of `flow` was
    begun within `span`, and which are none themselves.

    Args:
        ages: time since their end, each up to `span` more.
    """
    return _find_doubtful(conn, True, ages, span, flow, limit)


def doubtful_requests(conn: sa.Connection, ages: Sequence[datetime.timedelta], span: datetime.timedelta,
                      flow: str, limit: int) -> list[Task]:
    """The same of tasks of `flow`, which have no server of their own: those that are the parent of no task that
    was begun within `span`."""
    return _find_doubtful(conn, False, ages, span, flow, limit)


def _find_doubtful(conn: sa.Connection, servers: bool, ages: Sequence[datetime.timedelta],
                   span: datetime.timedelta, flow: str, limit: int) -> list[Task]:
    now = dbkit.now(conn)
    values: JsonObject = {'its_flow': flow, 'its_limit': limit, 'its_since': now - span}
    for number, age in enumerate(ages):
        values[f'its_last_{number}'], values[f'its_first_{number}'] = now - age, now - age - span
    return [from_row(row) for row in conn.execute(_doubtful(len(ages), servers), values)]


class Inert(NamedTuple):
    """A task that nobody has let run yet; `parent` is the one that is to."""

    id: int
    uuid: str
    instance_uuid: str
    parent: str | None


_INERT = sa.select(*(tables.tasks.c[name] for name in Inert._fields)).where(
    tables.tasks.c.status == INERT, tables.tasks.c.id > sa.bindparam('after')
).order_by(tables.tasks.c.id).limit(statements.LIMIT)


def inert(conn: sa.Connection, after: int, limit: int) -> list[Inert]:
    """The oldest tasks that were never let run, from the row behind `after` on."""
    return [Inert(*row) for row in conn.execute(_INERT, {'after': after, 'its_limit': limit})]


def unfinished(conn: sa.Connection, uuids: Iterable[str]) -> set[str]:
    """Those of the tasks that have not ended."""
    table = tables.tasks
    return set(conn.execute(sa.select(table.c.uuid).where(
        table.c.uuid.in_(list(uuids)), table.c.finished_at.is_(None))).scalars())


def remove_of(conn: sa.Connection, instance_uuid: str) -> None:
    """Drop every task of a server, and its history."""
    table = tables.tasks
    mine = sa.select(table.c.uuid).where(table.c.instance_uuid == instance_uuid)
    conn.execute(tables.task_steps.delete().where(tables.task_steps.c.task_uuid.in_(mine)))
    conn.execute(table.delete().where(table.c.instance_uuid == instance_uuid))


_OF_SLOT = (tables.tasks.c.instance_uuid == sa.bindparam('its_server'),
            tables.tasks.c.exclusive == sa.bindparam('its_slot'))
_CANCEL = tables.tasks.update().where(*_OF_SLOT, tables.tasks.c.cancel.is_(False)).values(
    cancel=True, generation=tables.tasks.c.generation + 1)
_HOLDER = sa.select(tables.tasks.c.uuid, tables.tasks.c.cancel).where(*_OF_SLOT)


def cancel(conn: sa.Connection, instance_uuid: str, slot: str) -> None:
    """Ask the holder of a server's slot to unwind, if there is one."""
    conn.execute(_CANCEL, {'its_server': instance_uuid, 'its_slot': slot, 'updated_at': dbkit.now(conn)})


def cancel_holder(conn: sa.Connection, instance_uuid: str, slot: str) -> str | None:
    """`cancel`; the holder's uuid, or None when the slot is free."""
    holder = conn.execute(_HOLDER, {'its_server': instance_uuid, 'its_slot': slot}).one_or_none()
    if holder is None:
        return None
    if not holder.cancel:
        cancel(conn, instance_uuid, slot)
    return str(holder.uuid)


def holder(conn: sa.Connection, instance_uuid: str) -> Task | None:
    """The operation that holds a server's slot; None when it is free."""
    table = tables.tasks
    row = conn.execute(sa.select(table).where(
        table.c.instance_uuid == instance_uuid, table.c.exclusive.is_not(None)).limit(1)).one_or_none()
    return from_row(row) if row else None


def signal(conn: sa.Connection, instance_uuid: str, flow: str, told: states.Signal) -> str | None:
    """Tell the operation of this flow that holds a server something; its uuid, or None when there is none.

    Telling it again changes nothing.
    """
    table = tables.tasks
    return _told(conn, told, table.c.instance_uuid == instance_uuid, table.c.flow == flow,
                 table.c.exclusive.is_not(None))


def tell(conn: sa.Connection, uuid: str, told: states.Signal) -> str | None:
    """Tell one task something, if it is open; see `signal`."""
    table = tables.tasks
    return _told(conn, told, table.c.uuid == uuid, table.c.finished_at.is_(None))


def _told(conn: sa.Connection, told: states.Signal, *which: sa.ColumnElement[bool]) -> str | None:
    table = tables.tasks
    row = conn.execute(sa.select(table.c.uuid, table.c.signals).where(*which).with_for_update()).first()
    if row is None:
        return None
    if told not in (row.signals or ()):
        conn.execute(table.update().where(table.c.uuid == row.uuid).values(
            signals=[*(row.signals or ()), str(told)], generation=table.c.generation + 1,
            updated_at=table.c.updated_at))
    return str(row.uuid)


def keep_progress(conn: sa.Connection, uuid: str, attempt: int, progress: JsonObject) -> bool:
    """Note how far a step on a host is, in wire form; False when that attempt is not waited for any more."""
    table = tables.tasks
    return conn.execute(table.update().where(
        table.c.uuid == uuid, table.c.status == PARKED, table.c.attempt == attempt).values(
        progress=progress, updated_at=table.c.updated_at)).rowcount == 1


def note_doubt(conn: sa.Connection, uuid: str, attempt: int) -> None:
    """What this attempt has asked of others may come when the task has ended."""
    table = tables.tasks
    conn.execute(table.update().where(table.c.uuid == uuid, table.c.attempt == attempt).values(doubt=True))


def progress_of(conn: sa.Connection, instance_uuids: Collection[str]) -> dict[str, Progress]:
    """How far the operations are that hold these servers, where they have told of it."""
    table = tables.tasks
    found = conn.execute(sa.select(table.c.instance_uuid, table.c.progress).where(
        table.c.instance_uuid.in_(list(instance_uuids)), table.c.exclusive.is_not(None)))
    return {uuid: Progress.from_wire(wire) for uuid, wire in found if wire is not None}


@functools.lru_cache(64)
def _ones(shards: tuple[int, ...]) -> str:
    return ''.join('1' if shard in shards else '0' for shard in range(SHARDS))


def open_tasks(conn: sa.Connection, above: bool | None = None, shards: Collection[int] | None = None
               ) -> list[Task]:
    """Tasks that somebody must take care of, without most of a row (`_HEAVY`): this is asked every second by
    every worker.

    Args:
        above: only those that wait for a super-conductor, or only all others.
        shards: only those in these shards.
    """
    if shards is None or len(shards) == SHARDS:
        found = conn.execute(_OPEN_OF[above])
    else:
        found = conn.execute(_OPEN_MINE[above], {'its_shards': _ones(tuple(shards))})
    return [_plain(row) for row in found.mappings()]


_PARKED = sa.select(tables.tasks).where(
    tables.tasks.c.status == PARKED, tables.tasks.c.host == sa.bindparam('its_host'))


def parked_on(conn: sa.Connection, host: str) -> list[Task]:
    """Tasks whose present step was given to `host`."""
    return [from_row(row) for row in conn.execute(_PARKED, {'its_host': host})]


def given_up(conn: sa.Connection, host: str, instance_uuids: list[str]) -> set[str]:
    """Those servers for which an operation had a step on `host` and gave up on it."""
    steps, owners = tables.task_steps, tables.tasks
    return set(conn.execute(
        sa.select(owners.c.instance_uuid).join(steps, steps.c.task_uuid == owners.c.uuid)
        .where(owners.c.instance_uuid.in_(instance_uuids), steps.c.host == host, steps.c.direction == 'do',
               steps.c.status.in_(('refused', 'failed', 'cancelled')))).scalars())


def worked(conn: sa.Connection, host: str, instance_uuids: list[str]) -> set[str]:
    """Those servers for which an operation had a step on `host`."""
    steps, owners = tables.task_steps, tables.tasks
    return set(conn.execute(
        sa.select(owners.c.instance_uuid).join(steps, steps.c.task_uuid == owners.c.uuid)
        .where(owners.c.instance_uuid.in_(instance_uuids), steps.c.host == host)).scalars())


def waiting_on(conn: sa.Connection, instance_uuids: list[str]) -> list[str]:
    """uuids of the tasks of servers that wait for a condition."""
    table = tables.tasks
    return list(conn.execute(sa.select(table.c.uuid).where(
        table.c.instance_uuid.in_(instance_uuids), table.c.status == WAITING)).scalars())


def not_begun(conn: sa.Connection, flow: str, instance_uuids: list[str]) -> set[str]:
    """Those of the servers for which a task of this flow waits to begin: it will see what is so now."""
    table = tables.tasks
    return set(conn.execute(sa.select(table.c.instance_uuid).where(
        table.c.instance_uuid.in_(instance_uuids), table.c.flow == flow, table.c.status == READY)).scalars())


def of_instance(conn: sa.Connection, instance_uuid: str) -> list[Task]:
    """A server's operations, newest first."""
    table = tables.tasks
    return [from_row(row) for row in conn.execute(
        sa.select(table).where(table.c.instance_uuid == instance_uuid)
        .order_by(table.c.created_at.desc(), table.c.id.desc()))]


def steps(conn: sa.Connection, task_uuids: list[str]) -> list[sa.Row]:
    """Rows of the steps that tasks took, in order."""
    table = tables.task_steps
    return list(conn.execute(
        sa.select(table).where(table.c.task_uuid.in_(task_uuids)).order_by(table.c.id)))


def show(conn: sa.Connection, instance_uuid: str, task_state: str, was: str | None) -> bool:
    """Set a server's task_state if it still is `was`; the compare-and-swap of a new operation."""
    table = cell_models.instances
    same = table.c.task_state.is_(None) if was is None else table.c.task_state == was
    return conn.execute(table.update().where(table.c.uuid == instance_uuid, same).values(
        task_state=task_state, updated_at=clock.utcnow())).rowcount == 1


def overrule(conn: sa.Connection, instance_uuid: str, task_state: str) -> None:
    """Set a server's task_state whatever it was: the right of an operation that pre-empts."""
    conn.execute(statements.update(cell_models.instances, ('uuid',)), {
        'its_uuid': instance_uuid, 'task_state': task_state, 'updated_at': clock.utcnow()})


def fail_server(conn: sa.Connection, instance_uuid: str, keep_task_state: bool) -> None:
    """Put a server in error, by its row alone."""
    table = cell_models.instances
    more = {} if keep_task_state else {'task_state': None}
    conn.execute(table.update().where(table.c.uuid == instance_uuid).values(
        vm_state=str(states.VM.ERROR), updated_at=clock.utcnow(), **more))


# Workers -----------------------------------------------------------------------------------------

@dataclasses.dataclass(frozen=True, slots=True)
class Beat:
    """A worker's counter, and what it says of itself; `knows` is None for a release that did not say."""

    uuid: str
    count: int
    supers: bool
    knows: list[str] | None


_ENTER = tables.workers.insert()


def enter(conn: sa.Connection, uuid: str, binary: str, host: str, supers: bool = False,
          knows: Collection[str] = ()) -> None:
    """Put a worker incarnation on the list."""
    conn.execute(_ENTER, {
        'uuid': uuid, 'binary': binary, 'host': host, 'beat': 0, 'supers': supers, 'knows': list(knows),
        'created_at': dbkit.now(conn)})


_BEAT = tables.workers.update().where(
    *statements.conditions(tables.workers.c, (('uuid', '='),))).values(beat=tables.workers.c.beat + 1)
_BEATS = sa.select(*(tables.workers.c[name] for name in ('uuid', 'beat', 'supers', 'knows')))


def beat(conn: sa.Connection, uuid: str) -> bool:
    """Bump a worker's counter; False when its row is gone."""
    return conn.execute(_BEAT, {'its_uuid': uuid}).rowcount == 1


def beats(conn: sa.Connection) -> list[Beat]:
    """The counter of every worker."""
    return [Beat(*row) for row in conn.execute(_BEATS)]


def leave(conn: sa.Connection, uuid: str) -> None:
    """Take a worker off the list; what it still owns is up for taking."""
    table = tables.workers
    conn.execute(table.delete().where(table.c.uuid == uuid))

