"""Networks up to 2.35, in the words of a network service that Compute once had itself."""

from nova.api import passing
from nova.api.request import Request
from nova.common.jsonutil import JsonObject
from nova.policies import networks, tenant_networks
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Many, One, Resource, get

_UNTIL = '2.35'
_NOTHING = (
    'bridge', 'bridge_interface', 'broadcast', 'cidr', 'cidr_v6', 'created_at', 'deleted', 'deleted_at',
    'dhcp_server', 'dhcp_start', 'dns1', 'dns2', 'enable_dhcp', 'gateway', 'gateway_v6', 'host', 'injected',
    'multi_host', 'netmask', 'netmask_v6', 'priority', 'project_id', 'rxtx_base', 'share_address', 'updated_at',
    'vlan', 'vpn_private_address', 'vpn_public_address', 'vpn_public_port')
"""Keys about which the network service of today says nothing here."""


class NetworkView(Document):
    """Everything but the name and the size of packets is null."""

    id = Field(types.UUID, get=lambda network, look: network['id'], show='2.1')
    label = Field(types.TEXT, get=lambda network, look: network['name'], show='2.1')
    mtu = Field(types.nullable(types.INTEGER), get=lambda network, look: network.get('mtu'), show='2.1')
    locals().update({name: Field(types.NULL, get=lambda network, look: None, show='2.1').bind(name)
                     for name in _NOTHING})


class TenantNetwork(Document):
    id = Field(types.UUID, get=lambda network, look: network['id'], show='2.1')
    label = Field(types.TEXT, get=lambda network, look: network['name'], show='2.1')
    cidr = Field(types.TEXT, 'The word None: a network has subnets.', get=lambda network, look: 'None',
                 show='2.1')


def _list(req: Request) -> list[JsonObject]:
    """Those of the project, and those that are for everybody."""
    found = {one['id']: one for query in ({'project_id': req.project_id}, {'shared': 'true'})
             for one in passing.network(req, 'GET', '/v2.0/networks', query=query)['networks']}
    return list(found.values())


def _show(req: Request, network_id: str) -> JsonObject:
    found: JsonObject = passing.network(
        req, 'GET', f'/v2.0/networks/{network_id}')['network']
    return found


class Networks(Resource):

    @get('/os-networks', until=_UNTIL, rule=networks.LIST, returns=Many('networks', NetworkView, 'show'))
    def index(self, req: Request) -> list[JsonObject]:
        """List networks."""
        return _list(req)

    @get('/os-networks/{network_id}', until=_UNTIL, rule=networks.SHOW, returns=One('network', NetworkView))
    def show(self, req: Request, network_id: str) -> JsonObject:
        """Show a network."""
        return _show(req, network_id)


class TenantNetworks(Resource):

    @get('/os-tenant-networks', until=_UNTIL, rule=tenant_networks.LIST,
         returns=Many('networks', TenantNetwork, 'show'))
    def index(self, req: Request) -> list[JsonObject]:
        """List the project's networks."""
        return _list(req)

    @get('/os-tenant-networks/{network_id}', until=_UNTIL, rule=tenant_networks.SHOW,
         returns=One('network', TenantNetwork))
    def show(self, req: Request, network_id: str) -> JsonObject:
        """Show a network of the project."""
        return _show(req, network_id)
