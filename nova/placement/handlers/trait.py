"""``/traits`` and ``/resource_providers/{uuid}/traits``."""

import sqlalchemy as sa

from nova.common import clock
from nova.placement import errors, schema
from nova.placement.context import Context, Reply
from nova.placement.objects import provider, trait

QUERY = schema.Versions({'1.6': schema.obj({
    'name': {'type': 'string', 'pattern': '^(in:|startswith:)',
             'description': 'in: and names divided by commas, or startswith: and a prefix'},
    'associated': {'type': 'string', 'pattern': '^([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])$',
                   'description': 'true or false'},
}, optional=('name', 'associated'))})

BODY = schema.Versions({'1.6': schema.obj({
    'traits': {'type': 'array', 'items': {**schema.NAME, 'minLength': 1, 'maxLength': 255}},
    'resource_provider_generation': schema.GENERATION,
})})

_CUSTOM = schema.Versions({'1.0': schema.CUSTOM_NAME})


def index(ctx: Context) -> Reply:
    """List traits."""
    table = ctx.service.names.current()
    names = set(table.traits)
    asked, associated = ctx.last('name'), ctx.last('associated')
    if asked is not None and asked.startswith('in:'):
        names &= set(asked.removeprefix('in:').split(','))
    elif asked is not None:
        prefix = asked.removeprefix('startswith:')
        names = {name for name in names if name.startswith(prefix)}
    if associated is not None:
        with ctx.db.read() as connection:
            used = trait.associated(connection)
        names = names & used if associated.lower() == 'true' else names - used
    return Reply(body={'traits': sorted(names)},
                 modified=max((table.trait_times[name] for name in names), default=clock.utcnow()))


def show(ctx: Context, name: str) -> Reply:
    """Confirm that a trait exists."""
    names = ctx.service.names.current()
    if name not in names.traits:
        raise errors.NotFound(f'No such trait: {name}.')
    return Reply(204, modified=names.trait_times[name])


def ensure(ctx: Context, name: str) -> Reply:
    """Create a custom trait unless it is there."""
    _CUSTOM.check(name, ctx.version, 'name')
    there = name in ctx.service.names.current().traits
    created = not there and trait.create(ctx.db, name)
    return Reply(201 if created else 204, location=ctx.req.prefix + f'/traits/{name}',
                 modified=clock.utcnow())


def delete(ctx: Context, name: str) -> Reply:
    """Delete a custom trait."""
    trait.delete(ctx.db, name)
    return Reply(204)


def index_of_provider(ctx: Context, uuid: str) -> Reply:
    """List the traits of a resource provider."""
    with ctx.db.read() as connection:
        generation, names, modified = trait.of_provider(connection, uuid)
    return Reply(body={'traits': names, 'resource_provider_generation': generation}, modified=modified)


def replace_of_provider(ctx: Context, uuid: str) -> Reply:
    """Replace the traits of a resource provider."""
    names = ctx.body['traits']

    def write(connection: sa.Connection) -> int:
        locked = provider.lock(connection, uuid)
        locked.expect(ctx.body['resource_provider_generation'])
        ids = trait.ids(ctx.service.names.within(connection), names)
        changed = trait.replace(connection, locked, set(ids.values()))
        if changed:
            provider.bump(connection, {locked.id})
        return locked.generation + changed
    generation = ctx.write(write)
    return Reply(body={'traits': sorted(set(names)), 'resource_provider_generation': generation},
                 modified=clock.utcnow())


def delete_of_provider(ctx: Context, uuid: str) -> Reply:
    """Take all traits from a resource provider."""
    def write(connection: sa.Connection) -> None:
        locked = provider.lock(connection, uuid)
        if trait.replace(connection, locked, set()):
            provider.bump(connection, {locked.id})
    ctx.write(write)
    return Reply(204)
