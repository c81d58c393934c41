"""What a user asked of the network, checked before anything is made, with the user's own rights."""

import logging
from collections.abc import Callable, Iterable, Sequence

from oslo_utils import strutils

from nova import context as nova_context
from nova import errors
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject
from nova.domain import pci, port_requests
from nova.objects.network import NetworkRequest

LOG = logging.getLogger(__name__)

AUTO, NONE = 'auto', 'none'

_SAYS_SO = 'port-resource-request'
"""The extension by which Neutron says what ports ask of their hosts."""
_POLICIES = ('qos_policy_id', 'qos_network_policy_id')
"""Fields of a port that are None where it has no QoS policy; a Neutron may lack either."""


def _usable(api: Api, context: nova_context.RequestContext) -> list[JsonObject]:
    """Networks the project owns, and shared ones."""
    own = api.networks(context, project_id=context.project_id, shared=False)
    seen = {network['id'] for network in own}
    return own + [network for network in api.networks(context, shared=True) if network['id'] not in seen]


def _only_one(api: Api, context: nova_context.RequestContext) -> JsonObject | None:
    """The network of a user who named none: the only one there is; None when there is none.

    Raises:
        NetworkAmbiguous: more than one.
    """
    found = [network for network in _usable(api, context) if not network.get('router:external')]
    if len(found) > 1:
        raise errors.network.NetworkAmbiguous()
    return found[0] if found else None


def check(api: Api, context: nova_context.RequestContext, requested: Sequence[NetworkRequest], count: int,
          make: Callable[[str], NetworkRequest]) -> list[NetworkRequest]:
    """Requests made definite; see `NetworkClient.check`.

    Args:
        make: makes a request of a network id.

    Raises:
        NetworkNotFound, NetworkAmbiguous, NetworkForbidden, NetworkNeedsSubnet, PortNotFound, PortInUse,
        PortNotUsable, FixedIpInUse, PortLimitExceeded: as their names say.
    """
    asked = list(requested)
    if len(asked) == 1 and asked[0].network_id == NONE:
        return asked
    if not asked or (len(asked) == 1 and asked[0].network_id == AUTO):
        found = _only_one(api, context)
        if found is None:
            return _auto(api, context, asked)
        _check_network(found, context)
        _check_room(api, context, count)
        return [make(found['id'])]
    ports = [_check_port(api, context, request) for request in asked if request.port_id]
    claims = claimed(api, ports)
    for request in asked:
        request.claims = claims.get(request.port_id or '', [])
        if request.claims and request.device is not None:
            raise errors.network.PortAsksResources(
                port=request.port_id, reason='one that is a device of its host may not.')
    named = {request.network_id for request in asked if request.network_id and not request.port_id}
    networks = {network['id']: network for network in api.networks(context, id=named)} if named else {}
    for ident in sorted(named):
        if ident not in networks:
            raise errors.network.NetworkNotFound(network=ident)
        _check_network(networks[ident], context)
    for request in asked:
        if request.address and not request.port_id:
            _check_address(api, context, request)
    to_make = _ports(asked)
    if to_make:
        _check_room(api, context, to_make * count)
    return asked


def fitting(api: Api, context: nova_context.RequestContext, checked: Sequence[NetworkRequest], most: int
            ) -> int:
    """How many servers get their ports; see `NetworkClient.fitting`."""
    each = _ports(checked)
    room = api.port_room(context) if each else None
    return most if room is None else min(most, room // each)


def _ports(requested: Sequence[NetworkRequest]) -> int:
    """How many ports have to be made for one server."""
    return sum(1 for request in requested if not request.port_id and request.network_id != NONE)


def _auto(api: Api, context: nova_context.RequestContext, asked: list[NetworkRequest]) -> list[NetworkRequest]:
    """No network is there: with ``auto`` one can be made later, else the server gets none."""
    if not asked:
        return []
    if not context.project_id or api.auto_network(context.project_id, context, dry_run=True) is None:
        raise errors.Invalid('Unable to automatically allocate a network for project '
                             f'{context.project_id}: the network service offers none.')
    return asked


def _check_network(network: JsonObject, context: nova_context.RequestContext) -> None:
    if network.get('router:external') and not network.get('shared') and not context.is_admin \
            and network.get('project_id') != context.project_id:
        raise errors.network.NetworkForbidden(network=network['id'])
    if not network.get('subnets') and network.get('port_security_enabled', True):
        raise errors.network.NetworkNeedsSubnet(network=network['id'])


def _check_port(api: Api, context: nova_context.RequestContext, request: NetworkRequest) -> JsonObject:
    """The port, as the user sees it."""
    port = api.port(request.port_id or '', context)
    check_owner(port, context.project_id)
    if port.get('device_id'):
        raise errors.network.PortInUse(port=request.port_id)
    if not port.get('fixed_ips') and port.get('ip_allocation') not in ('none', 'deferred'):
        raise errors.Invalid(f'Port {request.port_id} requires a FixedIP in order to be used.')
    request.network_id = port['network_id']
    vnic_type = port.get('binding:vnic_type') or 'normal'
    if vnic_type in pci.VNICS:
        request.device = _device(api, port, vnic_type)
    return port


def _device(api: Api, port: JsonObject, vnic_type: str) -> JsonObject:
    """What a port is that is a device of the host; users are not shown physical networks, so we ask for them.

    Raises:
        Invalid: its network is on none.
    """
    network = next(iter(api.networks(id=[port['network_id']])), {})
    physical = network.get('provider:physical_network')
    trusted = strutils.bool_from_string((port.get('binding:profile') or {}).get('trusted'))
    pci.of_port(vnic_type, physical, trusted)
    return {'vnic_type': vnic_type, 'physical_network': physical, 'trusted': trusted}


def claimed(api: Api, ports: Iterable[JsonObject]) -> dict[str, list[JsonObject]]:
    """What each of some ports asks of its host, by id, as `port_requests.claims` has it.

    Users are not shown what a port asks for. So we look ourselves, where it may be anything: where a port has a
    QoS policy, or nobody says whether it has.

    Raises:
        NetworkServiceFailed: Neutron does not show us either.
    """
    found, unknown = {}, []
    for port in ports:
        if port_requests.REQUEST in port:
            found[port['id']] = port_requests.claims(port)
        elif any(port.get(name, '') is not None for name in _POLICIES):
            unknown.append(port['id'])
    if unknown and _SAYS_SO in api.extensions():
        for port in (api.port(ident) for ident in unknown):
            if port_requests.REQUEST not in port:
                LOG.error('Neutron does not show the user of [neutron] the resource_request of port %s; its '
                          'policy get_port:resource_request has to allow it.', port['id'])
                raise errors.network.NetworkServiceFailed()
            found[port['id']] = port_requests.claims(port)
    return found


def check_owner(port: JsonObject, project: str | None) -> None:
    """A server's ports are of its own project.

    Raises:
        PortNotUsable: this one is not, though the caller may see it, as administrators do.
    """
    if port['project_id'] != project:
        raise errors.network.PortNotUsable(port=port['id'], project=project)


def _check_address(api: Api, context: nova_context.RequestContext, request: NetworkRequest) -> None:
    """Of ports that the user sees; about others he learns when his own is made, if he may choose at all."""
    taken = api.ports(context, network_id=request.network_id, fixed_ips=f'ip_address={request.address}',
                      fields='id')
    if taken:
        raise errors.network.FixedIpInUse(address=request.address)


def _check_room(api: Api, context: nova_context.RequestContext, count: int) -> None:
    room = api.port_room(context)
    if room is not None and room < count:
        raise errors.network.PortLimitExceeded()
