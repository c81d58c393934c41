"""Ports of the network stand-in: addresses from subnets, bindings to hosts, and when a port is ACTIVE.

A real agent wires a port some time after it was bound; here binding a compute port to a host wires it at once,
unless `plugging` has other plans, and `on_active` is told after the transaction.
"""

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterator

from nova.common import problem, uuids
from nova.sandbox import netkinds as n
from nova.sandbox import plugging, qos, service, store
from nova.sandbox.store import Document, Rows

_MAC = re.compile(r'[0-9a-f]{2}(:[0-9a-f]{2}){5}')
_VIF_DETAILS = {'port_filter': True, 'connectivity': 'l2', 'bridge_name': 'br-int', 'datapath_type': 'system',
                'ovs_hybrid_plug': False, 'bound_drivers': {'0': 'openvswitch'}}
_FREE = ('name', 'description', 'admin_state_up', 'device_id', 'device_owner', 'allowed_address_pairs',
         'extra_dhcp_opts', 'dns_name', 'port_security_enabled', 'qos_policy_id')
"""What an owner may set on a port without further checks."""

_BINDING = ('binding:host_id', 'binding:profile')
_MAC_TRIES = 16
"""Addresses that are drawn for a port until one is free there: Neutron's ``mac_generation_retries``."""
_OWNERS = ('mac_address', 'port_security_enabled', 'allowed_address_pairs')
"""What the owner of a network may say of ports on it, and nobody else."""
_CREATABLE = frozenset({*_FREE, *_BINDING, 'binding:vnic_type', 'network_id', 'project_id', 'tenant_id',
                        'mac_address', 'fixed_ips', 'security_groups', 'tags', 'device_profile'})
_UPDATABLE = _CREATABLE - {'network_id', 'project_id', 'tenant_id', 'tags'}


class Addresses:
    """Which address of a subnet is whose."""

    @staticmethod
    def take(rows: Rows, subnet: Document, ip: str, port_id: str) -> Document:
        """Give one address to a port.

        Raises:
            IpAddressAlreadyAllocated: another one has it.
        """
        try:
            rows.insert(n.ALLOCATION, {'id': f'{subnet["id"]}/{ip}', 'network_id': subnet['network_id'],
                                       'port_id': port_id, 'subnet_id': subnet['id']})
        except store.Duplicate:
            raise n.IpAddressAlreadyAllocated(ip=ip, subnet=subnet['id']) from None
        return {'subnet_id': subnet['id'], 'ip_address': ip}

    @classmethod
    def next(cls, rows: Rows, subnet: Document, port_id: str) -> Document | None:
        """Give the next free address of a subnet to a port; None when there is none left.

        A cursor remembers where the last search ended, so that filling a subnet costs the same for each port.
        """
        cursor = rows.get(n.CURSOR, subnet['id']) or {'id': subnet['id'], 'after': 0, 'fresh': True}
        for ip in _from(subnet['allocation_pools'], cursor['after']):
            if rows.get(n.ALLOCATION, f'{subnet["id"]}/{ip}') is None:
                fresh = cursor.pop('fresh', False)
                (rows.insert if fresh else rows.update)(n.CURSOR, {**cursor, 'after': int(ip)})
                return cls.take(rows, subnet, str(ip), port_id)
        return None

    @classmethod
    def choose(cls, rows: Rows, network: Document, wanted: object, port_id: str) -> list[Document]:
        """Addresses for a port: as asked, or one of the first subnet of each IP version with room."""
        subnets = rows.list(n.SUBNET, parent=network['id'])
        if wanted is None:
            return cls._any(rows, network, subnets, port_id)
        if not isinstance(wanted, list) or not all(isinstance(item, dict) for item in wanted):
            raise n.HTTPBadRequest(why='Invalid input for fixed_ips. Reason: a list of objects is needed.')
        return [cls._one(rows, network, subnets, item, port_id) for item in wanted]

    @classmethod
    def _any(cls, rows: Rows, network: Document, subnets: list[Document], port_id: str) -> list[Document]:
        taken = []
        for version in (4, 6):
            candidates = [subnet for subnet in subnets if subnet['ip_version'] == version]
            found = next((ip for subnet in candidates if (ip := cls.next(rows, subnet, port_id))), None)
            if found:
                taken.append(found)
            elif candidates:
                raise n.IpAddressGenerationFailure(id=network['id'])
        return taken

    @classmethod
    def _one(cls, rows: Rows, network: Document, subnets: list[Document], wanted: Document,
             port_id: str) -> Document:
        asked = wanted.get('subnet_id')
        candidates = [subnet for subnet in subnets if asked in (None, subnet['id'])]
        if asked and not candidates:
            raise n.InvalidInput(why=f'Failed to create port on network {network["id"]}, because fixed_ips '
                                     f'included invalid subnet {asked}')
        if 'ip_address' not in wanted:
            for subnet in candidates:
                if found := cls.next(rows, subnet, port_id):
                    return found
            raise n.IpAddressGenerationFailure(id=network['id'])
        try:
            ip = ipaddress.ip_address(str(wanted['ip_address']))
        except ValueError:
            raise n.InvalidInput(why=f"'{wanted['ip_address']}' is not a valid IP address") from None
        for subnet in candidates:
            if ip in ipaddress.ip_network(subnet['cidr']):
                return cls.take(rows, subnet, str(ip), port_id)
        raise (n.InvalidIpForSubnet if asked else n.InvalidIpForNetwork)(ip=ip)


