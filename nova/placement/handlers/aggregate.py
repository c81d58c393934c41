"""``/resource_providers/{uuid}/aggregates``."""

import datetime

import sqlalchemy as sa

from nova.common import clock, uuids
from nova.common.jsonutil import JsonObject
from nova.placement import errors, schema
from nova.placement.context import Context, Reply
from nova.placement.objects import aggregate, provider

_UUIDS = {'type': 'array', 'items': schema.UUID, 'uniqueItems': True}

BODY = schema.Versions({
    '1.1': _UUIDS,
    '1.19': schema.obj({'aggregates': _UUIDS, 'resource_provider_generation': schema.GENERATION}),
})


def _reply(ctx: Context, generation: int, members: list[str], modified: datetime.datetime) -> Reply:
    body: JsonObject = {'aggregates': members}
    if ctx.at('1.19'):
        body['resource_provider_generation'] = generation
    return Reply(body=body, modified=modified)


def index(ctx: Context, uuid: str) -> Reply:
    """List the aggregates of a resource provider."""
    with ctx.db.read() as connection:
        return _reply(ctx, *aggregate.of_provider(connection, uuid))


def replace(ctx: Context, uuid: str) -> Reply:
    """Replace the aggregates of a resource provider."""
    guarded = ctx.at('1.19')
    given = ctx.body['aggregates'] if guarded else ctx.body
    members = sorted({uuids.normal(member) or member for member in given})
    if len(members) != len(given):
        raise errors.BadRequest('The same aggregate is named twice.')

    def write(connection: sa.Connection) -> int:
        locked = provider.lock(connection, uuid)
        if guarded:
            locked.expect(ctx.body['resource_provider_generation'])
        aggregate.replace(connection, locked, set(members))
        (provider.bump if guarded else provider.touch)(connection, {locked.id})
        return locked.generation + guarded
    return _reply(ctx, ctx.write(write), members, clock.utcnow())
