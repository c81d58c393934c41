"""nova-manage db: the schema and the rows of cells."""

import contextlib
import datetime
import functools
from argparse import Namespace
from collections.abc import Callable, Iterator

from oslo_db import exception as db_exc

from nova import errors
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.common import clock, dbkit, threads
from nova.db import archive, data_migrations, migrate, session

_BEFORE = arg('--before', help='only what was deleted before this date')


@command('db', 'sync',
         arg('version', nargs='?', help='revision to stop at; by default the newest'),
         flag('--local_cell', 'only the database that [database] names, not cell0'))
def sync(env: Env, options: Namespace) -> int | None:
    """Create or upgrade the schema of cell0, when it is mapped, and of this cell."""
    if not options.local_cell:
        try:
            migrate.sync(env.cells.db(env.cells.cell0()), 'cell', revision=options.version)
        except errors.host.CellMappingNotFound:
            env.say('cell0 is not mapped yet; run nova-manage cell_v2 map_cell0 and then this again')
        except (db_exc.DBError, errors.Unavailable) as error:
            env.say(f'cell0 could not be upgraded: {type(error).__name__}. Are the API database and cell0 '
                    'there, and is nova-manage api_db sync done?')
            return 1
    migrate.sync(env.dbs.main, 'cell', revision=options.version)
    return 0


@command('db', 'version')
def show_version(env: Env, options: Namespace) -> int | None:
    """Print the revisions of this cell's database."""
    env.say(' '.join(migrate.version(env.dbs.main, 'cell')) or '0')
    return 0


def _cells(env: Env, every: bool) -> Iterator[tuple[str, dbkit.Database]]:
    """Names and databases: of every mapped cell, or this process's own."""
    if not every:
        yield '', env.dbs.main
        return
    for cell in env.cells.every():
        yield cell.name or cell.uuid, env.cells.db(cell)


def _date(text: str | None) -> datetime.datetime | None:
    """A date in the forms that operators write.

    Raises:
        ValueError: not a date.
    """
    if text is None:
        return None
    for form in ('%Y-%m-%d', '%Y-%m-%d %H:%M:%S', '%Y-%m-%dT%H:%M:%S', '%d %b %Y', '%b %d %Y'):
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            continue
    return clock.parse(text)


def _report(env: Env, rows: dict[str, int], what: str) -> None:
    shown = sorted((name, count) for name, count in rows.items() if count)
    env.say(table(['Table', what], shown) if shown else 'Nothing was archived.')


@command('db', 'archive_deleted_rows',
         arg('--max_rows', type=int, default=1000, help='rows of cells to move at most, default 1000'),
         _BEFORE, flag('--verbose', 'print how many rows of which table'),
         flag('--until-complete', 'go on until nothing is left; --max_rows is then the size of a batch'),
         flag('--purge', 'drop what was archived for good afterwards'),
         flag('--all-cells', 'in every cell'),
         flag('--task-log', 'accepted for compatibility: there is no task log'),
         arg('--sleep', type=int, default=0, help='seconds between two batches'))
def archive_deleted_rows(env: Env, options: Namespace) -> int | None:
    """Move deleted servers to the shadow tables, and forget them in the API database.

    Exit codes: 0 nothing to do (with --until-complete: all done), 1 rows were archived and there may be more,
    2 --max_rows is no positive number, 3 the API database cannot be reached, 4 --before is no date, 255 a cell
    could not be used; what could be archived elsewhere was.
    """
    if not 0 < options.max_rows <= 0x7fffffff:
        env.say('--max_rows has to be a positive number')
        return 2
    try:
        before = _date(options.before)
    except ValueError:
        env.say(f'Not a date: {options.before}')
        return 4
    try:
        cells = list(_cells(env, options.all_cells))
        env.dbs.api.ping()
    except (db_exc.DBError, errors.Unavailable):
        env.say('The API database cannot be reached; it has to be, to forget the servers there as well.')
        return 3
    total: dict[str, int] = {}
    away: set[str] = set()
    archivers = [(name, archive.Archiver(db, before, functools.partial(_forget, env))) for name, db in cells]
    again = True
    try:
        while again:
            there = [cell for cell in archivers if cell[0] not in away]
            moved = _archive_once(env, there, options, total, away)
            again = bool(moved) and options.until_complete
            if again and options.sleep:
                threads.sleep(options.sleep)
    except _NothingForgotten as error:
        env.say(f'The API database is away ({type(error.__cause__).__name__}); what was archived before is.')
        return 3
    finally:
        if options.verbose:
            _report(env, total, 'Number of Rows Archived')
    if options.purge and total:
        away |= _purge(env, [cell for cell in cells if cell[0] not in away], before)[1]
    if away:
        return 255
    return 0 if options.until_complete or not total else 1


