"""What operators decide about tasks: that one is tried again now, or given up for good.

Both are one compare-and-swap: whoever runs the task at that moment loses it, or wins and leaves nothing to
decide.
"""

import datetime

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import context as nova_context
from nova import errors, states
from nova.common import clock, dbkit
from nova.common.jsonutil import JsonObject
from nova.objects import base, owed
from nova.objects import instance as instances
from nova.objects import task as rows
from nova.task import flow as flows
from nova.task import journal as journals
from nova.task import run as runs
from nova.task import runner


def resume(db: dbkit.Database, uuid: str, who: str) -> rows.Task:
    """Have a stuck task go on where it is stuck, with a deadline of its own; or one that pauses go on now.

    Args:
        who: the operator, for the history.

    Raises:
        TaskNotFound: there is none.
        NotToBeResumed: it goes on anyway, or cannot go on.
        Busy: another operation has its server.
    """
    journal = journals.Journal(db)
    task, server = _load(journal, uuid)
    now = db.now()
    note = _note(task, 'resumed', who)
    if not task.ended:
        if task.not_before is None:
            raise errors.task.NotToBeResumed(task=uuid, reason=f'it goes on: it is {task.status}')
        journal.save(task, None, note, {'not_before': None, 'tries': 0})
        return task
    changes = _reopened(task, server, now)

    was = (task.error or {}).get(runner.WAS)
    if server is not None and was is not None and server.vm_state == states.VM.ERROR:
        server.vm_state = was
    try:
        journal.save(task, server, note, changes)
    except db_exc.DBDuplicateEntry:
        raise errors.task.NotToBeResumed(
            task=uuid, reason='another operation is in progress on its server') from None
    return task


def _reopened(task: rows.Task, server: instances.Instance | None, now: datetime.datetime) -> JsonObject:
    if task.status != rows.STUCK:
        raise errors.task.NotToBeResumed(task=task.uuid, reason=f'it has ended: it is {task.status}')
    run = runs.read(task, server)
    if run is None:
        raise errors.task.NotToBeResumed(
            task=task.uuid,
            reason=f'this release does not know {task.flow} {task.flow_version}, or cannot read it')
    if not isinstance(run.state, run.flow.State):
        raise errors.task.NotToBeResumed(
            task=task.uuid, reason='what it knew went when it was stuck; abandon it')
    if server is not None and server.deleted:
        raise errors.task.NotToBeResumed(task=task.uuid, reason='its server is deleted; abandon it')
    return {
        'status': rows.READY, 'finished_at': None, 'owner': None, 'not_before': None, 'tries': 0,
        'doubt': True, 'attempt': task.attempt + 1, 'step_started_at': now, 'exclusive': run.flow.slot(),
        'deadline': now + datetime.timedelta(seconds=run.flow.deadline),
        'runs_at': 'super' if run.step.at == 'super' else 'cell',
        **({'error': None} if task.direction == 'do' else {})}


def abandon(db: dbkit.Database, uuid: str, who: str, reason: str, force: bool = False) -> list[str]:
    """End a task for good: nothing of it is done or undone any more.

    Args:
        force: one that is open, too; its server is in error then.

    Returns:
        What it leaves behind, a sentence each.

    Raises:
        TaskNotFound: there is none.
        NotToBeAbandoned: it has ended otherwise, or is open and not forced.
    """
    journal = journals.Journal(db)
    task, server = _load(journal, uuid)
    if task.ended and task.status != rows.STUCK:
        raise errors.task.NotToBeAbandoned(task=uuid, reason=f'it has ended: it is {task.status}')
    if not task.ended and not force:
        raise errors.task.NotToBeAbandoned(task=uuid, reason=f'it is open ({task.status}), and may still end; '
                                                             'if you are sure that it does not, use --force')
    left, now, run = left_behind(db, task), db.now(), runs.read(task, server)
    error = task.error or {
        **errors.to_dict(errors.task.Abandoned(flow=task.flow)), 'created': clock.isotime(now)}
    if run is not None:
        run.state.forget()
    changes = {
        'status': rows.ABANDONED, 'owner': None, 'exclusive': None, 'error': {**error, 'abandoned_by': who},
        'state': base.State().to_wire() if run is None else run.state.to_wire(),
        'finished_at': task.finished_at or now}

    def free(conn: sa.Connection) -> None:
        if task.instance_uuid is None or task.ended:
            return
        if task.exclusive is not None:
            rows.fail_server(conn, task.instance_uuid, keep_task_state=task.cancel or task.queued)
        _look_later(conn, task)
    journal.save(task, None, _note(task, 'abandoned', f'{who}: {reason}'), changes, also=free)
    return left


def _look_later(conn: sa.Connection, task: rows.Task) -> None:
    """What a host that was at it still does comes late."""
    look = flows.find('remove_late')
    context = nova_context.RequestContext.from_dict(task.context)
    journals.insert(conn, look, look.State(), context, instance_uuid=task.instance_uuid, parent=task.uuid,
                    wait=runner.LATE)


def left_behind(db: dbkit.Database, task: rows.Task) -> list[str]:
    """What was done and not undone, a sentence each; nothing of a task that has ended well."""
    if task.status in (rows.DONE, rows.UNDONE):
        return []
    with db.read() as conn:
        taken = rows.steps(conn, [task.uuid])
        owes = task.host is not None and task.instance_uuid is not None and owed.owes(
            conn, task.host, task.instance_uuid)
    flow = flows.known(task.flow, task.flow_version)
    done: dict[str, str | None] = {}
    for row in taken:
        if row.direction == 'do' and row.status == 'done':
            done[row.name] = row.host
        elif row.direction == 'undo' and row.status == 'done':
            done.pop(row.name, None)
    undoable = None if flow is None else {step.name for step in flow.steps if step.undo is not None}
    said = [f'Step {name} was done{_on(host)} and is not undone.' for name, host in done.items()
            if undoable is None or name in undoable]
    if not task.ended or task.status == rows.STUCK:
        host = task.host if task.runs_at == 'host' else (task.hosts or {}).get(task.step or '')
        said.append(f'Step {task.step} ({task.direction}) may be done in part{_on(host)}.')
    if owes:
        said.append(f'Host {task.host} still owes steps on this server, and does them when it returns.')
    return said


def _on(host: str | None) -> str:
    return '' if host is None else f' on host {host}'


def _load(journal: journals.Journal, uuid: str) -> tuple[rows.Task, instances.Instance | None]:
    loaded = journal.load(uuid)
    if loaded is None:
        raise errors.task.TaskNotFound(task=uuid)
    return loaded


def _note(task: rows.Task, what: str, detail: str) -> rows.Note:
    return rows.Note(task.step or '', task.direction, task.attempt, what, host=task.host, detail=detail,
                     started_at=task.step_started_at)