def _from(pools: list[Document], after: int) -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Addresses of the pools, those beyond `after` first."""
    ranges = [(ipaddress.ip_address(pool['start']), ipaddress.ip_address(pool['end'])) for pool in pools]
    for beyond in (True, False):
        for start, end in ranges:
            first = max(int(start), after + 1) if beyond else int(start)
            last = int(end) if beyond else min(int(end), after)
            for number in range(first, last + 1):
                yield type(start)(number)


class Ports:
    """The life of ports, within transactions of the caller's.

    Args:
        default_group: gives the id of a project's default security group.
        plugs: when ports that are bound become ACTIVE.
        on_active: told of each port that became ACTIVE on a host, after the transaction; must return soon.
    """

    def __init__(self, default_group: Callable[[Rows, str], str], plugs: plugging.Plugging,
                 on_active: Callable[[Document], object] | None = None) -> None:
        self._default_group = default_group
        self._plugs, self.on_active = plugs, on_active
        self.no_agent_on: set[str] = set()
        """Hosts on which no agent runs: binding there fails (for tests)."""
        self.bridge: str | None = None
        """Bridge of Linux into which hosts plug ports, where they have real guests and no Open vSwitch; empty
        is one a network, None Open vSwitch."""

    def create(self, rows: Rows, caller: service.Caller, body: Document) -> Document:
        """A new port from a request's body."""
        _only(body, _CREATABLE)
        network = n.network_for(rows, caller, body.get('network_id'))
        _check_rights(caller, body, 'create_port', network)
        qos.check(rows, caller, body)
        project = str(body.get('project_id') or body.get('tenant_id') or caller.project_id or '')
        if project != caller.project_id and not caller.privileged:
            raise n.PolicyNotAuthorized(rule='create_port')
        secure = bool(body.get('port_security_enabled', network['port_security_enabled']))
        device_owner = body.get('device_owner') or ''
        port = n.stamp({
            'network_id': network['id'], 'project_id': project, 'tenant_id': project, 'status': 'DOWN',
            'admin_state_up': True, 'device_id': '', 'device_owner': device_owner,
            'port_security_enabled': secure, 'allowed_address_pairs': [], 'extra_dhcp_opts': [],
            'dns_name': '', 'dns_assignment': [], 'qos_policy_id': None,
            'propagate_uplink_status': True, 'ip_allocation': 'immediate',
            'binding:vnic_type': body.get('binding:vnic_type') or 'normal', 'binding:host_id': '',
            'binding:profile': {}, 'binding:vif_type': 'unbound', 'binding:vif_details': {}})
        port.update({name: body[name] for name in _FREE if body.get(name) is not None})
        port['tags'] = list(body.get('tags') or [])
        port['device_profile'] = body.get('device_profile')
        port['mac_address'] = _mac(body.get('mac_address'))
        groups = body.get('security_groups')
        if groups is None:
            wanted = secure and not device_owner.startswith('network:')
            port['security_groups'] = [self._default_group(rows, project)] if wanted else []
        else:
            port['security_groups'] = _groups(rows, caller, groups, secure)
        port['fixed_ips'] = Addresses.choose(rows, network, body.get('fixed_ips'), port['id'])
        port['binding:profile'] = body.get('binding:profile') or {}
        self._bind(rows, port, body.get('binding:host_id') or '')
        for _ in range(_MAC_TRIES):
            try:
                return rows.insert(n.PORT, port)
            except store.Duplicate:
                if body.get('mac_address') or port['binding:vif_type'] == n.CARD:
                    break
                port['mac_address'] = _mac(None)
        raise n.MacAddressInUse(network=network['id'], mac=port['mac_address'])

    def update(self, rows: Rows, caller: service.Caller, ident: str, body: Document) -> Document:
        """A port changed by a request's body; the same when the body is empty."""
        old = n.port_for(rows, caller, ident)
        _only(body, _UPDATABLE)
        _check_rights(caller, body, 'update_port', rows.get(n.NETWORK, old['network_id']) or {})
        qos.check(rows, caller, body)
        port = dict(old)
        port.update({name: body[name] for name in _FREE if name in body})
        port.update({name: port[name] or '' for name in ('device_id', 'device_owner', 'name')})
        if body.get('mac_address') and body['mac_address'] != old['mac_address']:
            if old['binding:host_id'] and old['binding:vif_type'] not in ('unbound', 'binding_failed'):
                raise n.PortInUse(id=ident, network=port['network_id'], device=port['device_id'])
            port['mac_address'] = _mac(body['mac_address'])
        if 'security_groups' in body:
            port['security_groups'] = _groups(rows, caller, body['security_groups'] or [],
                                              port['port_security_enabled'])
        if 'fixed_ips' in body:
            port['fixed_ips'] = self._readdress(rows, port, body['fixed_ips'])
        if 'binding:profile' in body:
            port['binding:profile'] = body['binding:profile'] or {}
        if body.get('binding:vnic_type'):
            port['binding:vnic_type'] = body['binding:vnic_type']
        if 'binding:host_id' in body:
            host = body['binding:host_id'] or ''
            rows.delete(n.BINDING, f'{ident}/{host}')
            self._bind(rows, port, host)
        else:
            self._wire(port)
        try:
            return rows.update(n.PORT, n.touch(port))
        except store.Duplicate:
            raise n.MacAddressInUse(network=port['network_id'], mac=port['mac_address']) from None

    def delete(self, rows: Rows, caller: service.Caller, ident: str) -> None:
        port = n.port_for(rows, caller, ident)
        if port['device_owner'].startswith('network:router'):
            raise n.ServicePortInUse(id=ident, why=f'has device owner {port["device_owner"]}')
        self.drop(rows, port)

    @staticmethod
    def drop(rows: Rows, port: Document) -> None:
        """Forget a port with its addresses and bindings; floating addresses stay, unassociated."""
        rows.delete(n.PORT, port['id'])
        rows.delete_children(n.ALLOCATION, port['id'])
        rows.delete_children(n.BINDING, port['id'])
        for floating in rows.list(n.FLOATING, parent=port['id']):
            rows.update(n.FLOATING, n.touch({**floating, 'port_id': None, 'fixed_ip_address': None,
                                             'status': 'DOWN'}))

    def announce(self, old: Document | None, port: Document) -> None:
        """After a transaction: see to a port that is now on a host, or ACTIVE there, and was not so before."""
        was = (old['status'], old['binding:host_id']) if old else ('DOWN', '')
        if _to_plug(port) and port['status'] == 'DOWN' and port['binding:host_id'] != was[1]:
            self._plugs.bound(port)
        if self.on_active and port['binding:host_id'] and port['status'] == 'ACTIVE' \
                and was != ('ACTIVE', port['binding:host_id']):
            self.on_active(dict(port))

    @staticmethod
    def _readdress(rows: Rows, port: Document, wanted: object) -> list[Document]:
        """Change the addresses of a port, keeping those that are asked for again."""
        network = rows.get(n.NETWORK, port['network_id']) or {}
        asked = wanted if isinstance(wanted, list) else []
        kept = [item for item in port['fixed_ips'] if any(
            isinstance(one, dict) and one.get('ip_address') == item['ip_address'] for one in asked)]
        for item in port['fixed_ips']:
            if item not in kept:
                rows.delete(n.ALLOCATION, f'{item["subnet_id"]}/{item["ip_address"]}')
        known = {item['ip_address'] for item in kept}
        new = [one for one in asked if not (isinstance(one, dict) and one.get('ip_address') in known)]
        return kept + Addresses.choose(rows, network, new, port['id'])

    def _bind(self, rows: Rows, port: Document, host: str) -> None:
        """Bind a port to a host, or, with no host, to none. One that is a whole card has the card's address."""
        if port['binding:host_id'] != host:
            port['status'] = 'DOWN'
        port['binding:host_id'] = host
        vif = self.vif(rows, port, host, port['binding:vnic_type'])
        before = port['binding:vif_type']
        port['binding:vif_type'], port['binding:vif_details'] = vif['vif_type'], vif['vif_details']
        if vif['vif_type'] == n.CARD:
            port['mac_address'] = _mac(port['binding:profile'].get('device_mac_address') or port['mac_address'])
        elif before == n.CARD:
            port['mac_address'] = _mac(None)
        self._wire(port)

    def _wire(self, port: Document) -> None:
        """ACTIVE is a port that is up and the network's own, or a compute server's that is plugged."""
        internal = port['device_owner'].startswith('network:') and port['device_owner'] != 'network:floatingip'
        plugged = _to_plug(port) and (self._plugs.at_once or port['status'] == 'ACTIVE')
        port['status'] = 'ACTIVE' if port['admin_state_up'] and (plugged or internal) else 'DOWN'

    def vif(self, rows: Rows, port: Document, host: str, vnic_type: str) -> Document:
        """How a host plugs a port."""
        if not host:
            return {'vif_type': 'unbound', 'vif_details': {}}
        if host in self.no_agent_on:
            return {'vif_type': 'binding_failed', 'vif_details': {}}
        if vnic_type in n.DEVICES:
            return _device(rows.get(n.NETWORK, port['network_id']) or {}, n.DEVICES[vnic_type])
        if self.bridge is not None:
            named = {'bridge_name': self.bridge} if self.bridge else {}
            return {'vif_type': 'bridge', 'vif_details': {'port_filter': True, 'connectivity': 'l2', **named}}
        return {'vif_type': 'ovs', 'vif_details': dict(_VIF_DETAILS)}

    # More than one binding, for live migration

    def bindings(self, rows: Rows, port: Document) -> list[Document]:
        """The active binding, when there is one, and the inactive ones."""
        return ([_active(port)] if port['binding:host_id'] else []) + [
            _shown(item) for item in rows.list(n.BINDING, parent=port['id'])]

    def add_binding(self, rows: Rows, port: Document, body: Document) -> Document:
        """An inactive binding on another host."""
        host = body.get('host')
        if not isinstance(host, str) or not host:
            raise n.HTTPBadRequest(why="Failed to parse request. Required attribute 'host' not specified")
        if not port['device_owner'].startswith('compute:'):
            raise n.HTTPBadRequest(why=f'Port {port["id"]} is not owned by a compute instance.')
        document = {'id': f'{port["id"]}/{host}', 'port_id': port['id'], 'host': host, 'status': 'INACTIVE',
                    'vnic_type': body.get('vnic_type') or port['binding:vnic_type'],
                    'profile': body.get('profile') or {},
                    **self.vif(rows, port, host, body.get('vnic_type') or port['binding:vnic_type'])}
        if host == port['binding:host_id']:
            raise n.PortBindingAlreadyExists(port_id=port['id'], host=host)
        if document['vif_type'] == 'binding_failed':
            raise n.error(500, 'PortBindingError', 'Binding for port {port_id} on host {host} could not be '
                                                   'created.')(port_id=port['id'], host=host)
        try:
            return _shown(rows.insert(n.BINDING, document))
        except store.Duplicate:
            raise n.PortBindingAlreadyExists(port_id=port['id'], host=host) from None

    def binding(self, rows: Rows, port: Document, host: str) -> Document:
        found = next((item for item in self.bindings(rows, port) if item['host'] == host), None)
        if found is None:
            raise n.PortBindingNotFound(port_id=port['id'], host=host)
        return found

    def change_binding(self, rows: Rows, port: Document, host: str, body: Document) -> Document:
        """Change the profile or vnic_type of a binding."""
        change: Document = {name: body[name] for name in ('profile', 'vnic_type') if name in body}
        found = self.binding(rows, port, host)
        if found['status'] == 'ACTIVE':
            rows.update(n.PORT, n.touch({**port, **{f'binding:{name}': item for name, item in change.items()}}))
        else:
            rows.update(n.BINDING, {'id': f'{port["id"]}/{host}', 'port_id': port['id'], **found, **change})
        return {**found, **change}

    def activate(self, rows: Rows, port: Document, host: str) -> Document:
        """Make a host's binding the active one, the other one inactive; the port afterwards."""
        target = self.binding(rows, port, host)
        if target['status'] == 'ACTIVE':
            raise n.PortBindingAlreadyActive(port_id=port['id'], host=host)
        rows.delete(n.BINDING, f'{port["id"]}/{host}')
        if port['binding:host_id']:
            old = _active(port)
            rows.insert(n.BINDING, {**old, 'id': f'{port["id"]}/{old["host"]}', 'port_id': port['id'],
                                    'status': 'INACTIVE'})
        changed = {**port, 'binding:host_id': host, 'binding:profile': target['profile'],
                   'binding:vnic_type': target['vnic_type'], 'binding:vif_type': target['vif_type'],
                   'binding:vif_details': target['vif_details'], 'status': 'DOWN'}
        self._wire(changed)
        return rows.update(n.PORT, n.touch(changed))

    def remove_binding(self, rows: Rows, port: Document, host: str) -> None:
        """Drop a binding; without its active one, a port is unbound."""
        if self.binding(rows, port, host)['status'] == 'ACTIVE':
            changed = dict(port)
            self._bind(rows, changed, '')
            rows.update(n.PORT, n.touch(changed))
        else:
            rows.delete(n.BINDING, f'{port["id"]}/{host}')


