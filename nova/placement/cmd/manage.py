"""``placement-manage``: create, upgrade and repair Placement's database."""

import argparse
import os
import sys
from collections.abc import Callable

import sqlalchemy as sa
from alembic.util import exc as alembic
from oslo_config import cfg
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.placement import conf as options
from nova.placement.db import importer, repair, session

BATCH = 50
SOURCE = 'PLACEMENT_IMPORT_FROM'

DONE, MORE, FAILED, BAD_INPUT, BROKEN = 0, 1, 2, 127, 255


def db_sync(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Create or upgrade the schema."""
    session.sync(db, conf.command.version or 'heads')
    return DONE


def db_version(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Print the schema's revisions."""
    print('\n'.join(session.version(db)))
    return DONE


def db_stamp(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Note a revision without running it."""
    session.stamp(db, conf.command.version)
    return DONE


def db_online_data_migrations(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Bring rows of older releases up to date while the service runs."""
    most = conf.command.max_count
    if most is not None and most <= 0:
        print('Must supply a positive value for max_count')
        return BAD_INPUT
    if most is None:
        print(f'Running batches of {BATCH} until complete.')
    migrations = repair.migrations(_owner(conf))
    totals: dict[str, list[int]] = {name: [0, 0] for name in migrations}
    failed = _run_all(db, migrations, totals, most)
    _print_totals(totals)
    if failed:
        return FAILED
    return MORE if any(done for _, done in totals.values()) and most is not None else DONE


def _run_all(db: dbkit.Database, migrations: dict[str, repair.Migration], totals: dict[str, list[int]],
             most: int | None) -> bool:
    """Run every migration, in batches until none has work left where there is no bound; whether one failed."""
    failed = False
    left = most if most is not None else BATCH
    while True:
        moved = 0
        for name, migrate in migrations.items():
            if most is not None and left <= 0:
                break
            try:
                found, done = migrate(db, left)
            except (db_exc.DBError, sa.exc.SQLAlchemyError) as error:
                print(f'Error attempting to run {name}: {dbkit.reason(error)}')
                failed = True
                continue
            totals[name][0] += found
            totals[name][1] += done
            moved += done
            left -= done if most is not None else 0
        if most is not None or not moved:
            return failed


def _print_totals(totals: dict[str, list[int]]) -> None:
    width = max(map(len, totals))
    line = f'+-{"-" * width}-+--------------+-----------+'
    print(f'{line}\n| {"Migration":^{width}} | Total Found  | Completed |\n{line}')
    for name, (found, done) in sorted(totals.items()):
        print(f'| {name:<{width}} | {found:>12} | {done:>9} |')
    print(line)


def create_incomplete_consumers(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Create the consumers that allocations lack."""
    owner, done = _owner(conf), 0
    while True:
        _, moved = repair.create_incomplete_consumers(db, BATCH, owner)
        done += moved
        if not moved:
            print(f'Created {done} incomplete consumers.')
            return DONE


def db_import(conf: cfg.ConfigOpts, db: dbkit.Database) -> int:
    """Fill an empty database with all that a database of OpenStack Placement holds."""
    command = conf.command
    url = command.source or os.environ.get(SOURCE)
    if not url:
        return _refuse(f'name the database to import from, or set {SOURCE}', BAD_INPUT)
    try:
        source = session.open_url(url, conf.placement_database)
    except session.NotConfigured as error:
        return _refuse(f'the database to import from: {error}', BAD_INPUT)
    try:
        report = importer.run(source, db, _owner(conf), replace=command.replace, dry_run=command.dry_run)
    except importer.Refused as error:
        return _refuse(str(error), BAD_INPUT)
    finally:
        source.dispose()
    print('\n'.join(importer.lines(report)))
    if command.dry_run:
        print('Nothing was written: this was a dry run.')
    return DONE if report.complete else FAILED


def _owner(conf: cfg.ConfigOpts) -> tuple[str, str]:
    return conf.placement.incomplete_consumer_project_id, conf.placement.incomplete_consumer_user_id


def _commands(subparsers: argparse._SubParsersAction) -> None:
    subparsers.required = True
    top = subparsers.add_parser('db', help='Database commands.')
    commands = top.add_subparsers(dest='name', required=True)

    def add(name: str, run: Callable[[cfg.ConfigOpts, dbkit.Database], int]) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=run.__doc__)
        parser.set_defaults(run=run)
        return parser
    add('sync', db_sync).add_argument('version', nargs='?', help='Revision to upgrade to.')
    add('version', db_version)
    add('stamp', db_stamp).add_argument('version', help='Revision to note.')
    add('online_data_migrations', db_online_data_migrations).add_argument(
        '--max-count', metavar='<number>', dest='max_count', type=int, default=None,
        help='Most rows to migrate; without it, all, in batches.')
    moving = add('import', db_import)
    moving.add_argument('source', nargs='?', metavar='URL', help=f'Where from; without it, what {SOURCE} says, '
                                                                 f'which no list of processes shows.')
    moving.add_argument('--dry-run', action='store_true', help='Do it, count it, and take it back.')
    moving.add_argument('--replace', action='store_true', help='Remove what our database holds first.')
    add('create_incomplete_consumers', create_incomplete_consumers)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        conf = options.load(arguments, [cfg.SubCommandOpt('command', handler=_commands)])
        db = session.open_database(conf)
    except (cfg.Error, session.NotConfigured) as error:
        return _refuse(str(error), BAD_INPUT)
    try:
        return conf.command.run(conf, db)
    except (alembic.CommandError, session.NotOurs) as error:
        return _refuse(str(error), BAD_INPUT)
    except (db_exc.DBError, sa.exc.SQLAlchemyError) as error:
        return _refuse(dbkit.reason(error), BROKEN)
    finally:
        db.dispose()


def _refuse(why: str, code: int) -> int:
    sys.stderr.write(f'placement-manage: {why}\n')
    return code


if __name__ == '__main__':
    sys.exit(main())
