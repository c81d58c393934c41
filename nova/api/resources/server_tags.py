"""Tags of servers."""

from collections.abc import Callable

from nova import errors, objects, states
from nova.api.request import Request
from nova.common import jsonschema
from nova.common.jsonutil import JsonObject
from nova.policies import server_tags as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Reply, Resource, delete, get, put
from nova.task import guard

_PATH = '/servers/{server_id}/tags'
_MOST = 50
_FROM = guard.From(states.VM.ACTIVE, states.VM.PAUSED, states.VM.SUSPENDED, states.VM.STOPPED, task=guard.ANY,
                   launched=False, lock=False)
_TAG = jsonschema.Validator(dict(types.TAG))
_TAGS = ('tags',)


def _alter(req: Request, instance: objects.Instance, what: str, change: Callable[[set[str]], set[str]]
           ) -> list[str]:
    """Make the server's tags ``change(tags)``, if its state allows it."""
    def alter(fresh: objects.Instance) -> None:
        _FROM.check(fresh, what)
        fresh.tags = sorted(change(set(fresh.tags)))
    return list(req.change(instance, alter, loads=_TAGS).tags)


class ServerTags(Resource):

    @get(_PATH, since='2.26', rule=rules.INDEX, returns=types.OBJECT, loads=_TAGS)
    def index(self, req: Request, instance: objects.Instance) -> JsonObject:
        """List a server's tags."""
        return {'tags': list(instance.tags)}

    @put(_PATH, since='2.26', rule=rules.UPDATE_ALL, returns=types.OBJECT,
         body=Body(tags=Field(types.array(types.TAG, high=_MOST), required=True)))
    def replace(self, req: Request, instance: objects.Instance) -> JsonObject:
        """Replace all tags of a server."""
        return {'tags': _alter(req, instance, 'update tags', lambda tags: set(req.body['tags']))}

    @delete(_PATH, since='2.26', rule=rules.DELETE_ALL, ok=204)
    def clear(self, req: Request, instance: objects.Instance) -> None:
        """Remove all tags of a server."""
        _alter(req, instance, 'delete tags', lambda tags: set())

    @get(_PATH + '/{tag}', since='2.26', rule=rules.SHOW, ok=204, loads=_TAGS)
    def show(self, req: Request, instance: objects.Instance, tag: str) -> None:
        """Ask whether a server has a tag."""
        if tag not in instance.tags:
            raise errors.server.TagNotFound(server=instance.uuid, tag=tag)

    @put(_PATH + '/{tag}', since='2.26', rule=rules.UPDATE, ok=201, also=204, loads=_TAGS)
    def add(self, req: Request, instance: objects.Instance, tag: str) -> Reply:
        """Put a tag on a server."""
        _TAG.check(tag)

        had: list[bool] = []

        def with_it(tags: set[str]) -> set[str]:
            had.append(tag in tags)
            if len(tags | {tag}) > _MOST:
                raise errors.Invalid(f'The number of tags exceeded the per-server limit {_MOST}')
            return tags | {tag}
        _alter(req, instance, 'update tag', with_it)
        if had[-1]:
            return Reply(status=204)
        return Reply(headers={'Location': req.links.self('servers', instance.uuid, 'tags', tag)})

    @delete(_PATH + '/{tag}', since='2.26', rule=rules.DELETE, ok=204)
    def remove(self, req: Request, instance: objects.Instance, tag: str) -> None:
        """Take a tag off a server."""
        def without(tags: set[str]) -> set[str]:
            if tag not in tags:
                raise errors.server.TagNotFound(server=instance.uuid, tag=tag)
            return tags - {tag}
        _alter(req, instance, 'delete tag', without)
