"""The Placement service as a WSGI application.

A request passes, from outside in: CORS (if configured), keystonemiddleware (unless noauth2), request id, log,
caller, microversion, and then the handler that the route table names.
"""

import dataclasses
import functools
import logging
from typing import cast
from urllib import parse
from wsgiref.types import WSGIApplication

import falcon
import sqlalchemy as sa
from falcon import constants
from oslo_config import cfg
from oslo_db import exception as db_exc
from oslo_middleware import cors

from nova.common import auth, dbkit, health, jsonutil, microversion, middleware, problem, uuids, web
from nova.common.jsonutil import JsonObject
from nova.placement import cache, errors, history, policy, routes
from nova.placement import conf as options
from nova.placement.candidates.search import Searcher
from nova.placement.context import Context, Reply, Service
from nova.placement.db import session
from nova.placement.objects import allocation, provider, together
from nova.placement.routes import Route
from nova.placement.schema import V, Versions

LOG = logging.getLogger(__name__)

BODY_LIMIT = 32 * 1024 * 1024
"""A reshape of a large tree is by far the largest body there is."""

_CACHE_HEADERS = V('1.15')


class Caller:
    """Finds out who calls; only open paths go without."""

    def __init__(self, noauth: bool) -> None:
        self._identify = (functools.partial(auth.from_plain_token, roles_of_admin=('admin', 'service'))
                          if noauth else auth.from_keystone)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.identity = None
        if req.path not in routes.OPEN_PATHS:
            req.context.identity = self._identify(req.env)


def _who(req: falcon.Request) -> tuple[str | None, str | None]:
    identity = getattr(req.context, 'identity', None)
    return (identity.user_id, identity.project_id) if identity else (None, None)


class Readiness:
    """Makes the database ready before the first request that needs it, and again until that is done.

    A service may so be started before its database; until then requests are answered with 503.
    """

    def __init__(self, db: dbkit.Database, conf: cfg.ConfigOpts) -> None:
        self._db = db
        self._sync = session.sync if conf.placement_database.sync_on_startup else session.sync_names
        self._gate = health.Gate(health.Probe('the database', self._prepare, dbkit.CONNECT_TIMEOUT))

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        if req.path not in routes.OPEN_PATHS:
            self._gate.enter()

    def _prepare(self) -> None:
        try:
            self._sync(self._db)
        except (db_exc.DBError, sa.exc.SQLAlchemyError, session.NotOurs) as error:
            LOG.error('The service is not ready: %s',
                      error if isinstance(error, session.NotOurs) else dbkit.reason(error))
            raise


