"""``/allocations`` and ``/resource_providers/{uuid}/allocations``."""


from nova.common import clock, problem, uuids
from nova.common.jsonutil import JsonObject
from nova.placement import errors, schema
from nova.placement.context import Context, Reply
from nova.placement.objects import allocation, consumer
from nova.placement.objects.allocation import Change

_RESOURCES = schema.keyed(schema.NAME,
                          {'type': 'integer', 'minimum': 1}, minProperties=1)
_LISTED = {'type': 'array', 'minItems': 1, 'items': schema.obj({
    'resource_provider': schema.obj({'uuid': schema.UUID}), 'resources': _RESOURCES})}
_KEYED = schema.keyed(
    schema.UUID, schema.obj({'generation': schema.GENERATION, 'resources': _RESOURCES},
                            optional=('generation',)))
_MAPPINGS = schema.keyed({'type': 'string', 'pattern': '^([a-zA-Z0-9_-]{1,64})?$',
                           'description': 'the suffix of a request group'},
                         {'type': 'array', 'items': schema.UUID, 'minItems': 1}, minProperties=1)
_TYPE = {**schema.NAME, 'minLength': 1, 'maxLength': 255}
_OWNER: JsonObject = {'project_id': schema.AGENT, 'user_id': schema.AGENT}
_GENERATION: JsonObject = {'consumer_generation': {'type': ['integer', 'null']}}

_V1_28: JsonObject = {'allocations': _KEYED, **_OWNER, **_GENERATION}
_V1_34: JsonObject = {**_V1_28, 'mappings': _MAPPINGS}
_V1_38: JsonObject = {**_V1_34, 'consumer_type': _TYPE}

REPLACE = schema.Versions({
    '1.0': schema.obj({'allocations': _LISTED}),
    '1.8': schema.obj({'allocations': _LISTED, **_OWNER}),
    '1.12': schema.obj({'allocations': {**_KEYED, 'minProperties': 1}, **_OWNER}),
    '1.28': schema.obj(_V1_28),
    '1.34': schema.obj(_V1_34, optional=('mappings',)),
    '1.38': schema.obj(_V1_38, optional=('mappings',)),
})

V1_28 = schema.keyed(schema.UUID, schema.obj(_V1_28))
V1_34 = schema.keyed(schema.UUID, schema.obj(_V1_34, optional=('mappings',)))
V1_38 = schema.keyed(schema.UUID, schema.obj(_V1_38, optional=('mappings',)))
"""Allocations of several consumers; the reshaper takes them too."""

MANAGE = schema.Versions({
    '1.13': schema.keyed(schema.UUID, schema.obj({'allocations': _KEYED, **_OWNER}), minProperties=1),
    '1.28': {**V1_28, 'minProperties': 1},
    '1.34': {**V1_34, 'minProperties': 1},
    '1.38': {**V1_38, 'minProperties': 1},
})

MOST = 50_000
"""Amounts, one of a consumer, a provider and a class each, that one request may allocate: it holds the rows of
its providers, and others wait, until all are written (a few seconds)."""

UNKNOWN_TYPE = 'unknown'
"""Shown for consumers without a type."""


def normal(uuid: str, what: str) -> str:
    """Dashed form of a uuid of a path or body.

    Raises:
        BadRequest: it is none.
    """
    found = uuids.normal(uuid)
    if found is None:
        raise errors.BadRequest(f'Malformed {what} uuid: {uuid}.')
    return found


def _wanted(given: JsonObject | list[JsonObject]) -> dict[str, dict[str, int]]:
    pairs = ([(item['resource_provider']['uuid'], item['resources']) for item in given]
             if isinstance(given, list) else [(uuid, item['resources']) for uuid, item in given.items()])
    wanted: dict[str, dict[str, int]] = {}
    for uuid, resources in pairs:
        key = normal(uuid, 'resource provider')
        if key in wanted:
            raise errors.BadRequest(f'Resource provider {key} is named twice.')
        wanted[key] = {name: int(amount) for name, amount in resources.items()}
    return wanted


