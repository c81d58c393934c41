"""``network_data.json``: a guest's interfaces and addresses, for those that no DHCP tells."""

import ipaddress

from nova.common.jsonutil import JsonObject
from nova.domain.instance_metadata.subject import Subject
from nova.objects.network_model import IP, Subnet

_WIRED = {'ethernet', 'hostdev_physical', None}


def document(subject: Subject) -> JsonObject:
    """Links, networks over them, and name servers."""
    links: list[JsonObject] = []
    networks: list[JsonObject] = []
    services: list[JsonObject] = []
    for vif in subject.vifs:
        link = vif.devname or f'interface{len(links)}'
        links.append({'id': link, 'vif_id': vif.id, 'type': 'phy' if vif.type in _WIRED else vif.type,
                      'mtu': vif.network.mtu, 'ethernet_mac_address': vif.address})
        for subnet in vif.network.subnets:
            for ip in subnet.ips:
                network = _network(f'network{len(networks)}', link, vif.network.id, subnet, ip)
                networks.append(network)
                services += [one for one in network['services'] if one not in services]
    return {'links': links, 'networks': networks, 'services': services}


def _network(name: str, link: str, network: str, subnet: Subnet, ip: IP) -> JsonObject:
    kind = f'ipv{ip.version}'
    mode = subnet.ipv6_address_mode
    found = {'id': name, 'link': link, 'type': f'{kind}_{mode}' if mode else kind, 'network_id': network,
             'ip_address': ip.address, 'routes': _routes(subnet, ip.version),
             'services': [{'type': 'dns', 'address': server} for server in subnet.dns]}
    if subnet.cidr:
        found['netmask'] = str(ipaddress.ip_network(subnet.cidr).netmask)
    return found


def _routes(subnet: Subnet, version: int) -> list[JsonObject]:
    nowhere = '::' if version == 6 else '0.0.0.0'
    found = [{'network': nowhere, 'netmask': nowhere, 'gateway': subnet.gateway}] if subnet.gateway else []
    for route in subnet.routes:
        target = ipaddress.ip_network(route['cidr'])
        found.append({'network': str(target.network_address), 'netmask': str(target.netmask),
                      'gateway': route['gateway']})
    return found
