"""Neutron v2.0, as far as a compute service and its users' clients need it: the routes over the nouns beside.

Networks, subnets, routers and floating addresses are in `subnets`, ports in `ports`, security groups in
`secgroups`.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import TypeVar

import falcon

from nova.common import problem, web
from nova.sandbox import netkinds as n
from nova.sandbox import plugging, qos, secgroups, service, store, subnets
from nova.sandbox.ports import Ports
from nova.sandbox.store import Document, Kind, Rows
from nova.sandbox.telling import Telling

T = TypeVar('T')

_OPEN = re.compile(r'/')
_EXTENSIONS = {
    'address-scope': 'Address scope', 'allowed-address-pairs': 'Allowed Address Pairs',
    'availability_zone': 'Availability Zone', 'binding': 'Port Binding',
    'binding-extended': 'Port Bindings Extended', 'default-subnetpools': 'Default Subnetpools',
    'external-net': 'Neutron external network', 'extra_dhcp_opt': 'Neutron Extra DHCP options',
    'net-mtu': 'Network MTU', 'net-mtu-writable': 'Network MTU (writable)',
    'network_availability_zone': 'Network Availability Zone', 'pagination': 'Pagination support',
    'port-resource-request': 'Port Resource Request',
    'port-resource-request-groups': 'Port Resource Request Groups',
    'port-security': 'Port Security', 'project-id': 'project_id field enabled', 'provider': 'Provider Network',
    'qos': 'Quality of Service', 'qos-bw-minimum-ingress': 'Ingress direction for QoS minimum bandwidth rule',
    'qos-port-network-policy': 'QoS Port Network Policy', 'qos-pps-minimum': 'QoS minimum packet rate rule',
    'quotas': 'Quota management support', 'quota_details': 'Quota details management support',
    'router': 'Neutron L3 Router', 'security-group': 'security-group',
    'sorting': 'Sorting support', 'standard-attr-description': 'standard-attr-description',
    'standard-attr-revisions': 'Resource revision numbers', 'standard-attr-tag': 'Tag support',
    'standard-attr-timestamp': 'Resource timestamps', 'stateful-security-group': 'Stateful security group',
    'subnet-service-types': 'Subnet service types', 'dns-integration': 'DNS Integration',
    'ip-substring-filtering': 'IP address substring filtering',
    'tag-ports-during-bulk-creation': 'Tag Ports During Bulk Creation',
}
_QUOTAS = {'network': 100, 'subnet': 100, 'port': 500, 'router': 10, 'floatingip': 50, 'security_group': 10,
           'security_group_rule': 100, 'subnetpool': -1, 'rbac_policy': 10}
_NOT_FILTERS = frozenset({'fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir', 'tags',
                          'tags-any', 'not-tags', 'not-tags-any', 'fixed_ips', 'ip_address_substr'})
_ADMIN_FIELDS = re.compile(r'provider:.*|binding:(host_id|profile|vif_type|vif_details)|resource_request')


_SHAPE = service.shape(
    text='name description project_id tenant_id network_id device_id device_owner mac_address dns_name '
         'dns_domain cidr gateway_ip floating_network_id floating_ip_address fixed_ip_address port_id '
         'subnet_id direction ethertype remote_ip_prefix remote_group_id security_group_id '
         'binding:host_id binding:vnic_type qos_policy_id device_profile provider:network_type '
         'provider:physical_network ipv6_address_mode ipv6_ra_mode',
    flags='admin_state_up shared router:external is_default port_security_enabled enable_dhcp stateful '
          'distributed ha dns_publish_fixed_ip',
    integers='mtu ip_version port_range_min port_range_max provider:segmentation_id',
    texts='tags security_groups dns_nameservers availability_zone_hints service_types',
    objects='fixed_ips allocation_pools host_routes allowed_address_pairs extra_dhcp_opts routes',
    mappings='binding:profile external_gateway_info')


@dataclasses.dataclass(frozen=True)
class Noun:
    """A kind of resource as routes need it."""

    kind: Kind
    plural: str
    missing: type[problem.Problem]
    create: Callable[[Rows, service.Caller, str, Document], Document]
    update: Callable[[Rows, service.Caller, Document, Document], Document] | None
    delete: Callable[[Rows, service.Caller, Document], None]
    shown: Callable[[Rows, Document], Document] = lambda rows, document: document
    path: str | None = None
    """Where it is, unless its plural says so."""


def _render(req: falcon.Request, resp: falcon.Response, error: problem.Problem) -> None:
    resp.set_headers(error.headers)
    if error.status == 401:
        web.send(resp, {'error': {'code': 401, 'title': 'Unauthorized', 'message': error.message}}, 401)
        return
    name = error.code if error.code[:1].isupper() else {
        400: 'HTTPBadRequest', 403: 'PolicyNotAuthorized', 404: 'HTTPNotFound', 409: 'HTTPConflict',
    }.get(error.status, 'HTTPInternalServerError')
    web.send(resp, {'NeutronError': {'type': name, 'message': error.message, 'detail': ''}}, error.status)


class Network:
    """The stand-in for Neutron; `app` is its WSGI application.

    Args:
        on_port_active: told of each port that became ACTIVE on a host, once it is stored; must return soon.
        telling: tells Compute of ports that are plugged in by a script, and of floating addresses.
    """

    def __init__(self, keep: store.Store, authority: service.Authority, identity_url: Callable[[], str],
                 telling: Telling, on_port_active: Callable[[Document], object] | None = None) -> None:
        self._store, self._telling = keep, telling
        self.plugging = plugging.Plugging(keep, telling, on_port_active)
        self.ports = Ports(secgroups.default_group, self.plugging, on_port_active)
        self.app = service.application(_render, service.Gate(authority, _OPEN, identity_url),
                                       'x-openstack-request-id')
        self._nouns = {noun.plural: noun for noun in self._declare()}
        self._route()

    def _declare(self) -> tuple[Noun, ...]:
        ports = self.ports
        return (
            Noun(n.NETWORK, 'networks', n.NetworkNotFound, subnets.create_network, subnets.update_network,
                 subnets.delete_network, subnets.shown_network),
            Noun(n.SUBNET, 'subnets', n.SubnetNotFound, subnets.create_subnet, subnets.update_subnet,
                 subnets.delete_subnet),
            Noun(n.PORT, 'ports', n.PortNotFound, lambda rows, caller, project, body: ports.create(
                rows, caller, body), lambda rows, caller, port, body: ports.update(
                rows, caller, port['id'], body), lambda rows, caller, port: ports.delete(
                rows, caller, port['id']), qos.shown_port),
            Noun(n.POLICY, 'policies', n.QosPolicyNotFound, qos.create, None, qos.delete, qos.shown,
                 'qos/policies'),
            Noun(n.GROUP, 'security_groups', n.SecurityGroupNotFound, secgroups.create, secgroups.update,
                 secgroups.delete, secgroups.shown),
            Noun(n.RULE, 'security_group_rules', n.SecurityGroupRuleNotFound, secgroups.create_rule, None,
                 lambda rows, caller, rule: _forget(rows, n.RULE, rule)),
            Noun(n.ROUTER, 'routers', n.RouterNotFound, subnets.create_router, subnets.update_router,
                 subnets.delete_router),
            Noun(n.FLOATING, 'floatingips', n.FloatingIPNotFound, subnets.create_floating,
                 subnets.update_floating, subnets.delete_floating),
        )

    def _route(self) -> None:
        def add(template: str, **methods: web.Responder) -> None:
            web.route(self.app, template, methods)

        add('/', GET=_versions)
        add('/v2.0', GET=self._resources)
        add('/v2.0/extensions', GET=lambda req, resp: web.send(resp, {'extensions': [
            _extension(alias) for alias in _EXTENSIONS]}))
        add('/v2.0/extensions/{alias}', GET=_show_extension)
        add('/v2.0/availability_zones', GET=lambda req, resp: web.send(resp, {'availability_zones': [
            {'name': 'nova', 'resource': kind, 'state': 'available'} for kind in ('network', 'router')]}))
        for noun in self._nouns.values():
            self._route_noun(add, noun)
        qos.Rules(self._store).route(add)
        add('/v2.0/ports/{ident}/bindings', GET=self._bindings, POST=self._add_binding)
        add('/v2.0/ports/{ident}/bindings/{host}', GET=self._binding, PUT=self._change_binding,
            DELETE=self._remove_binding)
        add('/v2.0/ports/{ident}/bindings/{host}/activate', PUT=self._activate)
        add('/v2.0/quotas', GET=self._quotas)
        add('/v2.0/quotas/{project}', GET=self._quota, PUT=self._set_quota, DELETE=self._reset_quota)
        add('/v2.0/quotas/{project}/default', GET=lambda req, resp, project: web.send(resp, {'quota': _QUOTAS}))
        for name in ('details', 'details.json'):
            add(f'/v2.0/quotas/{{project}}/{name}', GET=self._quota_details)

    # Resources

    def _route_noun(self, add: service.Add, noun: Noun) -> None:
        def index(req: falcon.Request, resp: falcon.Response) -> None:
            self._index(req, resp, noun)

        def create(req: falcon.Request, resp: falcon.Response) -> None:
            self._create(req, resp, noun)

        def show(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            with self._store.read() as rows:
                found = noun.shown(rows, _visible(rows, service.who(req), noun, ident))
            web.send(resp, {noun.kind.name: _view(req, found)})

        def update(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            body, caller = service.checked(_SHAPE, service.enveloped(req, noun.kind.name)), service.who(req)
            kept: list[Document] = []

            def write(rows: Rows) -> Document:
                old = _owned(rows, caller, noun, ident)
                kept[:] = [old]
                return noun.shown(rows, noun.update(rows, caller, old, body) if noun.update else old)
            found = self._store.write(write)
            self._announce(noun, kept[0], found)
            web.send(resp, {noun.kind.name: _view(req, found)})

        def delete(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            caller = service.who(req)

            def write(rows: Rows) -> Document:
                old = _owned(rows, caller, noun, ident)
                noun.delete(rows, caller, old)
                return old
            self._announce(noun, self._store.write(write), None)
            resp.status = falcon.HTTP_204

        base = '/v2.0/' + (noun.path or noun.plural.replace('_', '-'))
        add(base, GET=index, POST=create)
        add(base + '/{ident}', GET=show, DELETE=delete, **({'PUT': update} if noun.update else {}))
        if noun.kind is not n.RULE:
            Tags(self._store, noun).route(add, base + '/{ident}/tags')

    def _index(self, req: falcon.Request, resp: falcon.Response, noun: Noun) -> None:
        caller = service.who(req)
        if noun.kind is n.GROUP and caller.project_id:
            project = caller.project_id
            with self._store.read() as rows:
                known = rows.list(n.GROUP, owner=project, name='default')
            if not known:
                self._store.write(lambda rows: secgroups.default_group(rows, project))
        parents = service.values(req, noun.kind.parent) if noun.kind.parent else []
        parent = parents[0] if len(parents) == 1 else None
        with self._store.read() as rows:
            seen = _Sight(rows, caller)
            found = [document for document in rows.list(noun.kind, parent=parent)
                     if seen(noun, document) and _fits(req, document)]
            directions = service.values(req, 'sort_dir')
            keys = [(key, directions[number] == 'desc' if number < len(directions) else False)
                    for number, key in enumerate(service.values(req, 'sort_key'))]
            cut, marker = service.page(req, service.sort_by(found, keys), longest=100000)
            shown = [_view(req, noun.shown(rows, document)) for document in cut]
        document: Document = {noun.plural: shown}
        if marker:
            document[f'{noun.plural}_links'] = [{'rel': 'next', 'href': (
                f'{service.here(req)}{req.path}?limit={service.value(req, "limit")}&marker={marker}')}]
        web.send(resp, document)

    def _create(self, req: falcon.Request, resp: falcon.Response, noun: Noun) -> None:
        body, caller = web.body(req, limit=10 * 2 ** 20), service.who(req)
        many = body.get(noun.plural) if isinstance(body, dict) else None
        one = body.get(noun.kind.name) if isinstance(body, dict) else None
        wanted: list = many if isinstance(many, list) else [one]
        if not wanted or not all(isinstance(item, dict) for item in wanted):
            raise n.HTTPBadRequest(why=f"Unable to find '{noun.kind.name}' in request body")
        for item in wanted:
            _SHAPE.check(item)

        def write(rows: Rows) -> list[Document]:
            return [noun.shown(rows, self._create_one(rows, caller, noun, item)) for item in wanted]
        made = self._store.write(write)
        for document in made:
            self._announce(noun, None, document)
        shown = [_view(req, document) for document in made]
        web.send(resp, {noun.plural: shown} if many else {noun.kind.name: shown[0]}, 201)

    @staticmethod
    def _create_one(rows: Rows, caller: service.Caller, noun: Noun, body: Document) -> Document:
        project = str(body.get('project_id') or body.get('tenant_id') or caller.project_id or '')
        if not project:
            raise n.HTTPBadRequest(why="Running without keystone AuthN requires that tenant_id is specified")
        if project != caller.project_id and not caller.privileged:
            raise n.PolicyNotAuthorized(rule=f'create_{noun.kind.name}')
        limit = _limits(rows, project).get(noun.kind.name, -1)
        if 0 <= limit <= rows.count(noun.kind, owner=project):
            raise n.OverQuota(resource=noun.kind.name)
        return noun.create(rows, caller, project, body)

    def _resources(self, req: falcon.Request, resp: falcon.Response) -> None:
        web.send(resp, {'resources': [
            {'name': noun.kind.name, 'collection': noun.plural, 'links': [
                {'rel': 'self', 'href': f'{service.here(req)}/v2.0/'
                                        f'{noun.path or noun.plural.replace("_", "-")}'}]}
            for noun in self._nouns.values()]})

    def _announce(self, noun: Noun, old: Document | None, new: Document | None) -> None:
        """Tell those who want to know what has become of a resource, once it is stored."""
        if noun.kind is n.PORT and new is not None:
            self.ports.announce(old, new)
        if noun.kind is n.FLOATING:
            before, after = ((each['port_id'], each['fixed_ip_address']) if each else (None, None)
                             for each in (old, new))
            if before == after:
                return
            with self._store.read() as rows:
                ports = [rows.get(n.PORT, port) for port, _ in {before, after} if port is not None]
            self._telling.changed([port for port in ports if port is not None])

    # Bindings

    def _with_port(self, req: falcon.Request, ident: str, fn: Callable[[Rows, Document], T]) -> T:
        caller = service.who(req)
        if not caller.privileged:
            raise n.PolicyNotAuthorized(rule='get_port_binding')
        return self._store.write(lambda rows: fn(rows, n.port_for(rows, caller, ident)))

    def _bindings(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        found = self._with_port(req, ident, self.ports.bindings)
        web.send(resp, {'bindings': [item for item in found if _fits(req, item)]})

    def _add_binding(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = service.enveloped(req, 'binding')
        made = self._with_port(req, ident, lambda rows, port: self.ports.add_binding(rows, port, body))
        web.send(resp, {'binding': made}, 201)

    def _binding(self, req: falcon.Request, resp: falcon.Response, ident: str, host: str) -> None:
        found = self._with_port(req, ident, lambda rows, port: self.ports.binding(rows, port, host))
        web.send(resp, {'binding': found})

    def _change_binding(self, req: falcon.Request, resp: falcon.Response, ident: str, host: str) -> None:
        body = service.enveloped(req, 'binding')
        found = self._with_port(req, ident, lambda rows, port: self.ports.change_binding(
            rows, port, host, body))
        web.send(resp, {'binding': found})

    def _remove_binding(self, req: falcon.Request, resp: falcon.Response, ident: str, host: str) -> None:
        self._with_port(req, ident, lambda rows, port: self.ports.remove_binding(rows, port, host))
        resp.status = falcon.HTTP_204

    def _activate(self, req: falcon.Request, resp: falcon.Response, ident: str, host: str) -> None:
        def write(rows: Rows, port: Document) -> tuple[Document, Document, Document]:
            changed = self.ports.activate(rows, port, host)
            return port, changed, self.ports.binding(rows, changed, host)
        old, port, binding = self._with_port(req, ident, write)
        self.ports.announce(old, port)
        web.send(resp, {'binding': binding})

    # Quotas

    def _quotas(self, req: falcon.Request, resp: falcon.Response) -> None:
        service.need_admin(req)
        web.send(resp, {'quotas': [{**_QUOTAS, **{key: value for key, value in quota.items() if key != 'id'},
                                    'project_id': quota['id'], 'tenant_id': quota['id']}
                                   for quota in self._store.list(n.QUOTA)]})

    def _quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        _own_project(req, project)
        with self._store.read() as rows:
            web.send(resp, {'quota': _limits(rows, project)})

    def _quota_details(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        _own_project(req, project)
        kinds = {noun.kind.name: noun.kind for noun in self._nouns.values()}
        with self._store.read() as rows:
            web.send(resp, {'quota': {
                name: {'limit': limit, 'reserved': 0,
                       'used': rows.count(kinds[name], owner=project) if name in kinds else 0}
                for name, limit in _limits(rows, project).items()}})

    def _set_quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        service.need_admin(req)
        body = service.enveloped(req, 'quota')
        change = {name: value for name, value in body.items() if name in _QUOTAS}
        if not all(isinstance(value, int) and value >= -1 for value in change.values()):
            raise n.HTTPBadRequest(why='Quota limits are integers from -1.')

        def write(rows: Rows) -> Document:
            known = rows.get(n.QUOTA, project)
            (rows.update if known else rows.insert)(n.QUOTA, {'id': project, **(known or {}), **change})
            return _limits(rows, project)
        web.send(resp, {'quota': self._store.write(write)})

    def _reset_quota(self, req: falcon.Request, resp: falcon.Response, project: str) -> None:
        service.need_admin(req)
        self._store.write(lambda rows: rows.delete(n.QUOTA, project))
        resp.status = falcon.HTTP_204


class Tags:
    """Labels on one noun."""

    def __init__(self, keep: store.Store, noun: Noun) -> None:
        self._store, self._noun = keep, noun

    def route(self, add: service.Add, base: str) -> None:
        add(base, GET=self._list, PUT=self._replace, DELETE=self._clear)
        add(base + '/{tag}', GET=self._check, PUT=self._add, DELETE=self._drop)

    def _change(self, req: falcon.Request, ident: str, fn: Callable[[list[str]], list[str]]) -> list[str]:
        caller = service.who(req)

        def write(rows: Rows) -> list[str]:
            document = _owned(rows, caller, self._noun, ident)
            tags = fn(document['tags'])
            if tags != document['tags']:
                rows.update(self._noun.kind, n.touch({**document, 'tags': tags}))
            return tags
        return self._store.write(write)

    def _list(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        web.send(resp, {'tags': self._change(req, ident, lambda tags: tags)})

    def _replace(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        body = web.body(req)
        tags = body.get('tags') if isinstance(body, dict) else None
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise n.HTTPBadRequest(why="'tags' must be a list of strings")
        web.send(resp, {'tags': self._change(req, ident, lambda _: list(dict.fromkeys(tags)))})

    def _clear(self, req: falcon.Request, resp: falcon.Response, ident: str) -> None:
        self._change(req, ident, lambda tags: [])
        resp.status = falcon.HTTP_204

    def _check(self, req: falcon.Request, resp: falcon.Response, ident: str, tag: str) -> None:
        if tag not in self._change(req, ident, lambda tags: tags):
            raise n.error(404, 'TagNotFound', 'Tag {tag} could not be found.')(tag=tag)
        resp.status = falcon.HTTP_204

    def _add(self, req: falcon.Request, resp: falcon.Response, ident: str, tag: str) -> None:
        self._change(req, ident, lambda tags: tags if tag in tags else [*tags, tag])
        resp.status = falcon.HTTP_201

    def _drop(self, req: falcon.Request, resp: falcon.Response, ident: str, tag: str) -> None:
        self._check(req, resp, ident, tag)
        self._change(req, ident, lambda tags: [one for one in tags if one != tag])
        resp.status = falcon.HTTP_204


class _Sight:
    """What one caller sees, with the networks looked up once."""

    def __init__(self, rows: Rows, caller: service.Caller) -> None:
        self._rows, self._caller = rows, caller
        self._networks: dict[str, bool] = {}

    def __call__(self, noun: Noun, document: Document) -> bool:
        if self._caller.owns(document):
            return True
        if noun.kind is n.NETWORK:
            return n.sees_network(self._caller, document)
        if noun.kind is n.POLICY:
            return bool(document['shared'])
        if noun.kind is n.SUBNET:
            ident = document['network_id']
            if ident not in self._networks:
                network = self._rows.get(n.NETWORK, ident)
                self._networks[ident] = network is not None and n.sees_network(self._caller, network)
            return self._networks[ident]
        return False


def _visible(rows: Rows, caller: service.Caller, noun: Noun, ident: str) -> Document:
    found = rows.get(noun.kind, ident)
    if found is None or not _Sight(rows, caller)(noun, found):
        raise noun.missing(id=ident)
    return found


def _owned(rows: Rows, caller: service.Caller, noun: Noun, ident: str) -> Document:
    found = _visible(rows, caller, noun, ident)
    if not caller.owns(found):
        raise n.PolicyNotAuthorized(rule=f'update_{noun.kind.name}')
    return found


def _forget(rows: Rows, kind: Kind, document: Document) -> None:
    rows.delete(kind, document['id'])


def _limits(rows: Rows, project: str) -> dict[str, int]:
    own = rows.get(n.QUOTA, project) or {}
    return {name: own.get(name, limit) for name, limit in _QUOTAS.items()}


def _own_project(req: falcon.Request, project: str) -> None:
    if not service.who(req).privileged and service.who(req).project_id != project:
        raise n.PolicyNotAuthorized(rule='get_quota')


def _view(req: falcon.Request, document: Document) -> Document:
    if not service.who(req).privileged:
        document = {key: value for key, value in document.items() if not _ADMIN_FIELDS.fullmatch(key)}
    fields = service.values(req, 'fields')
    return {key: document[key] for key in fields if key in document} if any(fields) else document


def _fits(req: falcon.Request, document: Document) -> bool:
    for name in req.params:
        if name not in _NOT_FILTERS and name in document \
                and not any(_same(document[name], wanted) for wanted in service.values(req, name)):
            return False
    tags = set(document.get('tags', ()))

    def asked(name: str) -> list[set[str]]:
        return [set(text.split(',')) for text in service.values(req, name)]
    if not (all(wanted <= tags for wanted in asked('tags'))
            and all(wanted & tags for wanted in asked('tags-any'))
            and not any(wanted <= tags for wanted in asked('not-tags'))
            and not any(wanted & tags for wanted in asked('not-tags-any'))):
        return False
    addresses = document.get('fixed_ips', [])
    if wanted := service.values(req, 'fixed_ips'):
        pairs = [part.partition('=')[::2] for text in wanted for part in text.split(',')]
        for key in ('ip_address', 'subnet_id'):
            values = {value for name, value in pairs if name == key}
            if values and not any(address[key] in values for address in addresses):
                return False
        parts = [value for name, value in pairs if name == 'ip_address_substr']
        if parts and not any(part in address['ip_address'] for part in parts for address in addresses):
            return False
    return True


def _same(found: object, wanted: str) -> bool:
    if isinstance(found, bool):
        return service.truth(wanted) is found
    if isinstance(found, list):
        return wanted in found
    return ('' if found is None else str(found)) == wanted


def _versions(req: falcon.Request, resp: falcon.Response) -> None:
    web.send(resp, {'versions': [{'id': 'v2.0', 'status': 'CURRENT', 'links': [
        {'rel': 'self', 'href': f'{service.here(req)}/v2.0/'}]}]})


def _extension(alias: str) -> Document:
    return {'alias': alias, 'name': _EXTENSIONS[alias], 'description': _EXTENSIONS[alias], 'links': [],
            'updated': '2020-01-01T00:00:00-00:00'}


def _show_extension(req: falcon.Request, resp: falcon.Response, alias: str) -> None:
    if alias not in _EXTENSIONS:
        raise n.HTTPNotFound()
    web.send(resp, {'extension': _extension(alias)})
