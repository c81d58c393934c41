"""The metadata service as one WSGI callable."""

from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

import falcon
from oslo_config import cfg

from nova import errors
from nova.api.metadata import servers, vendordata, who
from nova.common import middleware, problem, web
from nova.domain.instance_metadata import openstack, tree
from nova.domain.instance_metadata.subject import Subject

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.db.session import Databases

_LIMIT = 4096
"""Bytes of a password that is left; its own limit is lower."""


class Service:
    """The responders."""

    def __init__(self, asks: who.Who, found: servers.Servers) -> None:
        self._asks, self._servers = asks, found

    def get(self, req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        """A file, or the names below a path."""
        if req.path == '/healthcheck':
            _plain(resp, b'OK')
            return
        asker = self._asks.of(req)
        subject = self._subject(asker)
        if _is_password(req.path):
            _plain(resp, self._servers.password(asker.server).encode())
            return
        try:
            found = tree.find(subject, req.path)
        except tree.NoSuchPath:
            raise problem.NotFound() from None
        is_json = req.path.endswith('.json')
        _plain(resp, found, falcon.MEDIA_JSON if is_json else 'text/plain; charset=UTF-8')

    def post(self, req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        """A guest leaves its sealed password."""
        if not _is_password(req.path):
            raise problem.NotFound()
        asker = self._asks.of(req)
        self._subject(asker)
        if (req.content_length or 0) > _LIMIT:
            raise problem.TooLarge(f'More than {_LIMIT} bytes.')
        try:
            sealed = req.bounded_stream.read(_LIMIT + 1).decode('ascii')
        except UnicodeDecodeError:
            raise problem.BadRequest('The password is not sealed: it is no ASCII.') from None
        self._servers.leave_password(asker.server, sealed)

    def _subject(self, asker: who.Asker) -> Subject:
        try:
            subject = self._servers.subject(asker.server)
        except errors.server.ServerNotFound:
            raise problem.NotFound() from None
        if asker.project is not None and subject.instance.project_id != asker.project:
            raise problem.NotFound()
        return subject


def _is_password(path: str) -> bool:
    """``/openstack/<version>/password``, of the versions that have it."""
    parts = [part for part in path.split('/') if part]
    if len(parts) != 3 or parts[0] != 'openstack' or parts[2] != tree.PASSWORD:
        return False
    return parts[1] == 'latest' or (parts[1] in openstack.VERSIONS and parts[1] >= openstack.GRIZZLY)


def _plain(resp: falcon.Response, content: bytes, kind: str = 'text/plain; charset=UTF-8') -> None:
    resp.content_type = kind
    resp.data = content


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    resp.status = falcon.code_to_http_status(error.status)
    resp.content_type = falcon.MEDIA_TEXT
    resp.text = f'{error.status} {error.message}\n'


def make_app(conf: cfg.ConfigOpts, *, dbs: 'Databases', clients: 'Clients',
             operator: vendordata.Vendordata | None = None) -> WSGIApplication:
    """The WSGI callable of nova-api-metadata.

    Raises:
        Invalid: an option that it needs is missing or wrong.
    """
    own = dbs.main if conf.api.local_metadata_per_cell else None
    found = servers.Servers(conf, dbs, own, operator or vendordata.Vendordata(conf))
    service = Service(who.Who(conf, clients), found)
    app = web.application(_render, [middleware.RequestId('X-Compute-Request-Id'),
                                    middleware.RequestLog(lambda req: (None, None))])
    methods = {'GET': service.get, 'HEAD': service.get, 'POST': service.post, 'PUT': service.post}

    def sink(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        if req.method not in methods:
            raise problem.MethodNotAllowed()
        methods[req.method](req, resp, **fields)
    app.add_sink(sink, '/')
    return app
