"""``/usages`` and ``/resource_providers/{uuid}/usages``."""


from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.placement import schema
from nova.placement.context import Context, Reply
from nova.placement.objects import usage
from nova.placement.objects.usage import OfType

_V1_9: JsonObject = {'project_id': schema.AGENT, 'user_id': schema.AGENT}

QUERY = schema.Versions({
    '1.9': schema.obj(_V1_9, optional=('user_id',)),
    '1.38': schema.obj({**_V1_9, 'consumer_type': schema.AGENT}, optional=('user_id', 'consumer_type')),
})

ALL, UNKNOWN = 'all', 'unknown'
"""Not consumer types, but what may be asked for in their place; types are upper case."""


def of_provider(ctx: Context, uuid: str) -> Reply:
    """Show what is used of a resource provider."""
    with ctx.db.read() as connection:
        found = usage.of_provider(connection, uuid)
        names = ctx.service.names.within(connection)
    return Reply(body={'resource_provider_generation': found.generation, 'usages': names.by_class(found.used)},
                 modified=clock.utcnow())


def of_project(ctx: Context) -> Reply:
    """Show what a project uses."""
    project, user = ctx.last('project_id') or '', ctx.last('user_id')
    with ctx.db.read() as connection:
        if not ctx.at('1.38'):
            used = usage.of_project(connection, project, user)
            names = ctx.service.names.within(connection)
            return Reply(body={'usages': names.by_class(used)}, modified=clock.utcnow())
        groups = usage.by_type(connection, project, user)
        names = ctx.service.names.within(connection)
    asked = ctx.last('consumer_type')
    if asked == ALL:
        groups = _together(groups)
    elif asked is not None:
        groups = [group for group in groups if (group.type_name or UNKNOWN) == asked]
    body = {group.type_name or UNKNOWN: {'consumer_count': group.consumers, **names.by_class(group.used)}
            for group in groups}
    return Reply(body={'usages': body}, modified=clock.utcnow())


def _together(groups: list[OfType]) -> list[OfType]:
    if not groups:
        return []
    used: dict[int, int] = {}
    for group in groups:
        for class_id, amount in group.used.items():
            used[class_id] = used.get(class_id, 0) + amount
    return [OfType(ALL, sum(group.consumers for group in groups), used)]