def _device(network: Document, vif_type: str) -> Document:
    """A port that is a device of the host is bound in a network of VLANs or a flat one alone."""
    kind = network.get('provider:network_type')
    if kind not in ('vlan', 'flat') or not network.get('provider:physical_network'):
        return {'vif_type': 'binding_failed', 'vif_details': {}}
    tag = network.get('provider:segmentation_id') if kind == 'vlan' else 0
    return {'vif_type': vif_type, 'vif_details': {'port_filter': False, 'connectivity': 'l2', 'vlan': str(tag)}}


def _to_plug(port: Document) -> bool:
    """Whether an agent would plug the port: it is a compute server's, and bound; a device is named."""
    bound = bool(port['binding:host_id']) and port['binding:vif_type'] != 'binding_failed'
    named = port['binding:vnic_type'] not in n.DEVICES or 'pci_slot' in port['binding:profile']
    return port['device_owner'].startswith('compute:') and bound and named


def _active(port: Document) -> Document:
    return {'host': port['binding:host_id'], 'status': 'ACTIVE', 'profile': port['binding:profile'],
            **{name: port[f'binding:{name}'] for name in ('vif_type', 'vif_details', 'vnic_type')}}


def _shown(binding: Document) -> Document:
    return {key: value for key, value in binding.items() if key not in ('id', 'port_id')}


