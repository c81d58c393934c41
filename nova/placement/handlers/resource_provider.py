"""``/resource_providers``: what has resources, in trees."""


import sqlalchemy as sa

from nova.common import clock, uuids
from nova.common.jsonutil import JsonObject
from nova.placement import errors, lib, schema
from nova.placement.context import Context, Reply
from nova.placement.objects import provider, trait, tree
from nova.placement.objects.provider import Provider

_NAME = {'type': 'string', 'minLength': 1, 'maxLength': 200}
_PARENT = {'anyOf': [schema.UUID, {'type': 'null'}]}

CREATE = schema.Versions({
    '1.0': schema.obj({'name': _NAME, 'uuid': schema.UUID}, optional=('uuid',)),
    '1.14': schema.obj({'name': _NAME, 'uuid': schema.UUID, 'parent_provider_uuid': _PARENT},
                       optional=('uuid', 'parent_provider_uuid')),
})

UPDATE = schema.Versions({
    '1.0': schema.obj({'name': _NAME}),
    '1.14': schema.obj({'name': _NAME, 'parent_provider_uuid': _PARENT}, optional=('parent_provider_uuid',)),
})


def _query(*keys: str) -> JsonObject:
    kinds: dict[str, JsonObject] = {'uuid': schema.UUID, 'in_tree': schema.UUID}
    return schema.obj({key: kinds.get(key, {'type': 'string'}) for key in keys}, optional=keys)


QUERY = schema.Versions({
    '1.0': _query('name', 'uuid'),
    '1.3': _query('name', 'uuid', 'member_of'),
    '1.4': _query('name', 'uuid', 'member_of', 'resources'),
    '1.14': _query('name', 'uuid', 'member_of', 'resources', 'in_tree'),
    '1.18': _query('name', 'uuid', 'member_of', 'resources', 'in_tree', 'required'),
})

_LINKS = (('inventories', '1.0'), ('usages', '1.0'), ('aggregates', '1.1'), ('traits', '1.6'),
          ('allocations', '1.11'))


def _document(ctx: Context, one: Provider, links: tuple[str, ...]) -> JsonObject:
    base = ctx.path('resource_providers', one.uuid)
    body: JsonObject = {'uuid': one.uuid, 'name': one.name, 'generation': one.generation}
    if ctx.at('1.14'):
        body.update(parent_provider_uuid=one.parent_uuid, root_provider_uuid=one.root_uuid)
    body['links'] = [{'rel': 'self', 'href': base},
                     *({'rel': rel, 'href': f'{base}/{rel}'} for rel in links)]
    return body


def _links(ctx: Context) -> tuple[str, ...]:
    return tuple(rel for rel, since in _LINKS if ctx.at(since))


def _read(ctx: Context, uuid: str) -> Provider:
    with ctx.db.read() as connection:
        return provider.get(connection, uuid)


def _filters(ctx: Context) -> provider.Filters:
    uuid, in_tree = ctx.last('uuid'), ctx.last('in_tree')
    members = lib.member_of(ctx.query.get('member_of', []), ctx.version)
    asked = lib.traits(ctx.query.get('required', []), ctx.version)
    wanted = lib.resources(ctx.query['resources'][-1]) if 'resources' in ctx.query else {}
    traits: dict[str, int] = {}
    amounts: dict[int, int] = {}
    if wanted or asked.names():
        names = ctx.service.names.current()
        traits = trait.ids(names, asked.names())
        unknown = sorted(wanted.keys() - names.classes.keys())
        if unknown:
            raise errors.BadRequest(f'Invalid resource class in resources parameter: {", ".join(unknown)}.')
        amounts = {names.classes[name]: amount for name, amount in wanted.items()}
    return provider.Filters(
        name=ctx.last('name'), uuid=uuids.normal(uuid) if uuid else None,
        in_tree=uuids.normal(in_tree) if in_tree else None,
        member_of=members.required, not_member_of=members.forbidden,
        required=[frozenset(traits[name] for name in one) for one in asked.required],
        forbidden=frozenset(traits[name] for name in asked.forbidden), resources=amounts)


def index(ctx: Context) -> Reply:
    """List resource providers."""
    filters = _filters(ctx)
    with ctx.db.read() as connection:
        found = provider.find(connection, filters)
    links = _links(ctx)
    return Reply(body={'resource_providers': [_document(ctx, one, links) for one in found]},
                 modified=max((one.modified for one in found), default=clock.utcnow()))


def create(ctx: Context) -> Reply:
    """Create a resource provider."""
    given = ctx.body.get('uuid')
    uuid = uuids.normal(given) if given else uuids.generate()
    parent = uuids.normal(ctx.body.get('parent_provider_uuid') or '')
    assert uuid is not None

    def write(connection: sa.Connection) -> Provider:
        tree.create(connection, uuid, ctx.body['name'], parent)
        return provider.get(connection, uuid)
    one = ctx.write(write)
    location = ctx.req.prefix + f'/resource_providers/{uuid}'
    if not ctx.at('1.20'):
        return Reply(201, location=location, modified=clock.utcnow())
    return Reply(body=_document(ctx, one, _links(ctx)), location=location, modified=one.modified)


def show(ctx: Context, uuid: str) -> Reply:
    """Show a resource provider."""
    one = _read(ctx, uuid)
    return Reply(body=_document(ctx, one, _links(ctx)), modified=one.modified)


def update(ctx: Context, uuid: str) -> Reply:
    """Rename a resource provider, or give it another parent."""
    def write(connection: sa.Connection) -> Provider:
        if 'parent_provider_uuid' in ctx.body:
            parent = ctx.body['parent_provider_uuid']
            tree.move(connection, uuid, uuids.normal(parent) if parent else None, may_move=ctx.at('1.37'))
        tree.rename(connection, uuid, ctx.body['name'])
        return provider.get(connection, uuid)
    one = ctx.write(write)
    return Reply(body=_document(ctx, one, _links(ctx)), modified=one.modified)


def delete(ctx: Context, uuid: str) -> Reply:
    """Delete a resource provider."""
    ctx.write(lambda connection: tree.delete(connection, uuid))
    return Reply(204)
