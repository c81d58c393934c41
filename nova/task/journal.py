"""The journal of one database: what belongs into one transaction when a task begins, moves or ends."""

import contextlib
import datetime
from collections.abc import Callable, Collection, Iterable
from typing import TypedDict, Unpack

import sqlalchemy as sa

from nova import context as nova_context
from nova import errors, release, states
from nova.common import dbkit, uuids
from nova.common.jsonutil import JsonObject
from nova.objects import base, persistent
from nova.objects import instance as instances
from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import notify

Guard = Callable[[sa.Connection], instances.Instance | None]
"""Reads the server again inside the transaction, and refuses by raising; None while no cell has it."""


class Options(TypedDict, total=False):
    """What else may be said of a task when it begins; see `insert`."""

    instance_uuid: str | None
    guard: Guard | None
    status: str
    parent: str | None
    wait: float | None


def insert(conn: sa.Connection, flow: type[flows.AnyFlow], state: base.State,
           context: nova_context.RequestContext, *, instance_uuid: str | None = None,
           guard: Guard | None = None, uuid: str | None = None, status: str = rows.READY,
           parent: str | None = None, wait: float | None = None) -> rows.Task:
    """Begin an operation inside the caller's transaction.

    The slot is taken first and the server is judged after, never the other way round: a judgement made
    before the slot was free would be stale by the time it is.

    Args:
        wait: seconds for which it is not begun.

    Returns:
        The task; its status is ``queued`` when it has to wait for its turn: then there is nothing to be woken.

    Raises:
        errors.task.Busy: another operation holds the server.
        errors.NovaError: what `guard` raises.
    """
    step = flow.first(state)
    if step is None:
        raise ValueError(f'flow {flow.name} has nothing to do')
    now = dbkit.now(conn)
    task = rows.Task(
        uuid=uuid or uuids.generate(), parent=parent, flow=flow.name, flow_version=flow.version,
        instance_uuid=instance_uuid, exclusive=flow.slot(), queued=flow.exclusion == flows.QUEUED,
        status=status, step=step.name,
        runs_at='super' if step.at == 'super' else 'cell', state=flow.kept(state),
        context=context.to_dict(), action=flow.action, request_id=context.request_id,
        user_id=context.user_id, project_id=context.project_id,
        not_before=None if wait is None else now + datetime.timedelta(seconds=wait),
        deadline=now + datetime.timedelta(seconds=(wait or 0.0) + flow.deadline))
    (rows.enqueue if task.queued else rows.insert)(conn, task)
    with notify.Change(conn, instance_uuid, notify.by(context)):
        _judge(conn, flow, task, guard, _first_shown(flow, state))
    notify.began(conn, task.uuid)
    return task


def _judge(conn: sa.Connection, flow: type[flows.AnyFlow], task: rows.Task, guard: Guard | None,
           shows: states.Task | None) -> None:
    """Let the server be looked at, and show what is being done with it.

    Operations that wait for their turn show nothing, so it is here that they and a deletion see one another.
    """
    instance_uuid = task.instance_uuid
    if task.queued and instance_uuid:
        persistent.hold(conn, instances.Instance, uuid=instance_uuid)
    instance = guard(conn) if guard is not None else None
    if instance is not None and task.queued and instance.task_state in states.ENDING:
        raise errors.task.Busy(f'Instance {instance.uuid} is being deleted.')
    if flow.exclusion == flows.PREEMPTING and instance_uuid:
        # In the same breath, so that the holder never writes over the task_state that this one shows.
        rows.cancel(conn, instance_uuid, flows.Flow.slot() or '')
        if shows:
            rows.overrule(conn, instance_uuid, shows)
    elif instance is not None and shows and not rows.show(conn, instance.uuid, shows, instance.task_state):
        raise errors.task.Busy(f'Instance {instance.uuid} changed while the request was checked.')


def _first_shown(flow: type[flows.AnyFlow], state: base.State) -> states.Task | None:
    """The task_state to show from the request on: that of the first step that names one."""
    return next((s.shows for s in flow.steps if s.shows and (s.when is None or s.when(state))), None)


def begin(db: dbkit.Database, flow: type[flows.AnyFlow], state: base.State,
          context: nova_context.RequestContext, *, uuid: str | None = None, **options: Unpack[Options]
          ) -> rows.Task:
    """`insert` in a transaction of its own; one whose commit was not answered is known by its task's uuid."""
    uuid = uuid or uuids.generate()
    return db.write(lambda conn: insert(conn, flow, state, context, uuid=uuid, **options),
                    landed=lambda conn: rows.get(conn, uuid) is not None)


