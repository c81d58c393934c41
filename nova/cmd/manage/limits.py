"""nova-manage limits: from our own quotas to unified limits."""

import dataclasses
from argparse import Namespace
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from oslo_db import exception as db_exc

from nova import clients, errors, objects
from nova.clients import limits
from nova.cmd.manage.command import Env, arg, command, flag, table
from nova.domain import quota as counting
from nova.objects import quota
from nova.objects.flavor import load_extra_specs
from nova.objects.quota.unified import CLASS, NAMES

_PAGE = 1000
_DONE, _DATABASE, _MISSING = 0, 2, 3
"""Exit codes; 1 is an error that nobody foresaw."""

Limits = Mapping[str, int]


@dataclasses.dataclass(frozen=True)
class Found:
    """What the API database has: limits by the names of the identity service, and resource classes in use."""

    defaults: Limits
    projects: Mapping[str, Limits]
    classes: frozenset[str]


@command('limits', 'migrate_to_unified_limits',
         arg('--project-id', help='only the limits of this project, beside those of all'),
         arg('--region-id', help='region that gets the limits, instead of the configured one'),
         flag('--verbose', 'print also what is there already'),
         flag('--dry-run', 'only print what would be made'),
         flag('--quiet', 'print nothing but what is missing'),
         flag('--no-embedded-flavor-scan', 'look at flavors, but not at what servers were made of'))
def migrate_to_unified_limits(env: Env, options: Namespace) -> int | None:
    """Copy quotas to unified limits in the identity service; what is set there already stays.

    Needs the role admin there, with the credentials of [keystone]. Limits of single users are not copied, since
    unified limits know none. Exit codes: 0 copied, 2 the database cannot be reached, 3 copied, but resources
    that flavors ask for have no limit: nobody may get anything of them.
    """
    try:
        found = _read(env, options.project_id, embedded=not options.no_embedded_flavor_scan)
    except (db_exc.DBError, errors.Unavailable) as error:
        env.say(f'A database cannot be reached: {type(error).__name__}.')
        return _DATABASE
    keeper = clients.build_limits(env.conf, 'keystone')
    place = keeper.place()
    if options.region_id:
        place = dataclasses.replace(place, region_id=options.region_id)
    registered = keeper.registered(place)
    wanted = {name: limit for name, limit in found.defaults.items() if name not in registered}
    if not options.dry_run:
        keeper.register(place, wanted)
    rows = _rows('', found.defaults, registered)
    for project, its in sorted(found.projects.items()):
        rows += _rows(project, its, _copy(env, keeper, place, project, its, options.dry_run))
    if not options.quiet:
        shown = [row for row in rows if options.verbose or row[3] != _THERE]
        env.say(table(('Project', 'Resource', 'Limit', 'Already there'), shown))
    return _check_classes(env, found.classes - {*registered, *found.defaults})


_THERE = 'yes'


def _rows(project: str, wanted: Limits, there: Limits) -> list[tuple[str, str, int, str]]:
    return [(project, name, there.get(name, limit), _THERE if name in there else '')
            for name, limit in sorted(wanted.items())]


def _copy(env: Env, keeper: limits.Client, place: limits.Place, project: str, its: Limits, dry_run: bool
          ) -> Limits:
    """Set what a project has not got yet; what it had."""
    own = keeper.of_project(place, project)
    if not dry_run:
        try:
            keeper.set_project(place, project, {name: limit for name, limit in its.items() if name not in own})
        except errors.Invalid as error:
            env.say(f'The limits of project {project} were not copied: {error.message}')
    return own


def _check_classes(env: Env, missing: frozenset[str]) -> int:
    if not missing:
        return _DONE
    env.say('Flavors ask for resources that have no limit in the identity service. Register one for each, or '
            'set [quota] unified_limits_resource_list:')
    env.say(table(('Resource',), [(name,) for name in sorted(missing)]))
    return _MISSING


# What the databases have -------------------------------------------------------------------------

def _read(env: Env, project: str | None, embedded: bool) -> Found:
    with env.dbs.api.read() as conn:
        defaults = _named(quota.defaults(conn, env.conf))
        projects = {owner: _named(its) for owner, its in quota.every_project(conn).items()
                    if project in (None, owner)}
        flavors = objects.Flavor.all(conn)
        load_extra_specs(conn, flavors)
    classes = {name for flavor in flavors for name in _classes(flavor)}
    for cell in env.cells.every() if embedded else ():
        for flavor in _embedded(env, cell):
            classes |= _classes(flavor)
    return Found(defaults, projects, frozenset(classes))


def _named(limits: Limits) -> dict[str, int]:
    return {NAMES[name]: limit for name, limit in limits.items() if name in NAMES}


def _classes(flavor: objects.Flavor) -> set[str]:
    return {CLASS + name for name in counting.resources(flavor, {})}


def _embedded(env: Env, cell: objects.CellMapping) -> Iterator[objects.Flavor]:
    """The flavors that the servers of a cell were made of, which may be gone since."""
    instances, last = objects.Instance.table, 0
    while True:
        with env.cells.db(cell).read() as conn:
            page = objects.Instance.all(conn, instances.c.id > last, prefetch=('flavor',),
                                        order=[sa.asc(instances.c.id)], limit=_PAGE)
        yield from (server.flavor for server in page)
        if len(page) < _PAGE:
            return
        last = page[-1].id