def _only(body: Document, known: frozenset[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise n.HTTPBadRequest(why=f"Unrecognized attribute(s) '{', '.join(unknown)}'")


def _check_rights(caller: service.Caller, body: Document, rule: str, network: Document) -> None:
    """Bindings are the services', the choice of addresses the network's owner's.

    Raises:
        PolicyNotAuthorized: the caller is neither.
    """
    if caller.privileged:
        return
    kept = [name for name in _BINDING if name in body]
    if not caller.owns(network):
        kept += [name for name in _OWNERS if name in body]
        addresses = body.get('fixed_ips')
        chosen = isinstance(addresses, list) and any(
            isinstance(one, dict) and one.get('ip_address') for one in addresses)
        kept += ['fixed_ips:ip_address'] if chosen else []
    if kept:
        raise n.PolicyNotAuthorized(rule=f'{rule} and rule:{rule}:{kept[0]}')


def _mac(asked: object) -> str:
    if asked is None:
        return 'fa:16:3e:' + ':'.join(f'{octet:02x}' for octet in secrets.token_bytes(3))
    octets = str(asked).lower().replace('-', ':').split(':')
    if not _MAC.fullmatch(':'.join(octets)):
        raise n.HTTPBadRequest(why=f"Invalid input for mac_address. Reason: '{asked}' is not a valid MAC "
                                   'address.')
    return ':'.join(octets)


def _groups(rows: Rows, caller: service.Caller, wanted: object, secure: bool) -> list[str]:
    if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
        raise n.HTTPBadRequest(why='Invalid input for security_groups. Reason: a list of ids is needed.')
    if wanted and not secure:
        raise problem.Conflict('Port Security must be enabled in order to have allowed address pairs or '
                               'security groups on a port.')
    for ident in wanted:
        found = rows.get(n.GROUP, ident) if uuids.is_uuid(ident) else None
        if found is None or not caller.owns(found):
            raise n.SecurityGroupNotFound(id=ident)
    return list(dict.fromkeys(wanted))
