"""Networks, subnets, routers and floating addresses of the network stand-in."""

import ipaddress
import secrets

from nova.sandbox import netkinds as n
from nova.sandbox import qos, service
from nova.sandbox.ports import Addresses, Ports
from nova.sandbox.store import Document, Rows

_PROVIDER = ('provider:network_type', 'provider:physical_network', 'provider:segmentation_id')
_NETWORK_ADMIN = ('shared', 'router:external', 'is_default', *_PROVIDER)
_NETWORK = ('name', 'description', 'admin_state_up', 'mtu', 'port_security_enabled',
            'availability_zone_hints', 'dns_domain', 'qos_policy_id', *_NETWORK_ADMIN)
_SUBNET = ('name', 'description', 'enable_dhcp', 'dns_nameservers', 'host_routes', 'gateway_ip',
           'service_types', 'dns_publish_fixed_ip')
_ROUTER = ('name', 'description', 'admin_state_up', 'external_gateway_info', 'distributed', 'ha', 'routes',
           'availability_zone_hints')


def _chosen(body: Document, names: tuple[str, ...]) -> Document:
    return {name: body[name] for name in names if name in body}


def _need_admin_for(caller: service.Caller, body: Document, names: tuple[str, ...], rule: str) -> None:
    for name in names:
        if body.get(name) not in (None, False) and not caller.is_admin:
            raise n.PolicyNotAuthorized(rule=f'{rule} and rule:{rule}:{name}')


# Networks

