"""The network info of a server: its ports with their networks, subnets and floating addresses, as records."""

from collections.abc import Iterable, Mapping, Sequence

from nova.clients.neutron.allocate import CAN_TAG, OURS
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject
from nova.objects.network_model import IP, VIF, Network, NetworkInfo, Subnet

_NAME = 14
"""Longest name of a tap device that leaves room for prefixes of others."""
_TUNNELS = frozenset({'vxlan', 'gre', 'geneve'})


def _version(address: str) -> int:
    return 6 if ':' in address else 4


def _ip(address: str, floating: Sequence[str]) -> IP:
    return IP(address=address, version=_version(address), type='fixed', floating_ips=[
        IP(address=one, version=_version(one), type='floating', floating_ips=[]) for one in floating])


def _subnet(subnet: JsonObject, addresses: Sequence[str], floating: Mapping[str, list[str]]) -> Subnet:
    return Subnet(
        id=subnet['id'], cidr=subnet['cidr'], version=subnet['ip_version'], gateway=subnet.get('gateway_ip'),
        dns=list(subnet.get('dns_nameservers', ())), dhcp_server=None,
        ipv6_address_mode=subnet.get('ipv6_address_mode'),
        routes=[{'cidr': route['destination'], 'gateway': route['nexthop']}
                for route in subnet.get('host_routes', ())],
        ips=[_ip(address, floating.get(address, [])) for address in addresses])


def _bridge(port: JsonObject, default: str) -> str | None:
    """Bridge that the port hangs on, by how it is plugged."""
    details = port.get('binding:vif_details') or {}
    if details.get('bridge_name'):
        return str(details['bridge_name'])
    kind = port.get('binding:vif_type')
    return default if kind == 'ovs' else f'brq{port["network_id"]}'[:_NAME] if kind == 'bridge' else None


def _vif(port: JsonObject, network: JsonObject, subnets: Mapping[str, JsonObject],
         floating: Mapping[str, list[str]], groups: Mapping[str, str], tag: str | None, made_by_us: bool,
         bridge: str) -> VIF:
    by_subnet: dict[str, list[str]] = {}
    for one in port['fixed_ips']:
        by_subnet.setdefault(one['subnet_id'], []).append(one['ip_address'])
    kind = port.get('binding:vif_type') or 'unbound'
    return VIF(
        id=port['id'], address=port['mac_address'], type=kind,
        vnic_type=port.get('binding:vnic_type') or 'normal',
        devname=f'tap{port["id"]}'[:_NAME], ovs_interfaceid=port['id'] if kind == 'ovs' else None,
        details=port.get('binding:vif_details') or {}, profile=port.get('binding:profile') or {},
        active=port.get('status') == 'ACTIVE' or not port.get('admin_state_up', True), made_by_us=made_by_us,
        delegate_create=True, tag=tag,
        security_groups=[groups.get(ident, ident) for ident in port.get('security_groups', ())],
        network=Network(
            id=port['network_id'], label=network.get('name'), bridge=_bridge(port, bridge),
            mtu=network.get('mtu'), physical_network=network.get('provider:physical_network'),
            tunneled=network.get('provider:network_type') in _TUNNELS,
            project_id=network.get('project_id') or network.get('tenant_id'),
            subnets=[_subnet(subnets[ident], addresses, floating)
                     for ident, addresses in by_subnet.items() if ident in subnets]))


def build(api: Api, ports: Sequence[JsonObject], *, tags: Mapping[str, str] | None = None,
          users: Iterable[str] | None = None, floating: bool = True, bridge: str = 'br-int') -> NetworkInfo:
    """Describe ports, in the order given.

    Args:
        tags: device tags by port id.
        users: ports known to be the user's own, for a Neutron without tags; None where nobody knows.
        floating: ask for floating addresses (new ports have none).
    """
    if not ports:
        return NetworkInfo(vifs=[])
    networks = {one['id']: one for one in api.networks(id=sorted({port['network_id'] for port in ports}))}
    subnets = {one['id']: one for one in api.subnets(
        {fixed['subnet_id'] for port in ports for fixed in port['fixed_ips']})}
    secured = sorted({ident for port in ports for ident in port.get('security_groups', ())})
    groups = {one['id']: one['name'] for one in api.groups(None, id=secured)} if secured else {}
    found: dict[str, dict[str, list[str]]] = {}
    for one in api.floating_ips([port['id'] for port in ports]) if floating else ():
        mine = found.setdefault(one['port_id'], {})
        mine.setdefault(one['fixed_ip_address'], []).append(one['floating_ip_address'])
    known = set(users) if users is not None and CAN_TAG not in api.extensions() else None

    def made(port: JsonObject) -> bool:
        return OURS in port.get('tags', ()) or (known is not None and port['id'] not in known)

    return NetworkInfo(vifs=[
        _vif(port, networks.get(port['network_id'], {}), subnets, found.get(port['id'], {}), groups,
             (tags or {}).get(port['id']), made(port), bridge) for port in ports])


def tags_of(info: NetworkInfo | None) -> dict[str, str]:
    """Device tags that a network info remembers; the network service does not know them."""
    return {vif.id: vif.tag for vif in info.vifs if vif.tag} if info is not None else {}
