"""``/resource_classes``: kinds of resources."""


from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.placement import errors, schema
from nova.placement.context import Context, Reply
from nova.placement.objects import resource_class

BODY = schema.Versions({'1.2': schema.obj({'name': schema.CUSTOM_NAME})})

_CUSTOM = schema.Versions({'1.0': schema.CUSTOM_NAME})


def _document(ctx: Context, name: str) -> JsonObject:
    return {'name': name, 'links': [{'rel': 'self', 'href': ctx.path('resource_classes', name)}]}


def _location(ctx: Context, name: str) -> str:
    return ctx.req.prefix + f'/resource_classes/{name}'


def index(ctx: Context) -> Reply:
    """List resource classes."""
    names = ctx.service.names.current()
    return Reply(body={'resource_classes': [_document(ctx, name) for name in names.classes]},
                 modified=max(names.class_times.values(), default=clock.utcnow()))


def create(ctx: Context) -> Reply:
    """Create a custom resource class."""
    name = ctx.body['name']
    if not resource_class.create(ctx.db, name):
        raise errors.Conflict(f'Conflicting resource class already exists: {name}.')
    return Reply(201, location=_location(ctx, name), modified=clock.utcnow())


def show(ctx: Context, name: str) -> Reply:
    """Show a resource class."""
    names = ctx.service.names.current()
    if name not in names.classes:
        raise errors.NotFound(f'No such resource class: {name}.')
    return Reply(body=_document(ctx, name), modified=names.class_times[name])


def rename(ctx: Context, name: str) -> Reply:
    """Rename a custom resource class (until microversion 1.6)."""
    resource_class.rename(ctx.db, name, ctx.body['name'])
    return Reply(body=_document(ctx, ctx.body['name']), modified=clock.utcnow())


def ensure(ctx: Context, name: str) -> Reply:
    """Create a custom resource class unless it is there (from microversion 1.7)."""
    _CUSTOM.check(name, ctx.version, 'name')
    there = name in ctx.service.names.current().classes
    created = not there and resource_class.create(ctx.db, name)
    return Reply(201 if created else 204, location=_location(ctx, name), modified=clock.utcnow())


def delete(ctx: Context, name: str) -> Reply:
    """Delete a custom resource class."""
    resource_class.delete(ctx.db, name)
    return Reply(204)