class _NothingForgotten(Exception):
    """The API database cannot be used; its cause says why."""


def _forget(env: Env, uuids: list[str]) -> dict[str, int]:
    try:
        return archive.forget(env.dbs.api, uuids)
    except Exception as error:
        if not dbkit.is_away(error):
            raise
        raise _NothingForgotten from error


def _archive_once(env: Env, cells: list[tuple[str, archive.Archiver]], options: Namespace,
                  total: dict[str, int], away: set[str]) -> int:
    moved = 0
    for name, archiver in cells:
        if moved >= options.max_rows:
            break
        with _passing_over(env, name, away, 'nothing is archived there'):
            done = archiver.some(options.max_rows - moved)
            moved += done.total
            for rows, prefix in ((done.rows, f'{name}.' if name else ''), (done.forgotten, 'API_DB.')):
                for key, count in rows.items():
                    total[prefix + key] = total.get(prefix + key, 0) + count
    return moved


@contextlib.contextmanager
def _passing_over(env: Env, name: str, away: set[str], left: str) -> Iterator[None]:
    """What is done in a cell; one whose database is away is named and added to `away`, with what is `left`."""
    try:
        yield
    except Exception as error:
        if not dbkit.is_away(error):
            raise
        away.add(name)
        env.say(f'The database of {name or "this cell"} cannot be used ({type(error).__name__}); {left}.')


def _purge(env: Env, cells: list[tuple[str, dbkit.Database]], before: datetime.datetime | None
           ) -> tuple[dict[str, int], set[str]]:
    """Purge in each cell; rows by cell and table, and the cells whose databases cannot be used."""
    total: dict[str, int] = {}
    away: set[str] = set()
    for name, db in cells:
        with _passing_over(env, name, away, 'what is left there was not purged'):
            gone = archive.purge(db, before)
            total.update({f'{name}.{key}' if name else key: count for key, count in gone.items()})
    return total, away


@command('db', 'purge', _BEFORE, flag('--all', 'whatever its age'),
         flag('--verbose', 'print how many rows of which table'), flag('--all-cells', 'in every cell'))
def purge(env: Env, options: Namespace) -> int | None:
    """Drop archived rows for good.

    Exit codes: 0 rows were dropped, 1 neither --all nor --before was given, 2 --before is no date, 3 there was
    nothing to drop, 4 the API database cannot be reached, 255 a cell could not be used; what could be dropped
    elsewhere was.
    """
    if not options.all and options.before is None:
        env.say('Say --all, or --before with a date')
        return 1
    try:
        before = None if options.all else _date(options.before)
    except ValueError:
        env.say(f'Not a date: {options.before}')
        return 2
    try:
        cells = list(_cells(env, options.all_cells))
    except (db_exc.DBError, errors.Unavailable):
        env.say('The API database cannot be reached.')
        return 4
    total, away = _purge(env, cells, before)
    if options.verbose:
        _report(env, total, 'Number of Rows Purged')
    if away:
        return 255
    return 0 if any(total.values()) else 3


@command('db', 'online_data_migrations',
         arg('--max-count', type=int, help='most rows to touch; by default all, in batches of 50'))
def online_data_migrations(env: Env, options: Namespace) -> int | None:
    """Move data to where this release wants it, while services run.

    Exit codes: 0 nothing is left, 1 some was done and this has to be run again, 2 only failures are left, 127
    --max-count is no positive number.
    """
    if options.max_count is not None and options.max_count < 1:
        env.say('--max-count has to be a positive number')
        return 127
    rows, failed, done = [], False, 0
    for name, step in data_migrations.MIGRATIONS.items():
        found, moved, error = _migrate(env, step, options.max_count, done)
        failed, done = failed or error, done + moved
        rows.append((name, found, moved))
    env.say(table(['Migration', 'Total Needed', 'Completed'], rows))
    if options.max_count is not None and done:
        return 1
    return 2 if failed else 0


def _migrate(env: Env, step: Callable[[session.Databases, int], tuple[int, int]], most: int | None, done: int
             ) -> tuple[int, int, bool]:
    """Found rows, moved rows, and whether an error ended it."""
    found = moved = 0
    while most is None or done + moved < most:
        try:
            more, now = step(env.dbs, 50 if most is None else most - done - moved)
        except Exception as error:  # noqa: BLE001  one migration that fails must not keep the others from running
            env.say(f'{getattr(step, "__name__", step)}: {type(error).__name__}')
            return found, moved, True
        found, moved = found + more, moved + now
        if not now:
            return found, moved, more > 0
    return found, moved, False
