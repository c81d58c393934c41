"""``/reshaper``: inventories and the allocations against them, moved in one transaction."""


from nova.common.jsonutil import JsonObject
from nova.placement import errors, schema
from nova.placement.context import Context, Reply
from nova.placement.handlers import allocation, inventory
from nova.placement.objects import reshaper

_INVENTORIES = schema.keyed(schema.UUID, schema.obj({
    'resource_provider_generation': schema.GENERATION, 'inventories': inventory.EACH}))


def _body(allocations: JsonObject) -> JsonObject:
    return schema.obj({'inventories': _INVENTORIES, 'allocations': allocations})


BODY = schema.Versions({'1.30': _body(allocation.V1_28), '1.34': _body(allocation.V1_34),
                        '1.38': _body(allocation.V1_38)})


def reshape(ctx: Context) -> Reply:
    """Move inventories between resource providers along with their allocations."""
    plan: reshaper.Plan = {}
    for given, document in ctx.body['inventories'].items():
        uuid = allocation.normal(given, 'resource provider')
        if uuid in plan:
            raise errors.BadRequest(f'Resource provider {uuid} is named twice.')
        plan[uuid] = document['resource_provider_generation'], {
            name: inventory.parse(one, name, full_reserve=True)
            for name, one in document['inventories'].items()}
    reshaper.reshape(ctx.db, ctx.service.names, ctx.service.agents, plan,
                     allocation.changes(ctx, ctx.body['allocations']),
                     ctx.service.conf.placement.allocation_conflict_retry_count)
    return Reply(204)