class Journal:
    """Tasks in one database.

    Args:
        oldest: the oldest release among the workers there and a host; None as host is every one.
    """

    def __init__(self, db: dbkit.Database, oldest: Callable[[str | None], release.Release] | None = None
                 ) -> None:
        self.db, self._oldest = db, oldest or (lambda host: release.own())

    def load(self, uuid: str) -> tuple[rows.Task, instances.Instance | None] | None:
        """A task and its server's record (None where it has none)."""
        with self.db.read() as conn:
            task = rows.get(conn, uuid)
            if task is None:
                return None
            if task.instance_uuid is None:
                return task, None
            return task, instances.Instance.find(conn, uuid=task.instance_uuid, deleted=None)

    def begin(self, flow: type[flows.AnyFlow], state: base.State, context: nova_context.RequestContext,
              **options: Unpack[Options]) -> rows.Task:
        """`insert` in a transaction of its own."""
        return begin(self.db, flow, state, context, **options)

    def fitting(self, flow: type[flows.AnyFlow], host: str | None = None) -> type[flows.AnyFlow]:
        """The newest version of a flow that all workers of this journal, and a host, or every one, know."""
        return flows.at(flow, self._oldest(host)) or flow

    def begin_each(self, flow: type[flows.AnyFlow], due: Iterable[tuple[instances.Instance, base.State]],
                   still: Callable[[instances.Instance], None]) -> list[rows.Task]:
        """Begin for every server that is due; who has taken a server first wins.

        Args:
            still: judges a server as it is then, and refuses with an `errors.Conflict`.
        """
        begun = []
        for instance, state in due:
            def guard(conn: sa.Connection, uuid: str = instance.uuid) -> instances.Instance:
                fresh = instances.Instance.get(conn, (), uuid=uuid)
                still(fresh)
                return fresh
            with contextlib.suppress(errors.Conflict):
                begun.append(self.begin(self.fitting(flow, instance.host), state, nova_context.admin(),
                                        instance_uuid=instance.uuid, guard=guard))
        return begun

    def save(self, task: rows.Task, instance: instances.Instance | None, note: rows.Note | None,
             changes: JsonObject, also: Callable[[sa.Connection], None] | None = None) -> str | None:
        """Move a task: its row, the step that ended and what was learnt of the server, together.

        Args:
            also: what else belongs into this transaction.

        Returns:
            uuid of the queued task whose turn has come by the end of this one.

        Raises:
            errors.task.Lost: the row has moved on without us.
        """
        saved: list[datetime.datetime] = []
        # Of what clients do not see only what went wrong is kept.
        kept = note if note is None or task.action or note.status != 'done' else None

        def write(conn: sa.Connection) -> str | None:
            saved[:] = [dbkit.now(conn)]
            if not rows.save(conn, task, kept, saved[0], **changes):
                raise errors.task.Lost(task=task.uuid)
            with notify.Change(conn, task.instance_uuid, notify.by(task)):
                if also is not None:
                    also(conn)
                if instance is not None and instance.changes():
                    instance.copy().save(conn)
            notify.moved(conn, task, note, changes)
            leaves = task.queued and task.exclusive is not None and 'finished_at' in changes
            successor = rows.pass_on(conn, task) if leaves else None
            notify.began(conn, successor)
            return successor
        successor = self.db.write(write, landed=lambda conn: rows.is_saved(conn, task, saved[0]))
        for name, value in changes.items():
            setattr(task, name, value)
        task.generation += 1
        if instance is not None:
            instance.clean()
        return successor

    def adopt(self, uuid: str, owner: str) -> bool:
        """Make an inert task the running one of `owner`; False when it is past that."""
        def write(conn: sa.Connection) -> bool:
            adopted = rows.adopt(conn, uuid, owner)
            if adopted:
                notify.began(conn, uuid)
            return adopted
        return self.db.write(write, landed=lambda conn: rows.is_owned(conn, uuid, owner))

    def cancel_holder(self, instance_uuid: str, instance: instances.Instance | None) -> str | None:
        """Ask who holds the server to unwind; uuid of that task, None when the slot is free.

        The record in hand may be from before the slot was free: then what others have made of it is read.
        """
        slot = flows.Flow.slot() or ''

        def write(conn: sa.Connection) -> str | None:
            holder = rows.cancel_holder(conn, instance_uuid, slot)
            if holder is None:
                instances.renew(conn, instance)
            return holder
        return self.db.write(write, landed=dbkit.repeatable)

    def open_tasks(self, above: bool | None = None, shards: Collection[int] | None = None) -> list[rows.Task]:
        """See `rows.open_tasks`."""
        with self.db.read() as conn:
            return rows.open_tasks(conn, above, shards)

    def waiting_on(self, instance_uuid: str) -> list[str]:
        with self.db.read() as conn:
            return rows.waiting_on(conn, [instance_uuid])
