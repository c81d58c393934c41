"""The Compute API as one WSGI callable: middleware, resources and rooms put together."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

import falcon
from oslo_config import cfg
from oslo_middleware import http_proxy_to_wsgi
from oslo_middleware import opts as middleware_opts

from nova import cells, objects, ops
from nova.api import (
    faults,
    finder,
    middleware,
    once,
    proxies,
    request,
    resources,
    versions,
    waits,
)
from nova.api.proxies import volumes_boot
from nova.common import auth, dbkit, folder, health, web
from nova.common import middleware as common
from nova.common.jsonutil import JsonObject
from nova.context import RequestContext
from nova.objects.step import HostStatus
from nova.policies import base as policies
from nova.policies import enforcer as enforcement
from nova.rest import urls
from nova.rest.dispatch import Dispatcher, NoRoute
from nova.rest.request import Query
from nova.rest.resource import Operation, Resource
from nova.rpc import conductor, host, questions, scheduler, transport

if TYPE_CHECKING:
    from nova.clients import Clients
    from nova.db.session import Databases


def operations() -> list[Operation]:
    """Everything that is served: the resources here, and the actions and resources of the rooms."""
    places = [*folder.modules(resources.__name__), *folder.modules(proxies.__name__), *ops.load()]
    kinds = folder.declared(places, Resource)
    served = [operation for kind in kinds for operation in kind().operations()]
    served += [kind().operation() for kind in ops.actions()]
    return [*served, *volumes_boot.aliases(served)]


def rules() -> list[policies.Rule]:
    """The policy rules that operations ask, by name."""
    found = {rule.name: rule for operation in operations()
             for rule in (operation.rule, *operation.rules) if rule}
    return [found[name] for name in sorted(found)]


def _register_opts(conf: cfg.ConfigOpts) -> None:
    for group, options in (*middleware_opts.list_opts_sizelimit(),
                           *middleware_opts.list_opts_http_proxy_to_wsgi()):
        conf.register_opts(options, group=group)


def _who(req: falcon.Request) -> tuple[str | None, str | None]:
    caller = getattr(req.context, 'caller', None)
    return (caller.user_id, caller.project_id) if caller else (None, None)


def make_app(conf: cfg.ConfigOpts, *, dbs: 'Databases', buses: transport.Buses, clients: 'Clients',
             enforcer: enforcement.Enforcer | None = None, waiting: waits.Waits | None = None,
             served: Iterable[Operation] | None = None) -> WSGIApplication:
    """The WSGI callable of nova-api.

    Args:
        conf: configuration, as `nova.conf.new` makes it.
        dbs, buses, clients: handles, which whoever starts the process makes and closes.
        enforcer: of policy; made from `conf` when absent.
        waiting: closed by whoever stops the process; made from `conf` when absent.
        served: `operations` when absent.
    """
    _register_opts(conf)
    services = _services(conf, dbs, buses, clients, waiting or waits.Waits(conf.api.max_waiting))
    policy = enforcer if enforcer is not None else enforcement.Enforcer(conf)

    def root(req: falcon.Request) -> str:
        override = conf.api.compute_link_prefix
        return override.rstrip('/') if override else req.scheme + '://' + req.netloc + req.context.place.mount

    kept = datetime.timedelta(hours=conf.api.idempotency_key_hours)
    gate = health.Gate(health.Probe('the API database', lambda: dbs.api.ping(), dbkit.CONNECT_TIMEOUT))

    def make_request(req: falcon.Request, operation: Operation, body: JsonObject | None, query: Query
                     ) -> request.Request:
        gate.enter()
        links = urls.Links(req.context.place, f'{req.scheme}://{req.netloc}', conf.api.compute_link_prefix)
        return request.Request(
            services, once=once.Once.of(req, operation, body, kept),
            last_event_id=req.get_header('Last-Event-ID'), context=req.context.caller,
            version=req.context.version, operation=operation, links=links, path=req.path, enforcer=policy,
            body=body, query=query)

    dispatcher = Dispatcher(operations() if served is None else served, make_request,
                            conf.oslo_middleware.max_request_body_size)
    keystone = conf.api.auth_strategy == 'keystone'
    app = web.application(faults.render, [
        common.RequestId('X-Compute-Request-Id', 'X-OpenStack-Request-ID'), common.RequestLog(_who),
        middleware.Entry(root),
        middleware.Authenticate(auth.from_keystone if keystone else auth.from_plain_token),
        middleware.Negotiate()], slash=NoRoute)
    dispatcher.mount(app)
    versions.Documents(lambda: dispatcher.operations, root).mount(app)
    whole = urls.mounted(app, dispatcher.roots() | {'versions', 'openapi.json'})
    if keystone:
        whole = auth.keystone(whole, conf)
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        whole = http_proxy_to_wsgi.HTTPProxyToWSGI(whole, conf)
    return whole


def _services(conf: cfg.ConfigOpts, dbs: 'Databases', buses: transport.Buses, clients: 'Clients',
              waiting: waits.Waits) -> request.Services:
    def wake(context: RequestContext, cell: objects.CellMapping | None, task: str, above: bool = False) -> None:
        bus = buses.top if above or cell is None or cell.is_cell0 else buses.cell(cell.transport_url)
        conductor.Conductor.client(bus).wake(
            context, objects.Wake(task=task, cell=cell.uuid if cell is not None else None))

    def tell_host(context: RequestContext, cell: objects.CellMapping, name: str, status: HostStatus) -> None:
        host.ComputeHost.client(buses.cell(cell.transport_url), name).set_status(context, status)

    def asked(cell: objects.CellMapping, name: str) -> questions.Questions:
        return questions.Questions.client(buses.cell(cell.transport_url), name)

    def select(context: RequestContext, wanted: objects.SelectRequest) -> objects.Selections:
        speaks = known.liveness(None).schedulers
        return scheduler.Scheduler.client(buses.top, speaks=speaks).select(context, wanted)

    known = cells.Cells(dbs, conf.api.cell_timeout, conf.service_down_time)
    return request.Services(conf, dbs, clients, finder.Finder(known), known, wake, tell_host, asked, select,
                            waiting)
