"""``placement-manage``: create, upgrade and repair Placement's database."""

import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg
from oslo_db import exception as db_exc

from nova.common import dbkit
from nova.placement import wsgi
from nova.placement.db import repair, session

BATCH = 50

DONE, MORE, FAILED, BAD_INPUT = 0, 1, 2, 127


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
    totals: dict[str, list[int]] = {name: [0, 0] for name in repair.MIGRATIONS}
    failed = _run_all(db, totals, most)
    _print_totals(totals)
    if failed:
        return FAILED
    return MORE if any(done for _, done in totals.values()) and most is not None else DONE


def _run_all(db: dbkit.Database, totals: dict[str, list[int]], most: int | None) -> bool:
    """Run every migration, in batches until none has work left where there is no bound; whether one failed."""
    failed = False
    left = most if most is not None else BATCH
    while True:
        moved = 0
        for name, migrate in repair.MIGRATIONS.items():
            if most is not None and left <= 0:
                break
            try:
                found, done = migrate(db, left)
            except (db_exc.DBError, sa.exc.SQLAlchemyError) as error:
                print(f'Error attempting to run {name}: {error}')
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
    owner = (conf.placement.incomplete_consumer_project_id, conf.placement.incomplete_consumer_user_id)
    done = 0
    while True:
        _, moved = repair.create_incomplete_consumers(db, BATCH, owner)
        done += moved
        if not moved:
            print(f'Created {done} incomplete consumers.')
            return DONE


def _commands(subparsers: Any) -> None:
    subparsers.required = True
    top = subparsers.add_parser('db', help='Database commands.')
    commands = top.add_subparsers(dest='name', required=True)

    def add(name: str, run: Callable[[cfg.ConfigOpts, dbkit.Database], int]) -> Any:
        parser = commands.add_parser(name, help=run.__doc__)
        parser.set_defaults(run=run)
        return parser
    add('sync', db_sync).add_argument('version', nargs='?', help='Revision to upgrade to.')
    add('version', db_version)
    add('stamp', db_stamp).add_argument('version', help='Revision to note.')
    add('online_data_migrations', db_online_data_migrations).add_argument(
        '--max-count', metavar='<number>', dest='max_count', type=int, default=None,
        help='Most rows to migrate; without it, all, in batches.')
    add('create_incomplete_consumers', create_incomplete_consumers)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    conf = wsgi.load_conf(arguments, [cfg.SubCommandOpt('command', handler=_commands)])
    try:
        db = session.open_database(conf)
    except session.NotConfigured as error:
        print(error)
        return BAD_INPUT
    try:
        return conf.command.run(conf, db)
    finally:
        db.dispose()


if __name__ == '__main__':
    sys.exit(main())
