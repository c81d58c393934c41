"""nova-manage host: emptying a compute host for maintenance, and having it back."""

from argparse import Namespace

from nova import errors, objects, ops
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import dbkit, jsonutil, threads
from nova.objects import task as rows
from nova.ops import drain as draining
from nova.states import Signal

FAILED, NOT_FOUND, REFUSED, PARTLY = 1, 2, 3, 4
_HOST = arg('host', help='name of the compute host, as openstack compute service list shows it')
_EVERY = 1.0
"""Seconds between two looks at a drain that is waited for."""


@command('host', 'drain', _HOST,
         arg('--at-once', type=int, default=2, metavar='N', help='most moves at the same time; default 2'),
         flag('--cold', 'stop running servers and move them cold, rather than live'),
         arg('--reason', default=draining.REASON, help='shown as the reason why the host is disabled'),
         flag('--wait', 'return when it has ended'), flag('--show', 'only show how far the newest drain is'),
         flag('--abort', 'stop: what is on its way comes back, and the host is enabled again'),
         flag('--json', 'print JSON'))
def drain(env: Env, options: Namespace) -> int:
    """Disable a compute host and move all of its servers to others, as one task.

    0: it has begun, or all have left (--wait, --show); 1: it was aborted, failed, or the cell cannot be asked;
    2: there is no such host, or no drain of it; 3: refused; 4: it has ended, and some servers stay.
    """
    ops.load()
    if options.at_once < 1 or not options.reason.strip() or len(options.reason) > 255:
        env.say('--at-once must be at least 1, and --reason a text of 1 to 255 characters.')
        return REFUSED
    db = _cell_of(env, options.host)
    if isinstance(db, int):
        return db
    if options.abort:
        return _abort(env, db, options)
    if not options.show:
        code = _begin(env, db, options)
        if code:
            return code
    said = None
    while True:
        code, ended, text = _report(db, options)
        if text != said and (options.json or options.show or options.wait):
            env.say(text)
        said = text
        if ended or not options.wait:
            return code
        threads.sleep(_EVERY)


@command('host', 'return', _HOST)
def give_back(env: Env, options: Namespace) -> int:
    """Enable a compute host again after its maintenance. Servers that have left stay where they are.

    1: the cell cannot be asked; 2: there is no such host; 3: it is still being drained.
    """
    ops.load()
    db = _cell_of(env, options.host)
    if isinstance(db, int):
        return db
    try:
        was = db.write(lambda conn: draining.enable(conn, options.host))
    except (errors.NotFound, errors.Conflict) as error:
        return _refused(env, error)
    env.say(f'Host {options.host} is enabled again.' if was else f'Host {options.host} was enabled already.')
    return 0


def _refused(env: Env, error: errors.NotFound | errors.Conflict) -> int:
    env.say(error.message)
    return NOT_FOUND if isinstance(error, errors.NotFound) else REFUSED


def _cell_of(env: Env, host: str) -> dbkit.Database | int:
    """The database of a host's cell; or the exit code, after saying why there is none."""
    try:
        cell = env.cells.of_host(host)
    except errors.host.HostMappingNotFound:
        env.say(f'Compute host {host} could not be found.')
        return NOT_FOUND
    db = env.cells.db(cell)
    try:
        db.ping()
    except Exception as error:
        if not dbkit.is_away(error):
            raise
        env.say(f'Cell {cell.name} cannot be asked: {dbkit.reason(error)}.')
        return FAILED
    return db


def _begin(env: Env, db: dbkit.Database, options: Namespace) -> int:
    with db.read() as conn:
        service = objects.Service.find(conn, host=options.host, binary='nova-compute')
    if service is not None and not service.is_up(env.conf.service_down_time):
        env.say(f'The compute service on {options.host} is down: nothing can be moved from it. Evacuate its '
                'servers.')
        return REFUSED
    state = draining.DrainState(host=options.host, at_once=options.at_once, cold=options.cold,
                                reason=options.reason)
    try:
        task = db.write(lambda conn: draining.begin(conn, state))
    except (errors.NotFound, errors.Conflict) as error:
        return _refused(env, error)
    if not options.json:
        env.say(f'Task {task.uuid} drains host {options.host}.')
    return 0


def _newest(db: dbkit.Database, host: str) -> tuple[rows.Task, draining.DrainState] | None:
    with db.read() as conn:
        found = draining.of_host(conn, host)
    return found[0] if found else None


def _abort(env: Env, db: dbkit.Database, options: Namespace) -> int:
    found = _newest(db, options.host)
    if found is None:
        env.say(f'Nothing is known of a drain of host {options.host}.')
        return NOT_FOUND
    task = found[0]
    if db.write(lambda conn: rows.tell(conn, task.uuid, Signal.ABORT)) is None:
        env.say(f'Task {task.uuid} has ended: it is {task.status}.')
        return REFUSED
    env.say(f'Task {task.uuid} is being undone: moves that can come back do, and the host is enabled again.')
    return 0


def _report(db: dbkit.Database, options: Namespace) -> tuple[int, bool, str]:
    """How far it is: the exit code, whether it has ended, and what to say of it."""
    found = _newest(db, options.host)
    if found is None:
        return NOT_FOUND, True, f'Nothing is known of a drain of host {options.host}.'
    task, state = found
    with db.read() as conn:
        seen = draining.look(conn, task.uuid, state.host)
    if task.ended:
        seen.moved, seen.left = state.moved, state.left
    shown = _outcome(task, state)
    waiting = [] if task.ended else [server.uuid for server in seen.waiting]
    moving = [] if task.ended else [*seen.moving, *(server.uuid for server in seen.arrived)]
    if options.json:
        text = jsonutil.text({'task': task.uuid, 'host': state.host, 'status': shown, 'moved': seen.moved,
                              'moving': moving, 'waiting': waiting, 'left': seen.left})
    else:
        text = (f'Host {state.host}: {shown}; {len(seen.moved)} servers have left, {len(moving)} are on their '
                f'way, {len(waiting)} wait, {len(seen.left)} stay.')
        if seen.left and task.ended:
            text += '\n' + table(('Server', 'Why it stays'), sorted(seen.left.items()))
    return {'drained': 0, 'draining': 0, 'partly drained': PARTLY}.get(shown, FAILED), task.ended, text


def _outcome(task: rows.Task, state: draining.DrainState) -> str:
    if not task.ended:
        return 'draining' if task.direction == 'do' else 'stopping'
    if task.status == rows.DONE:
        return 'partly drained' if state.left else 'drained'
    return 'aborted' if task.status == rows.UNDONE and task.unwinds else task.status
