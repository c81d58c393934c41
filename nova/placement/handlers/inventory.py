"""``/resource_providers/{uuid}/inventories``."""


import sqlalchemy as sa

from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.placement import errors, schema
from nova.placement.cache import NameTable
from nova.placement.context import Context, Reply
from nova.placement.objects import inventory, provider
from nova.placement.objects.inventory import Inventory

_AMOUNT = {'type': 'integer', 'minimum': 1, 'maximum': schema.MAX_INT}

FIELDS: JsonObject = {
    'resource_provider_generation': schema.GENERATION,
    'total': _AMOUNT,
    'reserved': {'type': 'integer', 'minimum': 0, 'maximum': schema.MAX_INT},
    'min_unit': _AMOUNT,
    'max_unit': _AMOUNT,
    'step_size': _AMOUNT,
    'allocation_ratio': {'type': 'number', 'maximum': 3.40282e+38, 'minimum': 0},
}
_WHOLE = ('total', 'reserved', 'min_unit', 'max_unit', 'step_size')
_CLASS_NAME = schema.NAME


def _fields(required: tuple[str, ...], **more: object) -> JsonObject:
    return schema.obj({**FIELDS, **more}, optional=tuple(name for name in FIELDS if name not in required))


EACH: JsonObject = schema.keyed(_CLASS_NAME, _fields(('total',)))
"""Inventories by class name."""

CREATE = schema.Versions({'1.0': _fields(('total',), resource_class=_CLASS_NAME)})
REPLACE_ONE = schema.Versions({'1.0': _fields(('total', 'resource_provider_generation'))})
REPLACE = schema.Versions({'1.0': schema.obj({
    'resource_provider_generation': schema.GENERATION, 'inventories': EACH})})


def parse(document: JsonObject, name: str, full_reserve: bool) -> Inventory:
    """Read one inventory of a body.

    Args:
        full_reserve: everything may be reserved (from microversion 1.26).
    """
    whole = {key: int(document[key]) for key in _WHOLE if key in document}
    one = Inventory(**whole, allocation_ratio=float(document.get('allocation_ratio', 1.0)))
    if one.reserved > one.total or (one.reserved == one.total and not full_reserve):
        raise errors.BadRequest(
            f"Invalid inventory for '{name}': reserved is {one.reserved}, total {one.total}.")
    return one


def _shown(one: Inventory) -> JsonObject:
    return {'total': one.total, 'reserved': one.reserved, 'min_unit': one.min_unit, 'max_unit': one.max_unit,
            'step_size': one.step_size, 'allocation_ratio': one.allocation_ratio}


def _all(generation: int, found: dict[int, Inventory], names: NameTable) -> JsonObject:
    return {'resource_provider_generation': generation,
            'inventories': {name: _shown(one) for name, one in names.by_class(found).items()}}


def index(ctx: Context, uuid: str) -> Reply:
    """List the inventories of a resource provider."""
    with ctx.db.read() as connection:
        found = inventory.of_provider(connection, uuid)
        names = ctx.service.names.within(connection)
    return Reply(body=_all(found.generation, found.inventories, names), modified=found.modified)


def show(ctx: Context, uuid: str, resource_class: str) -> Reply:
    """Show one inventory of a resource provider."""
    with ctx.db.read() as connection:
        found = inventory.of_provider(connection, uuid)
        names = ctx.service.names.within(connection)
    one = found.inventories.get(names.classes.get(resource_class, -1))
    if one is None:
        raise errors.NotFound(f'No inventory of class {resource_class} for {uuid}.')
    return Reply(body={'resource_provider_generation': found.generation, **_shown(one)},
                 modified=found.modified)


def create(ctx: Context, uuid: str) -> Reply:
    """Add an inventory to a resource provider."""
    name = ctx.body['resource_class']
    one = parse(ctx.body, name, ctx.at('1.26'))

    def write(connection: sa.Connection) -> int:
        locked = provider.lock(connection, uuid)
        class_id = inventory.class_id(ctx.service.names.within(connection), name)
        if class_id in inventory.read(connection, locked):
            raise errors.WriteRace(f'Update conflict: resource provider {uuid} has an inventory of {name}.')
        inventory.add(connection, locked, {class_id: one})
        provider.bump(connection, {locked.id})
        return locked.generation + 1
    generation = ctx.write(write)
    return Reply(201, {'resource_provider_generation': generation, **_shown(one)}, clock.utcnow(),
                 ctx.req.prefix + f'/resource_providers/{uuid}/inventories/{name}')


def replace(ctx: Context, uuid: str) -> Reply:
    """Replace the inventories of a resource provider."""
    full = ctx.at('1.26')
    given = {name: parse(document, name, full) for name, document in ctx.body['inventories'].items()}

    def write(connection: sa.Connection) -> JsonObject:
        locked = provider.lock(connection, uuid)
        names = ctx.service.names.within(connection)
        wanted = {inventory.class_id(names, name): one for name, one in given.items()}
        locked.expect(ctx.body['resource_provider_generation'])
        inventory.replace(connection, locked, wanted, names)
        provider.bump(connection, {locked.id})
        return _all(locked.generation + 1, wanted, names)
    return Reply(body=ctx.write(write), modified=clock.utcnow())


def replace_one(ctx: Context, uuid: str, resource_class: str) -> Reply:
    """Replace one inventory of a resource provider."""
    one = parse(ctx.body, resource_class, ctx.at('1.26'))

    def write(connection: sa.Connection) -> int:
        locked = provider.lock(connection, uuid)
        class_id = ctx.service.names.within(connection).classes.get(resource_class)
        if class_id is None:
            raise errors.NotFound(f'No such resource class: {resource_class}.')
        locked.expect(ctx.body['resource_provider_generation'])
        if class_id not in inventory.read(connection, locked):
            raise errors.BadRequest(f'No inventory of class {resource_class} for {uuid} to update.')
        inventory.change(connection, locked, {class_id: one})
        provider.bump(connection, {locked.id})
        return locked.generation + 1
    generation = ctx.write(write)
    return Reply(body={'resource_provider_generation': generation, **_shown(one)}, modified=clock.utcnow())


def delete(ctx: Context, uuid: str) -> Reply:
    """Delete all inventories of a resource provider."""
    def write(connection: sa.Connection) -> None:
        locked = provider.lock(connection, uuid)
        inventory.replace(connection, locked, {}, ctx.service.names.within(connection))
        provider.bump(connection, {locked.id})
    ctx.write(write)
    return Reply(204)


def delete_one(ctx: Context, uuid: str, resource_class: str) -> Reply:
    """Delete one inventory of a resource provider."""
    def write(connection: sa.Connection) -> None:
        locked = provider.lock(connection, uuid)
        names = ctx.service.names.within(connection)
        class_id = names.classes.get(resource_class, -1)
        if class_id not in inventory.read(connection, locked):
            raise errors.NotFound(f'No inventory of class {resource_class} found for delete.')
        try:
            inventory.remove(connection, locked, [class_id], names)
        except errors.InventoryInUse as error:
            raise errors.WriteRace(f'Unable to delete inventory: {error.message}') from None
        provider.bump(connection, {locked.id})
    ctx.write(write)
    return Reply(204)
