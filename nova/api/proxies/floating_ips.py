"""Floating addresses up to 2.35, their association with servers up to 2.43."""

import dataclasses

from nova import errors, objects
from nova.api import passing
from nova.api.request import Request
from nova.common import problem, uuids
from nova.common.jsonutil import JsonObject
from nova.objects.network_model import VIF
from nova.policies import floating_ip_pools, floating_ips
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Many, One, Resource, delete, get, post

_UNTIL, _ACTIONS_UNTIL = '2.35', '2.43'
_PATH = '/v2.0/floatingips'
_ACTION = '/servers/{server_id}/action'


class Pool(Document):
    name = Field(types.TEXT, 'Name of an external network.', get=lambda pool, look: pool['name'], list='2.1')


class FloatingIPView(Document):
    id = Field(types.UUID, show='2.1')
    ip = Field(types.TEXT, show='2.1')
    fixed_ip = Field(types.nullable(types.TEXT), "The server's address that it stands for.", show='2.1')
    instance_id = Field(types.nullable(types.UUID), 'The server that has it.', show='2.1')
    pool = Field(types.TEXT, show='2.1')


@dataclasses.dataclass(frozen=True)
class FloatingIP:
    id: str
    ip: str
    fixed_ip: str | None
    instance_id: str | None
    pool: str


def _pools(req: Request) -> list[JsonObject]:
    found: list[JsonObject] = passing.network(req, 'GET', '/v2.0/networks',
                                              query={'router:external': 'true'})['networks']
    return found


def _shown(req: Request, found: list[JsonObject]) -> list[FloatingIP]:
    """In the older words; servers are found by ports, which are asked for once."""
    if not found:
        return []
    pools = {pool['id']: pool['name'] for pool in _pools(req)}
    ports: dict[str, JsonObject] = {}
    if any(one['port_id'] for one in found):
        ports = {port['id']: port for port in passing.network(
            req, 'GET', '/v2.0/ports', query={'project_id': req.project_id})['ports']}
    return [FloatingIP(
        one['id'], one['floating_ip_address'], one['fixed_ip_address'],
        _server(ports.get(one['port_id'] or '')),
        str(pools.get(one['floating_network_id'], one['floating_network_id']))) for one in found]


def _server(port: JsonObject | None) -> str | None:
    owner = port and port['device_id']
    return owner if owner and uuids.is_uuid(owner) else None


def _one(req: Request, ident: str) -> JsonObject:
    if not uuids.is_uuid(ident):
        raise problem.BadRequest(f'{ident!r} is not the id of a floating address.')
    found: JsonObject = passing.network(req, 'GET', f'{_PATH}/{ident}')['floatingip']
    return found


class FloatingIPs(Resource):

    @get('/os-floating-ip-pools', until=_UNTIL, rule=floating_ip_pools.FLOATING_IP_POOLS,
         returns=Many('floating_ip_pools', Pool))
    def pools(self, req: Request) -> list[JsonObject]:
        """List the pools of floating addresses."""
        return _pools(req)

    @get('/os-floating-ips', until=_UNTIL, rule=floating_ips.LIST,
         returns=Many('floating_ips', FloatingIPView, 'show'))
    def index(self, req: Request) -> list[FloatingIP]:
        """List the project's floating addresses."""
        found = passing.network(req, 'GET', _PATH, query={'project_id': req.project_id})
        return _shown(req, found['floatingips'])

    @post('/os-floating-ips', until=_UNTIL, ok=200, rule=floating_ips.CREATE,
          body=Body(pool=Field(types.nullable(types.TEXT),
                               'Of this pool; of the default one where none is named.')),
          returns=One('floating_ip', FloatingIPView))
    def create(self, req: Request) -> FloatingIP:
        """Take a floating address for the project."""
        wanted, pools = req.body.get('pool'), _pools(req)
        if wanted is None:
            pools = [pool for pool in pools if pool.get('is_default')] or pools
        else:
            pools = [pool for pool in pools if wanted in (pool['name'], pool['id'])]
        if not pools:
            raise problem.NotFound('Floating IP pool not found.')
        made = passing.network(req, 'POST', _PATH,
                               {'floatingip': {'floating_network_id': pools[0]['id']}})['floatingip']
        return _shown(req, [made])[0]

    @get('/os-floating-ips/{ident}', until=_UNTIL, rule=floating_ips.SHOW,
         returns=One('floating_ip', FloatingIPView))
    def show(self, req: Request, ident: str) -> FloatingIP:
        """Show a floating address."""
        return _shown(req, [_one(req, ident)])[0]

    @delete('/os-floating-ips/{ident}', until=_UNTIL, ok=202, rule=floating_ips.DELETE)
    def remove(self, req: Request, ident: str) -> None:
        """Give a floating address back."""
        passing.network(req, 'DELETE', f'{_PATH}/{_one(req, ident)["id"]}')


class Association(Resource):

    @post(_ACTION, action='addFloatingIp', until=_ACTIONS_UNTIL, ok=202, rule=floating_ips.ADD,
          body=Body(address=Field(types.text(format='ip'), 'A floating address of the project.', required=True),
                    fixed_address=Field(types.text(format='ip'),
                                        'The address of the server that it stands for.')))
    def add(self, req: Request, instance: objects.Instance) -> None:
        """Have a floating address stand for one of the server's."""
        fixed = [(vif, ip) for vif in _vifs(instance) for ip in vif.fixed_ips() if ip.version == 4]
        if not fixed:
            raise problem.BadRequest('No fixed IPs are associated with the server.')
        wanted = req.body.get('fixed_address')
        chosen = next((pair for pair in fixed if wanted in (None, pair[1].address)), None)
        if chosen is None:
            raise problem.BadRequest(f'The address {wanted} is none of the server.')
        found = _by_address(req, req.body['address'])
        try:
            passing.network(req, 'PUT', f'{_PATH}/{found["id"]}', {'floatingip': {
                'port_id': chosen[0].id, 'fixed_ip_address': chosen[1].address}})
        except errors.Conflict as error:
            raise errors.Invalid(error.message) from error

    @post(_ACTION, action='removeFloatingIp', until=_ACTIONS_UNTIL, ok=202, rule=floating_ips.REMOVE,
          body=Body(address=Field(types.text(format='ip'), 'A floating address of the server.', required=True)))
    def remove(self, req: Request, instance: objects.Instance) -> None:
        """Have a floating address stand for no server."""
        found = _by_address(req, req.body['address'])
        if found['port_id'] not in {vif.id for vif in _vifs(instance)}:
            raise errors.Conflict(f'Floating IP {req.body["address"]} is not associated with instance '
                                  f'{instance.uuid}.')
        passing.network(req, 'PUT', f'{_PATH}/{found["id"]}', {'floatingip': {'port_id': None}})


def _vifs(instance: objects.Instance) -> list[VIF]:
    return list(instance.network_info.vifs) if instance.network_info is not None else []


def _by_address(req: Request, address: str) -> JsonObject:
    """The project's floating address.

    Raises:
        NotFound: it has none of this name.
    """
    found: list[JsonObject] = passing.network(
        req, 'GET', _PATH, query={'floating_ip_address': types.canonical_ip(address) or address,
                                  'project_id': req.project_id})['floatingips']
    if not found:
        raise problem.NotFound('Floating IP not found.')
    return found[0]
