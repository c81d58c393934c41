"""nova-manage task: operations that are open or stuck, in every database, and what is decided about them."""

import datetime
import getpass
import os
from argparse import Namespace

from nova import errors, ops
from nova.cmd.manage import everywhere
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import clock, dbkit, jsonutil
from nova.common.jsonutil import JsonObject
from nova.objects import task as rows
from nova.objects import task_lists
from nova.task import operators

INCOMPLETE, NOT_FOUND, REFUSED = 1, 2, 3
_TASK = arg('task', help='uuid of the task')
_JSON = flag('--json', 'print JSON')


@command('task', 'list', _JSON, flag('--all', 'also those that have ended well'),
         arg('--server', metavar='UUID', help='only those of this server'),
         arg('--limit', type=int, default=1000, help='most of each database; default 1000'))
def list_tasks(env: Env, options: Namespace) -> int:
    """List operations that are open or stuck, in the API database and every cell; 1: a cell was not there."""
    found = everywhere.ask(env, lambda conn: task_lists.unfinished(
        conn, max(options.limit, 0), options.server, options.all))
    if options.json:
        env.say(jsonutil.text({'tasks': [_facts(name, task) for name, tasks in found for task in tasks],
                               'down': found.down}))
        return INCOMPLETE if found.down else 0
    env.say(table(('Database', 'Task', 'Operation', 'Server', 'Status', 'Step', 'Host', 'Since', 'Error'), [
        (name, task.uuid, task.flow, task.instance_uuid or '', task.status,
         f'{task.step}{"" if task.direction == "do" else " (undo)"}', task.host or '',
         clock.isotime(task.created_at), (task.error or {}).get('message', ''))
        for name, tasks in found for task in tasks]))
    found.say_down(env)
    return INCOMPLETE if found.down else 0


def _facts(database: str, task: rows.Task) -> JsonObject:
    error = task.error or {}
    shown = {name: getattr(task, name) for name in (
        'uuid', 'flow', 'flow_version', 'action', 'status', 'direction', 'step', 'runs_at', 'host', 'owner',
        'attempt', 'tries', 'request_id', 'user_id', 'project_id', 'parent', 'not_before', 'deadline',
        'created_at', 'updated_at', 'finished_at')}
    shown = {name: clock.isotime(value) if isinstance(value, datetime.datetime) else value
             for name, value in shown.items()}
    return {'database': database, 'server': task.instance_uuid, **shown,
            'error': {name: error.get(name) for name in ('code', 'message', 'type')} if error else None}


def _find(env: Env, uuid: str) -> tuple[str, dbkit.Database] | int:
    """The database of a task, and its name; or the exit code, after saying that it is not found."""
    found = everywhere.ask(env, lambda conn: rows.find(conn, uuid))
    for name, task in found:
        if task is not None:
            return name, found.dbs[name]
    env.say(f'Task {uuid} could not be found.')
    found.say_down(env)
    return INCOMPLETE if found.down else NOT_FOUND


@command('task', 'show', _TASK, _JSON)
def show(env: Env, options: Namespace) -> int:
    """Show an operation, the steps that it took, and what it would leave; 2: there is none of this uuid."""
    ops.load()
    found = _find(env, options.task)
    if isinstance(found, int):
        return found
    name, db = found
    with db.read() as conn:
        task, steps = rows.get(conn, options.task), rows.steps(conn, [options.task])
    if task is None:
        env.say(f'Task {options.task} has just been dropped.')
        return NOT_FOUND
    facts, left = _facts(name, task), operators.left_behind(db, task)
    taken = [(clock.isotime(row.finished_at), row.name, row.direction, row.status, row.host or '',
              row.detail or '') for row in steps]
    columns = ('Ended', 'Step', 'Direction', 'Outcome', 'Host', 'Detail')
    if options.json:
        env.say(jsonutil.text({**facts, 'left': left, 'steps': [
            dict(zip((one.lower() for one in columns), row, strict=True)) for row in taken]}))
        return 0
    facts['error'] = (task.error or {}).get('message')
    env.say(table(('Property', 'Value'), [(one, '' if value is None else value)
                                          for one, value in facts.items()]))
    env.say(table(columns, taken))
    for sentence in left:
        env.say(sentence)
    return 0


@command('task', 'resume', _TASK)
def resume(env: Env, options: Namespace) -> int:
    """Have a stuck operation go on where it is stuck, or one that pauses try again now.

    2: there is none of this uuid; 3: it goes on anyway, has ended, or its server is busy otherwise.
    """
    ops.load()
    found = _find(env, options.task)
    if isinstance(found, int):
        return found
    try:
        task = operators.resume(found[1], options.task, _who())
    except (errors.Conflict, errors.NotFound) as error:
        env.say(error.message)
        return REFUSED
    env.say(f'Task {task.uuid} ({task.flow}) goes on at step {task.step} ({task.direction}) as soon as a '
            'conductor looks at it, within seconds.')
    return 0


@command('task', 'abandon', _TASK, arg('--reason', required=True, help='why, for the history'),
         flag('--force', 'also one that is open; its server is in error then'))
def abandon(env: Env, options: Namespace) -> int:
    """End a stuck operation for good, and say what it leaves behind.

    2: there is none of this uuid; 3: it has ended otherwise, or is open and --force is not given.
    """
    ops.load()
    if not options.reason.strip():
        env.say('--reason must say something.')
        return REFUSED
    found = _find(env, options.task)
    if isinstance(found, int):
        return found
    try:
        left = operators.abandon(found[1], options.task, _who(), options.reason, options.force)
    except (errors.Conflict, errors.NotFound) as error:
        env.say(error.message)
        return REFUSED
    env.say(f'Task {options.task} is abandoned.')
    for sentence in left:
        env.say(sentence)
    env.say('nova-manage audit says what neighbours still hold for its server.')
    return 0


def _who() -> str:
    """The operator, as far as this machine knows him."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f'user {os.getuid()}'