def create_network(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    _need_admin_for(caller, body, _NETWORK_ADMIN, 'create_network')
    qos.check(rows, caller, body)
    network = n.stamp({
        'project_id': project, 'tenant_id': project, 'status': 'ACTIVE', 'admin_state_up': True, 'mtu': 1450,
        'shared': False, 'router:external': False, 'is_default': False, 'port_security_enabled': True,
        'availability_zone_hints': [], 'availability_zones': ['nova'], 'ipv4_address_scope': None,
        'ipv6_address_scope': None, 'l2_adjacency': True, 'qos_policy_id': None, 'dns_domain': '',
        'vlan_transparent': None, 'provider:network_type': 'vxlan', 'provider:physical_network': None,
        'provider:segmentation_id': secrets.randbelow(2 ** 24 - 1) + 1,
        **{name: value for name, value in _chosen(body, _NETWORK).items() if value is not None}})
    return rows.insert(n.NETWORK, network)


def update_network(rows: Rows, caller: service.Caller, network: Document, body: Document) -> Document:
    _need_admin_for(caller, body, _NETWORK_ADMIN, 'update_network')
    qos.check(rows, caller, body)
    return rows.update(n.NETWORK, n.touch({**network, **_chosen(body, _NETWORK)}))


def delete_network(rows: Rows, caller: service.Caller, network: Document) -> None:
    ident = network['id']
    ports = [port for port in rows.list(n.PORT) if port['network_id'] == ident]
    if any(port['device_owner'] != 'network:dhcp' for port in ports) or rows.count(n.ALLOCATION, owner=ident):
        raise n.NetworkInUse(id=ident)
    for port in ports:
        Ports.drop(rows, port)
    for subnet in rows.list(n.SUBNET, parent=ident):
        rows.delete(n.CURSOR, subnet['id'])
    rows.delete_children(n.SUBNET, ident)
    rows.delete(n.NETWORK, ident)


def shown_network(rows: Rows, network: Document) -> Document:
    return {**network, 'subnets': [subnet['id'] for subnet in rows.list(n.SUBNET, parent=network['id'])]}


# Subnets

def _cidr(body: Document) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        found = ipaddress.ip_network(str(body.get('cidr')), strict=False)
    except ValueError:
        raise n.HTTPBadRequest(why=f"Invalid input for cidr. Reason: '{body.get('cidr')}' is not a valid IP "
                                   'subnet.') from None
    if body.get('ip_version') not in (None, found.version):
        raise n.InvalidInput(why='the address range does not fit the IP version')
    return found


def _address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        raise n.InvalidInput(why=f"'{text}' is not a valid IP address") from None


def _pools(cidr: ipaddress.IPv4Network | ipaddress.IPv6Network, gateway: str | None) -> list[Document]:
    """Every host address but the gateway's."""
    low, high = int(cidr.network_address) + 1, int(cidr.broadcast_address) - (cidr.version == 4)
    make = type(cidr.network_address)
    hole = int(_address(gateway)) if gateway else 0
    spans = [(low, hole - 1), (hole + 1, high)] if low <= hole <= high else [(low, high)]
    return [{'start': str(make(start)), 'end': str(make(end))} for start, end in spans if start <= end]


def create_subnet(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    network = n.network_for(rows, caller, body.get('network_id'))
    if not caller.owns(network):
        raise n.PolicyNotAuthorized(rule='create_subnet')
    cidr = _cidr(body)
    for other in rows.list(n.SUBNET, parent=network['id']):
        if cidr.overlaps(ipaddress.ip_network(other['cidr'])):
            raise n.InvalidInput(why=f'Requested subnet with cidr: {cidr} for network: {network["id"]} '
                                     'overlaps with another subnet')
    gateway = body.get('gateway_ip', str(cidr.network_address + 1) if cidr.num_addresses > 2 else None)
    pools = body.get('allocation_pools') or _pools(cidr, gateway)
    for pool in pools:
        if _address(pool.get('start')) not in cidr or _address(pool.get('end')) not in cidr:
            raise n.InvalidInput(why='an allocation pool exceeds the subnet cidr')
    return rows.insert(n.SUBNET, n.stamp({
        'network_id': network['id'], 'project_id': project, 'tenant_id': project, 'cidr': str(cidr),
        'ip_version': cidr.version, 'enable_dhcp': True, 'dns_nameservers': [], 'host_routes': [],
        'service_types': [], 'subnetpool_id': None, 'segment_id': None, 'dns_publish_fixed_ip': False,
        'router:external': network['router:external'], 'ipv6_address_mode': body.get('ipv6_address_mode'),
        'ipv6_ra_mode': body.get('ipv6_ra_mode'), **_chosen(body, _SUBNET), 'gateway_ip': gateway,
        'allocation_pools': pools}))


def update_subnet(rows: Rows, caller: service.Caller, subnet: Document, body: Document) -> Document:
    change = _chosen(body, (*_SUBNET, 'allocation_pools'))
    return rows.update(n.SUBNET, n.touch({**subnet, **change}))


def delete_subnet(rows: Rows, caller: service.Caller, subnet: Document) -> None:
    if any(item['subnet_id'] == subnet['id'] for item in rows.list(n.ALLOCATION, owner=subnet['network_id'])):
        raise n.SubnetInUse(id=subnet['id'])
    rows.delete(n.SUBNET, subnet['id'])
    rows.delete(n.CURSOR, subnet['id'])


# Routers: records only, nothing is routed

def create_router(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    return rows.insert(n.ROUTER, n.stamp({
        'project_id': project, 'tenant_id': project, 'status': 'ACTIVE', 'admin_state_up': True,
        'external_gateway_info': None, 'routes': [], 'distributed': False, 'ha': False,
        'availability_zone_hints': [], 'availability_zones': ['nova'], 'flavor_id': None,
        **_chosen(body, _ROUTER)}))


def update_router(rows: Rows, caller: service.Caller, router: Document, body: Document) -> Document:
    return rows.update(n.ROUTER, n.touch({**router, **_chosen(body, _ROUTER)}))


def delete_router(rows: Rows, caller: service.Caller, router: Document) -> None:
    rows.delete(n.ROUTER, router['id'])


# Floating addresses

def create_floating(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    network = n.network_for(rows, caller, body.get('floating_network_id'))
    if not network['router:external']:
        raise n.HTTPBadRequest(why=f'Network {network["id"]} is not a valid external network')
    floating = n.stamp({
        'project_id': project, 'tenant_id': project, 'floating_network_id': network['id'], 'router_id': None,
        'status': 'DOWN', 'port_id': None, 'fixed_ip_address': None, 'port_details': None, 'dns_domain': '',
        'dns_name': '', 'qos_policy_id': None, 'port_forwardings': [],
        'description': body.get('description') or ''})
    del floating['name']
    wanted = body.get('floating_ip_address')
    subnet = body.get('subnet_id')
    asked = [{**({'ip_address': wanted} if wanted else {}), **({'subnet_id': subnet} if subnet else {})}]
    taken = Addresses.choose(rows, network, asked if wanted or subnet else None, floating['id'])
    if not taken:
        raise n.ExternalIpAddressExhausted(id=network['id'])
    floating['floating_ip_address'] = taken[0]['ip_address']
    return rows.insert(n.FLOATING, _associated(rows, caller, floating, body))


def update_floating(rows: Rows, caller: service.Caller, floating: Document, body: Document) -> Document:
    changed = {**floating, **_chosen(body, ('description',))}
    return rows.update(n.FLOATING, n.touch(_associated(rows, caller, changed, body)))


def _associated(rows: Rows, caller: service.Caller, floating: Document, body: Document) -> Document:
    if 'port_id' not in body:
        return floating
    if not body['port_id']:
        return {**floating, 'port_id': None, 'fixed_ip_address': None, 'status': 'DOWN'}
    port = n.port_for(rows, caller, body['port_id'])
    addresses = [item['ip_address'] for item in port['fixed_ips']]
    fixed = body.get('fixed_ip_address') or next(iter(addresses), None)
    if fixed not in addresses:
        raise n.HTTPBadRequest(why=f'Port {port["id"]} does not have fixed ip {fixed}.')
    for other in rows.list(n.FLOATING, parent=port['id']):
        if other['id'] != floating['id'] and other['fixed_ip_address'] == fixed:
            raise n.FloatingIPPortAlreadyAssociated(ip=floating['floating_ip_address'], port=port['id'])
    return {**floating, 'port_id': port['id'], 'fixed_ip_address': fixed, 'status': 'ACTIVE'}


def delete_floating(rows: Rows, caller: service.Caller, floating: Document) -> None:
    rows.delete(n.FLOATING, floating['id'])
    rows.delete_children(n.ALLOCATION, floating['id'])
