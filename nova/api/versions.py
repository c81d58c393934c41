"""What answers without a token: version documents, the OpenAPI document, the health check."""

from collections.abc import Callable, Mapping

import falcon

from nova.common import microversion, problem, web
from nova.common.jsonutil import JsonObject
from nova.common.microversion import V
from nova.rest import openapi, urls
from nova.rest.dispatch import NoRoute
from nova.rest.resource import Operation
from nova.schema import history

OPEN = frozenset({'/', '/versions', '/openapi.json', '/healthcheck'})
"""Paths without authentication; so is everything under /versions/."""

_LEGACY, _CURRENT = 'v2.0', 'v2.1'
_FOLDER = {_LEGACY: 'v2', _CURRENT: 'v2.1'}
_UPDATED = {_LEGACY: '2011-01-21T11:33:21Z', _CURRENT: history.UPDATED}


def is_open(path: str) -> bool:
    return path in OPEN or path.startswith('/versions/')


class VersionNotFound(problem.NotFound):
    code, template = 'version_not_found', 'There is no API version {version}.'


def _brief(name: str, root: str) -> JsonObject:
    current = name == _CURRENT
    return {
        'id': name, 'status': 'CURRENT' if current else 'DEPRECATED',
        'version': str(history.MAX) if current else '', 'min_version': str(history.MIN) if current else '',
        'updated': _UPDATED[name], 'links': [{'rel': 'self', 'href': f'{root}/{_FOLDER[name]}/'}]}


def _media(name: str) -> list[dict[str, str]]:
    return [{'base': 'application/json',
             'type': f'application/vnd.openstack.compute+json;version={name[1:] if name == _CURRENT else "2"}'}]


def every(root: str) -> JsonObject:
    """All versions, for clients that look around."""
    return {'versions': [_brief(name, root) for name in (_LEGACY, _CURRENT)]}


def one(name: str, root: str) -> JsonObject:
    """One version in full.

    Raises:
        VersionNotFound: there is no version of this name.
    """
    if name not in _FOLDER:
        raise VersionNotFound(version=name)
    whole = _brief(name, root)
    whole['links'].append(
        {'rel': 'describedby', 'type': 'text/html', 'href': 'https://docs.openstack.org/api-ref/compute/'})
    return {'version': {**whole, 'media-types': _media(name)}}


def choices(root: str, path: str) -> JsonObject:
    """What to answer (as 300) to a path without a version."""
    return {'choices': [
        {'id': name, 'status': _brief(name, root)['status'], 'media-types': _media(name),
         'links': [{'rel': 'self', 'href': f'{root}/{_FOLDER[name]}{path}'}]} for name in (_CURRENT, _LEGACY)]}


class Documents:
    """The responders of the open paths.

    Args:
        operations: asked for when an OpenAPI document is.
        root: scheme, authority and mount point of a request.
    """

    def __init__(self, operations: Callable[[], list[Operation]],
                 root: Callable[[falcon.Request], str]) -> None:
        self._operations = operations
        self._root = root
        self._built: dict[V, Mapping[str, object]] = {}

    def mount(self, app: falcon.App) -> None:
        for path, responder in (('/', self.top), ('/versions', self.top), ('/versions/{name}', self.one),
                                ('/openapi.json', self.openapi), ('/healthcheck', self.health)):
            web.route(app, path, {'GET': responder, 'HEAD': responder})
        app.add_sink(self.other, '/')

    def top(self, req: falcon.Request, resp: falcon.Response) -> None:
        place: urls.Place = req.context.place
        if not place.prefix or req.path == '/versions':
            web.send(resp, every(self._root(req)))
        else:
            web.send(resp, one(_LEGACY if place.legacy else _CURRENT, self._root(req)))

    def one(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        web.send(resp, one(name, self._root(req)))

    def other(self, req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        """Any path that no route has."""
        raise NoRoute()

    def health(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The process serves; that is all a load balancer should take a worker out for."""
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = 'OK'

    def openapi(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The document of ``?version=``, the newest by default."""
        asked = req.get_param('version') or 'latest'
        version = microversion.negotiate(lambda name: f'compute {asked}', 'compute', history.MIN, history.MAX)
        if version not in self._built:
            self._built[version] = openapi.build(self._operations(), version, 'Compute')
        web.send(resp, self._built[version])
