"""Servers: listing and showing them. Everything that changes one is a room of `nova.ops`."""

from collections.abc import Callable

from nova import objects
from nova.api import server_filters
from nova.api.finder import CellUnreachable
from nova.api.request import Request
from nova.api.server_look import needs_of_page
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.listing.servers import Stub, list_servers
from nova.policies import base as policies
from nova.policies import servers as rules
from nova.rest.resource import Many, One, Page, Reply, Resource, get
from nova.schema.server import Server
from nova.schema.server.query import ServerQuery

_SEEN = (rules.EXTENDED_ATTRIBUTES, rules.SHOW_HOST_STATUS, rules.SHOW_HOST_STATUS_UNKNOWN_ONLY,
         rules.SHOW_FLAVOR_EXTRA_SPECS)


class Servers(Resource):

    @get('/servers', rule=rules.INDEX, rules=(rules.ALLOW_ALL_FILTERS, rules.INDEX_GET_ALL_TENANTS),
         query=ServerQuery, strict='2.75', returns=Many('servers', Server, 'list'))
    def index(self, req: Request) -> Page:
        """List servers."""
        return _page(req, rules.INDEX_GET_ALL_TENANTS, _brief_stub)

    @get('/servers/detail', rule=rules.DETAIL,
         rules=(rules.ALLOW_ALL_FILTERS, rules.DETAIL_GET_ALL_TENANTS, *_SEEN),
         query=ServerQuery, strict='2.75', returns=Many('servers', Server, 'detail'))
    def detail(self, req: Request) -> Page:
        """List servers with details."""
        return _page(req, rules.DETAIL_GET_ALL_TENANTS, _detailed_stub)

    @get('/servers/{server_id}', server=False, rules=(rules.SHOW, *_SEEN), returns=One('server', Server))
    def show(self, req: Request, server_id: str) -> Reply:
        """Show a server."""
        try:
            instance = req.server(server_id)
        except CellUnreachable as error:
            if not req.at('2.69'):
                raise
            req.authorize(rules.SHOW, _target(error.mapping))
            return Reply(body={'server': _shown_stub(req, error.mapping)})
        req.authorize(rules.SHOW, _target(instance))
        return Reply(subject=instance, look=req.server_look(instance))


def _target(owned: objects.Instance | objects.InstanceMapping) -> JsonObject:
    return {'project_id': owned.project_id, 'user_id': owned.user_id}


def _page(req: Request, all_tenants_rule: policies.Rule, stub: Callable[[Request, Stub], JsonObject]) -> Page:
    wanted = server_filters.read(req, all_tenants_rule)
    limit, marker = req.paging()
    if wanted.nothing:
        return Page([])
    stubs = wanted.plain and req.at('2.69')
    found = list_servers(
        req.dbs, req.conf, wanted.filters, wanted.sort or (('created_at', 'desc'),), limit, marker,
        needs_of_page(req), stubs)
    more = found.rows[-1].uuid if found.rows and len(found.rows) == limit else None
    return Page(found.rows, marker=more, look=req.page_look(found),
                stubs=[stub(req, server) for server in found.stubs])


def _brief_stub(req: Request, server: Stub) -> JsonObject:
    return {'id': server.uuid, 'status': 'UNKNOWN', 'links': req.links.of('servers', server.uuid)}


def _detailed_stub(req: Request, server: Stub) -> JsonObject:
    return {**_brief_stub(req, server), 'tenant_id': server.project_id,
            'created': clock.isotime(server.created_at)}


def _shown_stub(req: Request, mapping: objects.InstanceMapping) -> JsonObject:
    """What is known of a server whose cell cannot be asked: its mapping and its request spec."""
    uuid = mapping.instance_uuid
    with req.dbs.api.read() as conn:
        spec = objects.RequestSpec.find(conn, instance_uuid=uuid)
        group = objects.InstanceGroup.of_instance(conn, uuid)
    flavor, image = (spec.flavor, spec.image) if spec else (None, None)
    shown: JsonObject = {
        'id': uuid, 'status': 'UNKNOWN', 'tenant_id': mapping.project_id, 'user_id': mapping.user_id,
        'created': clock.isotime(mapping.created_at), 'links': req.links.of('servers', uuid),
        'OS-EXT-AZ:availability_zone': (spec.availability_zone if spec else None) or 'UNKNOWN',
        'OS-EXT-STS:power_state': 0, 'image': '', 'flavor': {}}
    if image is not None and image.id:
        shown['image'] = {'id': image.id, 'links': [
            {'rel': 'bookmark', 'href': req.links.bookmark('images', image.id)}]}
    if flavor is not None:
        shown['flavor'] = {
            'vcpus': flavor.vcpus, 'ram': flavor.memory_mb, 'disk': flavor.root_gb, 'swap': flavor.swap,
            'ephemeral': flavor.ephemeral_gb, 'original_name': flavor.name}
        if req.can(rules.SHOW_FLAVOR_EXTRA_SPECS):
            shown['flavor']['extra_specs'] = flavor.extra_specs
    if req.at('2.71'):
        shown['server_groups'] = [group.uuid] if group else []
    return shown
