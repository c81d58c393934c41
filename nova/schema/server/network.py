"""Networks, addresses and names on them."""


from nova import states
from nova.common.jsonutil import JsonObject
from nova.objects.instance import Instance
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field, Span
from nova.schema.server import faces


def addresses(server: Instance, look: object, extended: bool = True) -> dict[str, list[JsonObject]]:
    """Addresses by the name of their network; none while the server is being built."""
    found: dict[str, list[JsonObject]] = {}
    if server.vm_state == states.VM.BUILDING:
        return found
    for vif in server.network_info.vifs if server.network_info else ():
        for fixed in vif.fixed_ips():
            for ip in (fixed, *fixed.floating_ips):
                entry = {'version': ip.version, 'addr': ip.address}
                if extended:
                    entry.update({'OS-EXT-IPS:type': ip.type, 'OS-EXT-IPS-MAC:mac_addr': vif.address})
                found.setdefault(vif.network.label or '', []).append(entry)
    return found


def plain_addresses(server: Instance, look: object) -> dict[str, list[JsonObject]]:
    return addresses(server, look, extended=False)


def _security_groups(server: Instance, look: object) -> object:
    vifs = server.network_info.vifs if server.network_info else ()
    names = dict.fromkeys(name for vif in vifs for name in vif.security_groups)
    return [{'name': name} for name in names] or ABSENT


def _plain_until_whole(face: str) -> tuple[Span, ...]:
    if face in ('updated', 'rebuilt'):
        return Span('2.1', '2.74', get=plain_addresses), Span('2.75')
    return (Span('2.1'),)


NETWORK_TAGS = (Span('2.32', '2.36'), Span('2.42'))


class RequestedNetwork(Document):
    """One item of ``networks``."""

    fixed_ip = Field(types.text(format='ip'), 'The address to have.', create='2.1')
    port = Field(types.nullable(types.UUID), 'An existing port.', create='2.1')
    uuid = Field(types.UUID, 'The network.', create=[Span('2.1', '2.36', type=types.TEXT), Span('2.37')])
    tag = Field(types.TAG, 'Label by which the guest knows the interface.', create=NETWORK_TAGS)


class SecurityGroup(Document):
    name = Field(types.NAME, 'Name or UUID.', create='2.1')


HOSTNAMES = (Span('2.90', '2.93', type=types.HOSTNAME), Span('2.94', type=types.FQDN))
NETWORKS = types.array(RequestedNetwork)


class Network(Document):
    addresses = Field(types.OBJECT, 'Addresses by network.', get=addresses, needs=('network_info',),
                      **faces.each(_plain_until_whole))
    accessIPv4 = Field(types.text(format='ipv4'), 'IPv4 address to reach it by.',
                       attribute='access_ip_v4', keep=types.canonical_ip,
                       get=lambda s, look: str(s.access_ip_v4 or ''), create='2.1', update='2.1', rebuild='2.1',
                       **faces.ALWAYS)
    accessIPv6 = Field(types.text(format='ipv6'), 'IPv6 address to reach it by.',
                       attribute='access_ip_v6', keep=types.canonical_ip,
                       get=lambda s, look: str(s.access_ip_v6 or ''), create='2.1', update='2.1', rebuild='2.1',
                       **faces.ALWAYS)
    networks = Field(NETWORKS, 'Networks and ports; auto makes one, none is without.', create=[
        Span('2.1', '2.36'),
        Span('2.37', type=types.either(NETWORKS, types.enum('auto', 'none')), required=True)])
    security_groups = Field(
        types.array({'type': 'object', 'properties': {'name': types.TEXT}, 'required': ['name']}),
        'Its security groups.', get=_security_groups, maybe=True, needs=('network_info',),
        create=Span(type=types.array(SecurityGroup)), **faces.EXTENDED)
    hostname = Field(types.FQDN, 'Host name inside the guest.', attribute='hostname', create=HOSTNAMES,
                     update=HOSTNAMES, rebuild=HOSTNAMES)
