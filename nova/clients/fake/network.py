"""Neutron in memory, one level below the network client: requests, not operations.

The client above it is the real one, so a crash between two ports of one allocation is found here as it would be
in the field. Ports become ACTIVE when they are bound, unless `FakeApi.plugs` says otherwise.
"""

import copy
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.fake.base import Fake, Hooks, effect, probe
from nova.clients.neutron.api import Context, Filter
from nova.common import uuids
from nova.common.jsonutil import JsonObject

_FAILED = 'binding_failed'
_DEVICES = {'direct': 'hw_veb', 'macvtap': 'hw_veb', 'direct-physical': 'hostdev_physical'}
_DETAILS = {'port_filter': True, 'bridge_name': 'br-int', 'datapath_type': 'system', 'ovs_hybrid_plug': False}


class FakeApi(Fake):
    """`neutron.api.Api` in memory. ``all_ports`` and ``all_networks`` are open to assertions."""

    def __init__(self, hooks: Hooks | None = None) -> None:
        super().__init__(hooks)
        self.all_networks: dict[str, JsonObject] = {}
        self.all_subnets: dict[str, JsonObject] = {}
        self.all_ports: dict[str, JsonObject] = {}
        self.all_floating_ips: dict[str, JsonObject] = {}
        self.all_groups: dict[str, JsonObject] = {}
        self.all_bindings: dict[str, dict[str, JsonObject]] = {}
        self.room: int | None = None
        self.auto: str | None = None
        self.no_agent_on: set[str] = set()
        """Hosts on which binding fails."""
        self.aliases = frozenset({'tag-ports-during-bulk-creation', 'dns-integration', 'binding-extended',
                                  'ip-substring-filtering', 'port-resource-request'})
        self.asks: dict[str, JsonObject] = {}
        """What ports of a QoS policy ask of their host, by its id."""
        self.plugs = True
        """Whether ports become ACTIVE when they are bound; without it, when `plug` says so."""
        self.on_active: Callable[[JsonObject], object] | None = None
        """Told of each port that became ACTIVE, as Neutron tells Compute."""
        self._serial = 0

    # What a test puts there

    def add_network(self, project_id: str = 'project', cidr: str | None = '10.0.0.0/16', *,
                    shared: bool = False, external: bool = False, network_id: str | None = None,
                    name: str = 'private') -> str:
        """A network with one subnet (none when `cidr` is None)."""
        network_id = network_id or uuids.generate()
        self.all_networks[network_id] = {
            'id': network_id, 'name': name, 'project_id': project_id, 'tenant_id': project_id, 'shared': shared,
            'router:external': external, 'mtu': 1450, 'subnets': [], 'port_security_enabled': True,
            'admin_state_up': True, 'status': 'ACTIVE', 'provider:network_type': 'geneve',
            'provider:physical_network': None, 'vlan_transparent': False, 'qos_policy_id': None}
        if cidr:
            subnet = uuids.generate()
            net = ipaddress.ip_network(cidr)
            self.all_subnets[subnet] = {
                'id': subnet, 'network_id': network_id, 'cidr': cidr, 'ip_version': net.version,
                'gateway_ip': str(net[1]), 'dns_nameservers': [], 'host_routes': [], 'enable_dhcp': True,
                'allocation_pools': [{'start': str(net[2]), 'end': str(net[-2])}]}
            self.all_networks[network_id]['subnets'].append(subnet)
        return network_id

    def add_group(self, name: str, project_id: str = 'project') -> str:
        """A security group."""
        ident = uuids.generate()
        self.all_groups[ident] = {'id': ident, 'name': name, 'project_id': project_id}
        return ident

    def add_port(self, network_id: str, project_id: str = 'project', **more: object) -> str:
        """A port of a user's."""
        with self.lock:
            return str(self._make({'network_id': network_id, 'project_id': project_id, **more})['id'])

    # The API

    @probe
    def extensions(self) -> frozenset[str]:
        return self.aliases

    @probe
    def networks(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        found = [one for one in self.all_networks.values() if self.sees(context, one)]
        return _filtered(found, filters)

    @staticmethod
    def sees(context: Context, one: JsonObject) -> bool:
        """Whether a caller may see a network, port or group."""
        return (context is None or not context.auth_token or context.is_admin or one.get('shared', False)
                or one.get('router:external', False) or one['project_id'] == context.project_id)

    @probe
    def subnets(self, ids: Iterable[str]) -> list[JsonObject]:
        return _filtered(list(self.all_subnets.values()), {'id': list(ids)})

    @probe
    def ports(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        how, _, address = str(filters.pop('fixed_ips', '')).partition('=')
        filters.pop('fields', None)
        limit = filters.pop('limit', None)
        most = None if limit is None else int(str(limit))
        seen = [port for port in self.all_ports.values() if self.sees(context, port)]
        return [_shown(port, context) for port in _filtered(seen, filters) if not how or any(
            address in one['ip_address'] if how == 'ip_address_substr' else one['ip_address'] == address
            for one in port['fixed_ips'])][:most]

    @probe
    def port(self, port_id: str, context: Context = None) -> JsonObject:
        port = self.all_ports.get(port_id)
        if port is None or not self.sees(context, port):
            raise errors.network.PortNotFound(port=port_id)
        return _shown(copy.deepcopy(port), context)

    @effect
    def create_port(self, body: JsonObject, context: Context = None) -> JsonObject:
        if context is not None and context.auth_token and not context.is_admin:
            _check_rights(self, context, body)
        return _shown(copy.deepcopy(self._make(body)), context)

    def _make(self, body: JsonObject) -> JsonObject:
        network = self.all_networks.get(body['network_id'])
        if network is None:
            raise errors.network.NetworkNotFound(network=body['network_id'])
        self._serial += 1
        ident = uuids.generate()
        mac = f'fa:16:3e:00:{self._serial // 256:02x}:{self._serial % 256:02x}'
        port = {'id': ident, 'name': '', 'status': 'DOWN', 'admin_state_up': True, 'device_id': '',
                'device_owner': '', 'mac_address': mac,
                'created_at': f'{self._serial:08d}', 'tags': [], 'port_security_enabled': True,
                'security_groups': [], 'binding:vnic_type': 'normal', 'binding:profile': {},
                'binding:host_id': '', 'allowed_address_pairs': [], 'qos_policy_id': None,
                'qos_network_policy_id': network.get('qos_policy_id'),
                **{key: value for key, value in body.items() if key != 'fixed_ips'}}
        port['fixed_ips'] = self._addresses(network, [one['ip_address'] for one in body.get('fixed_ips', ())])
        port['resource_request'] = self.asks.get(port['qos_policy_id'] or port['qos_network_policy_id'] or '')
        self._plug(port)
        self.all_ports[ident] = port
        return port

    def _addresses(self, network: JsonObject, wanted: list[str]) -> list[JsonObject]:
        taken = {one['ip_address'] for port in self.all_ports.values() if port['network_id'] == network['id']
                 for one in port['fixed_ips']}
        out = []
        for ident in network['subnets']:
            subnet = self.all_subnets[ident]
            net = ipaddress.ip_network(subnet['cidr'])
            mine = [ip for ip in wanted if ipaddress.ip_address(ip) in net]
            if any(ip in taken for ip in mine):
                raise errors.network.FixedIpInUse(address=mine[0])
            if not wanted:
                mine = [next(str(ip) for ip in net.hosts() if str(ip) not in taken and ip != net[1])]
            out += [{'subnet_id': ident, 'ip_address': ip} for ip in mine]
        if wanted and not out:
            raise errors.network.FixedIpInvalid(address=wanted[0])
        return out

    def _plug(self, port: JsonObject) -> None:
        """Binding, as far as it goes, and the status that follows from it."""
        host = port.get('binding:host_id') or ''
        plugged = 'ovs'
        if port['binding:vnic_type'] in _DEVICES:
            physical = self.all_networks[port['network_id']].get('provider:physical_network')
            plugged = _DEVICES[port['binding:vnic_type']] if physical else _FAILED
        kind = 'unbound' if not host else _FAILED if host in self.no_agent_on else plugged
        port['binding:vif_type'] = kind
        port['binding:vif_details'] = dict(_DETAILS) if kind == 'ovs' else {}
        named = kind == 'ovs' or 'pci_slot' in port['binding:profile']
        able = kind not in ('unbound', _FAILED) and named and port['device_id'] and (
            self.plugs or port['status'] == 'ACTIVE')
        was, port['status'] = port['status'], 'ACTIVE' if able else 'DOWN'
        if self.on_active and port['status'] == 'ACTIVE' != was:
            self.on_active(copy.deepcopy(port))

    def _known(self, port_id: str) -> JsonObject:
        if port_id not in self.all_ports:
            raise errors.network.PortNotFound(port=port_id)
        return self.all_ports[port_id]

    @effect
    def update_port(self, port_id: str, body: JsonObject) -> JsonObject:
        port = self._known(port_id)
        if 'binding:host_id' in body and body['binding:host_id'] != port['binding:host_id']:
            port['status'] = 'DOWN'
        port.update(copy.deepcopy({key: value for key, value in body.items() if key != 'fixed_ips'}))
        if 'fixed_ips' in body:
            port['fixed_ips'] = _given(self, port, body['fixed_ips'])
        self._plug(port)
        return copy.deepcopy(port)

    @effect
    def delete_port(self, port_id: str) -> None:
        self.all_ports.pop(port_id, None)
        self.all_bindings.pop(port_id, None)

    @probe
    def floating_ips(self, port_ids: Sequence[str]) -> list[JsonObject]:
        return _filtered(list(self.all_floating_ips.values()), {'port_id': list(port_ids)})

    @probe
    def groups(self, context: Context, fields: Sequence[str] = (), **filters: Filter) -> list[JsonObject]:
        return _filtered([one for one in self.all_groups.values() if self.sees(context, one)], filters)

    @probe
    def port_room(self, context: nova_context.RequestContext) -> int | None:
        return self.room

    @probe
    def auto_network(self, project_id: str, context: Context, *, dry_run: bool) -> str | None:
        return self.auto

    @probe
    def bindings(self, port_id: str) -> list[JsonObject]:
        if port_id not in self.all_ports:
            return []
        port = self.all_ports[port_id]
        active = [{'host': port['binding:host_id'], 'status': 'ACTIVE',
                   'profile': port['binding:profile']}] if port['binding:host_id'] else []
        return active + [dict(one) for one in self.all_bindings.get(port_id, {}).values()]

    @effect
    def add_binding(self, port_id: str, host: str, vnic_type: str, profile: JsonObject) -> None:
        self._known(port_id)
        if host in self.no_agent_on:
            raise errors.network.PortBindingFailed(port=port_id)
        self.all_bindings.setdefault(port_id, {})[host] = {
            'host': host, 'status': 'INACTIVE', 'profile': copy.deepcopy(profile)}

    @effect
    def activate_binding(self, port_id: str, host: str) -> None:
        port = self._known(port_id)
        others = self.all_bindings.setdefault(port_id, {})
        if host not in others:
            raise errors.network.PortNotFound(port=port_id)
        target = others.pop(host)
        if port['binding:host_id']:
            others[port['binding:host_id']] = {'host': port['binding:host_id'], 'status': 'INACTIVE',
                                               'profile': port['binding:profile']}
        port['binding:host_id'], port['status'] = host, 'DOWN'
        port['binding:profile'] = target['profile']
        self._plug(port)

    @effect
    def delete_binding(self, port_id: str, host: str) -> None:
        self.all_bindings.get(port_id, {}).pop(host, None)


def _check_rights(api: FakeApi, context: nova_context.RequestContext, body: JsonObject) -> None:
    """What Neutron refuses to users, whoever vouches for their token."""
    network = api.all_networks.get(body['network_id'])
    if network is None or not api.sees(context, network):
        raise errors.network.NetworkNotFound(network=body['network_id'])
    for ident in body.get('security_groups', ()):
        if ident not in api.all_groups or not api.sees(context, api.all_groups[ident]):
            raise errors.network.SecurityGroupNotFound(group=ident)
    chosen = {'mac_address', 'allowed_address_pairs', 'port_security_enabled'} & set(body) or any(
        'ip_address' in one for one in body.get('fixed_ips', ()))
    bound = any(name.startswith('binding:') and name != 'binding:vnic_type' for name in body)
    foreign = body.get('project_id', context.project_id) != context.project_id
    if bound or foreign or (chosen and network['project_id'] != context.project_id):
        raise errors.Forbidden('rule:create_port is disallowed by policy')


def _given(api: FakeApi, port: JsonObject, wanted: list[JsonObject]) -> list[JsonObject]:
    """Addresses of a port that is there: those that are named, and free ones of the subnets without."""
    taken = {one['ip_address'] for other in api.all_ports.values() for one in other['fixed_ips']
             if other['network_id'] == port['network_id']}
    given = []
    for one in wanted:
        net = ipaddress.ip_network(api.all_subnets[one['subnet_id']]['cidr'])
        free = (str(ip) for ip in net.hosts() if str(ip) not in taken and ip != net[1])
        address = one.get('ip_address') or next(free)
        taken.add(address)
        given.append({'subnet_id': one['subnet_id'], 'ip_address': address})
    return given


def plug(api: FakeApi, port_id: str) -> None:
    """An agent has plugged in a port of `api`."""
    with api.lock:
        api.all_ports[port_id]['status'] = 'ACTIVE'


def add_policy(api: FakeApi, packets: int) -> str:
    """A QoS policy with a minimum packet rate, or (0) none; this Neutron has no groups of requests."""
    ident = uuids.generate()
    if packets:
        api.asks[ident] = {'required': ['CUSTOM_VNIC_TYPE_NORMAL'],
                           'resources': {'NET_PACKET_RATE_KILOPACKET_PER_SEC': packets}}
    return ident


def _shown(port: JsonObject, context: Context) -> JsonObject:
    """A port as its reader sees it: what it asks of its host is no user's business."""
    if context is not None and context.auth_token and not context.is_admin:
        port.pop('resource_request', None)
    return port


def _filtered(found: list[JsonObject], filters: Mapping[str, Filter]) -> list[JsonObject]:
    """Copies of the documents that have the value, or one of the values, of each filter."""
    return [copy.deepcopy(one) for one in found if all(
        one.get(key) in value if isinstance(value, (list, set)) else one.get(key) == value
        for key, value in filters.items())]
