"""Metadata items of servers."""

from collections.abc import Callable

from nova import errors, objects, states
from nova.api.request import Request
from nova.common import problem
from nova.common.jsonutil import JsonObject
from nova.policies import server_metadata as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Resource, delete, get, post, put
from nova.task import guard

_PATH = '/servers/{server_id}/metadata'
_FROM = guard.From(states.VM.ACTIVE, states.VM.PAUSED, states.VM.SUSPENDED, states.VM.STOPPED, task=guard.ANY)
_LOADS = ('metadata',)
_ALL = Body(metadata=Field(types.METADATA, required=True))
_ITEM = Body(meta=Field({**types.METADATA, 'minProperties': 1, 'maxProperties': 1}, required=True))


def _alter(req: Request, instance: objects.Instance, what: str,
           change: Callable[[dict[str, str]], dict[str, str]]) -> dict[str, str]:
    """Make the server's metadata ``change(metadata)``, if its state, its lock and the quota allow it."""
    _FROM.check_lock(instance, req.context)
    limit = req.limit('metadata_items')

    def alter(fresh: objects.Instance) -> None:
        _FROM.check(fresh, what)
        items = change(dict(fresh.metadata))
        if 0 <= limit < len(items):
            raise errors.server.LimitExceeded(f'Maximum number of metadata items exceeds {limit}')
        fresh.metadata = items
    return dict(req.change(instance, alter, loads=_LOADS).metadata)


def _one(items: dict[str, str], key: str) -> JsonObject:
    if key not in items:
        raise errors.server.MetadataItemNotFound()
    return {'meta': {key: items[key]}}


class ServerMetadata(Resource):

    @get(_PATH, rule=rules.INDEX, returns=types.OBJECT, loads=_LOADS)
    def index(self, req: Request, instance: objects.Instance) -> JsonObject:
        """List a server's metadata."""
        return {'metadata': dict(instance.metadata)}

    @post(_PATH, rule=rules.CREATE, body=_ALL, returns=types.OBJECT)
    def create(self, req: Request, instance: objects.Instance) -> JsonObject:
        """Add or change items."""
        return {'metadata': _alter(
            req, instance, 'update metadata', lambda had: {**had, **req.body['metadata']})}

    @put(_PATH, rule=rules.UPDATE_ALL, body=_ALL, returns=types.OBJECT)
    def replace(self, req: Request, instance: objects.Instance) -> JsonObject:
        """Replace all items."""
        return {'metadata': _alter(req, instance, 'update metadata', lambda had: req.body['metadata'])}

    @get(_PATH + '/{key}', rule=rules.SHOW, returns=types.OBJECT, loads=_LOADS)
    def show(self, req: Request, instance: objects.Instance, key: str) -> JsonObject:
        """Show an item."""
        return _one(instance.metadata, key)

    @put(_PATH + '/{key}', rule=rules.UPDATE, body=_ITEM, returns=types.OBJECT)
    def update(self, req: Request, instance: objects.Instance, key: str) -> JsonObject:
        """Add or change an item."""
        if key not in req.body['meta']:
            raise problem.BadRequest('Request body and URI mismatch')
        _alter(req, instance, 'update metadata', lambda had: {**had, **req.body['meta']})
        return {'meta': req.body['meta']}

    @delete(_PATH + '/{key}', rule=rules.DELETE, ok=204)
    def remove(self, req: Request, instance: objects.Instance, key: str) -> None:
        """Remove an item."""
        def without(had: dict[str, str]) -> dict[str, str]:
            _one(had, key)
            return {name: value for name, value in had.items() if name != key}
        _alter(req, instance, 'delete metadata', without)