def change(ctx: Context, uuid: str, document: JsonObject) -> Change:
    """Read what a body says about one consumer."""
    conf = ctx.service.conf.placement
    return Change(
        uuid=normal(uuid, 'consumer'), wanted=_wanted(document['allocations']),
        project=document.get('project_id', conf.incomplete_consumer_project_id),
        user=document.get('user_id', conf.incomplete_consumer_user_id),
        type_name=document.get('consumer_type'), stands_in='project_id' not in document,
        guarded='consumer_generation' in document, generation=document.get('consumer_generation'))


def changes(ctx: Context, documents: JsonObject) -> list[Change]:
    """Read what a body says about several consumers."""
    found = [change(ctx, uuid, document) for uuid, document in documents.items()]
    if len({one.uuid for one in found}) != len(found):
        raise errors.BadRequest('A consumer is named twice.')
    amounts = sum(len(resources) for one in found for resources in one.wanted.values())
    if amounts > MOST:
        raise problem.TooLarge(f'The request allocates {amounts} amounts, and one request may allocate {MOST}. '
                               f'Divide it.')
    return found


def _write(ctx: Context, wanted: list[Change]) -> None:
    if len(wanted) == 1 and wanted[0].is_claim:
        ctx.service.claims(wanted[0].uuid, wanted[0])
        return
    allocation.write(ctx.db, ctx.service.names, ctx.service.agents, wanted,
                     ctx.service.conf.placement.allocation_conflict_retry_count)


def show(ctx: Context, consumer_uuid: str) -> Reply:
    """Show the allocations of a consumer."""
    with ctx.db.read() as connection:
        one = consumer.show(connection, uuids.normal(consumer_uuid) or consumer_uuid)
        names = ctx.service.names.within(connection)
    if one is None:
        return Reply(body={'allocations': {}}, modified=clock.utcnow())
    held: dict[str, dict[int, int]] = {}
    for item in one.holdings:
        held.setdefault(item.provider_uuid, {})[item.class_id] = item.used
    generations = {item.provider_uuid: item.provider_generation for item in one.holdings}
    body: JsonObject = {'allocations': {
        uuid: {'generation': generations[uuid], 'resources': resources}
        for uuid, used in held.items() if (resources := names.by_class(used))}}
    if ctx.at('1.12'):
        body.update(project_id=one.project, user_id=one.user)
    if ctx.at('1.28'):
        body['consumer_generation'] = one.generation
    if ctx.at('1.38'):
        body['consumer_type'] = one.type_name or UNKNOWN_TYPE
    return Reply(body=body, modified=one.modified)


def replace(ctx: Context, consumer_uuid: str) -> Reply:
    """Replace the allocations of a consumer."""
    _write(ctx, changes(ctx, {consumer_uuid: ctx.body}))
    return Reply(204, modified=clock.utcnow())


def manage(ctx: Context) -> Reply:
    """Replace the allocations of several consumers, all or none."""
    _write(ctx, changes(ctx, ctx.body))
    return Reply(204, modified=clock.utcnow())


def delete(ctx: Context, consumer_uuid: str) -> Reply:
    """Drop the allocations of a consumer."""
    uuid = uuids.normal(consumer_uuid) or consumer_uuid
    if not allocation.delete(ctx.db, uuid, ctx.service.conf.placement.allocation_conflict_retry_count):
        raise errors.NotFound(f'No allocations for consumer {consumer_uuid}.')
    return Reply(204)


def of_provider(ctx: Context, uuid: str) -> Reply:
    """Show the allocations against a resource provider."""
    with ctx.db.read() as connection:
        found = allocation.of_provider(connection, uuid)
        names = ctx.service.names.within(connection)
    held: dict[str, dict[int, int]] = {}
    for consumer_uuid, _, class_id, used in found.rows:
        held.setdefault(consumer_uuid, {})[class_id] = used
    generations = {row[0]: {'consumer_generation': row[1]} for row in found.rows} if ctx.at('1.28') else {}
    return Reply(body={
        'resource_provider_generation': found.generation,
        'allocations': {uuid: {'resources': resources, **generations.get(uuid, {})}
                        for uuid, used in held.items() if (resources := names.by_class(used))},
    }, modified=clock.utcnow())