class Microversion:
    """Chooses the microversion, and names it in the answer."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.append_header('Vary', microversion.HEADER)
        req.context.microversion = microversion.negotiate(
            req.get_header, history.SERVICE, history.MIN, history.MAX, zero=True)
        resp.set_header(microversion.HEADER, f'{history.SERVICE} {req.context.microversion}')


class Dispatch:
    """All routes of one path."""

    def __init__(self, service: Service, entries: list[Route]) -> None:
        self._service = service
        self._by_method: dict[str, list[Route]] = {}
        for route in entries:
            self._by_method.setdefault(route.method, []).append(route)
        self._allow = ', '.join(sorted(self._by_method))

    def responders(self) -> dict[str, web.Responder]:
        """A responder for every method there is, so that unknown ones are refused with our Allow header."""
        return {method: self for method in constants.COMBINED_METHODS if method != 'WEBSOCKET'}

    def __call__(self, req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        version: V = req.context.microversion
        route = self._route(req.method, version)
        _check_headers(req, route, version)
        ctx = Context(self._service, req, req.context.identity, version,
                      parse.parse_qs(req.query_string, keep_blank_values=True))
        _check_text(ctx.query, fields)
        if not route.of_project:
            self._authorize(ctx, route)
        if route.query is not None:
            route.query.check({key: values[-1] for key, values in ctx.query.items()}, version, 'query')
        if route.of_project:
            self._authorize(ctx, route, {'project_id': ctx.last('project_id')})
        if 'uuid' in fields:
            fields['uuid'] = uuids.normal(fields['uuid']) or fields['uuid']
        if route.body is not None:
            ctx = dataclasses.replace(ctx, body=self._body(ctx, route.body, fields.get('uuid')))
        _send(resp, route.handler(ctx, **fields), version)

    def _body(self, ctx: Context, schema: Versions, uuid: str | None) -> JsonObject:
        """The document of a request.

        Args:
            uuid: of the provider that the path names.

        Raises:
            ProviderNotFound: rather than telling what is wrong with a body for a provider that is not there.
            TooLarge, BadRequest: it is not as it should be.
        """
        try:
            document = web.body(ctx.req, BODY_LIMIT)
            schema.check(document, ctx.version, 'request body')
            if web.has_nul(document):
                raise errors.BadRequest('The request body has a NUL character.')
        except problem.BadRequest:
            if uuid is not None:
                with ctx.db.read() as connection:
                    provider.get(connection, uuid)
            raise
        return document

    def _route(self, method: str, version: V) -> Route:
        """The entry that serves.

        Raises:
            MethodNotAllowed: the path does not know the method (yet).
            NotFound: the microversion does not know the path (yet).
        """
        found = self._by_method.get(method)
        if found is not None:
            for route in found:
                if route.serves(version):
                    return route
            if not any(route.serves(version) for entries in self._by_method.values() for route in entries):
                raise problem.NotFound()
        raise problem.MethodNotAllowed(headers={'Allow': self._allow})

    def _authorize(self, ctx: Context, route: Route, target: JsonObject | None = None) -> None:
        if route.rule is not None:
            ctx.authorize(policy.name_of(route.rule), target)


def _check_headers(req: falcon.Request, route: Route, version: V) -> None:
    if (req.content_length or 0) > 0 and not req.content_type:
        raise errors.BadRequest('A request with a body must have a Content-Type header.')
    if route.body is not None:
        media = (req.content_type or '').partition(';')[0].strip().lower()
        if media != 'application/json':
            raise problem.UnsupportedMedia(f'The media type {media or None} is not supported, use '
                                           f'application/json.')
    if route.method == 'GET' and not req.client_accepts('application/json'):
        raise problem.NotAcceptable('Only application/json is provided.')


def _check_text(query: dict[str, list[str]], fields: dict[str, str]) -> None:
    """No text of ours has a NUL in it, and not every database could be asked for one."""
    if any('\0' in value for value in fields.values()):
        raise problem.NotFound()
    if any('\0' in text for key, values in query.items() for text in (key, *values)):
        raise errors.BadRequest('The query has a NUL character.')


def _send(resp: falcon.Response, reply: Reply, version: V) -> None:
    resp.status = falcon.code_to_http_status(reply.status)
    if reply.body is not None:
        resp.content_type = falcon.MEDIA_JSON
        resp.data = reply.body if isinstance(reply.body, bytes) else jsonutil.dumps(reply.body)
    resp.set_headers(reply.headers)
    if reply.location is not None:
        resp.set_header('Location', reply.location)
    if reply.modified is not None and version >= _CACHE_HEADERS:
        resp.last_modified = reply.modified
        resp.cache_control = ['no-cache']


def make_service(conf: cfg.ConfigOpts, db: dbkit.Database) -> Service:
    """The handles of one application."""
    placement, names, agents = conf.placement, cache.Names(db), cache.Agents(db)
    claims = together.Together[allocation.Change](
        lambda changes: allocation.claim(db, names, agents, changes),
        lambda change: allocation.write(db, names, agents, [change], placement.allocation_conflict_retry_count))
    return Service(
        conf=conf, db=db, rules=policy.rules(conf), names=names, agents=agents, claims=claims,
        searcher=Searcher(db, max_candidates=placement.max_allocation_candidates,
                          strategy=placement.allocation_candidates_generation_strategy,
                          randomize=placement.randomize_allocation_candidates))


def make_app(conf: cfg.ConfigOpts, db: dbkit.Database | None = None) -> WSGIApplication:
    """Build the WSGI application.

    Args:
        conf: parsed configuration; our options are registered here if they are not yet.
        db: by default the one that ``[placement_database]`` names. It is made ready when the first request
            needs it.

    Raises:
        NotConfigured: neither says where the database is.
    """
    options.register_opts(conf)
    db = db or session.open_database(conf)
    return serve(make_service(conf, db))


def serve(service: Service) -> WSGIApplication:
    """Put the middleware stack around the routes."""
    conf = service.conf
    noauth = conf.api.auth_strategy == 'noauth2'
    app = web.application(errors.render, [
        middleware.RequestId('x-openstack-request-id'), middleware.RequestLog(_who), Caller(noauth),
        Microversion(), Readiness(service.db, conf)])
    app.resp_options.default_media_type = cast(str, None)  # what has no body has no type
    by_path: dict[str, list[Route]] = {}
    for route in routes.COMPLETE:
        by_path.setdefault(route.path, []).append(route)
    for path, entries in by_path.items():
        web.route(app, path, Dispatch(service, entries).responders())
    stack: WSGIApplication = app if noauth else auth.keystone(app, conf)
    conf.register_opts(cors.OPTS, 'cors')
    return cors.CORS(stack, conf) if conf.cors.allowed_origin else stack
