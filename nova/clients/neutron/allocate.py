"""Give a server its ports, and take them back.

Nothing is remembered here: which ports a server has is asked of Neutron by ``device_id``, so a repeated call
finds what an earlier one made. Ports that we made carry a tag, which tells them from the user's own when they
are given back.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.neutron.api import Api
from nova.clients.neutron.check import AUTO, NONE, check_owner, claimed
from nova.common.jsonutil import JsonObject
from nova.domain import port_requests
from nova.objects.instance import Instance
from nova.objects.network import NetworkRequest

OURS = 'nova:made-for-server'
"""Tag of ports that live and die with their server."""

CAN_TAG = 'tag-ports-during-bulk-creation'
_CAN_NAME = 'dns-integration'
_BACK: JsonObject = {'device_id': '', 'device_owner': '', 'binding:host_id': '', 'binding:profile': {}}


def owner(server: Instance) -> str:
    """``device_owner`` of a server's ports."""
    zone = server.availability_zone if server.known('availability_zone') else None
    return f'compute:{zone or ""}'


def _tag(key: str, index: int) -> str:
    """What tells one port that we made from another of the same operation."""
    return f'nova:nic:{key}:{index}' if key else f'nova:nic:{index}'


def _fits(port: JsonObject, request: NetworkRequest) -> bool:
    """Whether a port may be the one that was made for a request, where Neutron has no tags to say so."""
    return bool(port['network_id'] == request.network_id and (
        not request.address or any(one['ip_address'] == request.address for one in port['fixed_ips'])))


def _pair(requested: Sequence[NetworkRequest], found: list[JsonObject], key: str, tagged: bool
          ) -> dict[int, JsonObject]:
    """Which of the ports found stands for which request."""
    pairs: dict[int, JsonObject] = {}
    for index, request in enumerate(requested):
        for port in found:
            if port['id'] == request.port_id or (
                    not request.port_id and _tag(key, index) in port.get('tags', ())):
                pairs.setdefault(index, port)
    left = [] if tagged else [port for port in found if port not in pairs.values()]
    for index, request in sorted(enumerate(requested), key=lambda pair: not pair[1].address):
        match = next((port for port in left if _fits(port, request)), None)
        if index not in pairs and not request.port_id and match is not None:
            pairs[index] = match
            left.remove(match)
    return pairs


def make(api: Api, user: nova_context.RequestContext, server: Instance, requested: Sequence[NetworkRequest],
         groups: Sequence[str], key: str = '', others: Iterable[str] | None = ()) -> list[str]:
    """Ports of a server, one for each request, in their order, on no host yet: their ids.

    Args:
        user: who asked for them, with his token.
        key: tells this operation from others that give the same server ports.
        others: ports that the server has had before this operation; None where this is the first that is done
            of it, so that nothing has to be looked for.

    Raises:
        Forbidden: the user may not have it so.
        FixedIpInUse, FixedIpInvalid, PortLimitExceeded, PortInUse, PortNotFound, PortNotUsable,
        PortAsksResources, NetworkNotFound, SecurityGroupNotFound: as their names say.
    """
    if len(requested) == 1 and requested[0].network_id == NONE:
        return []
    wanted = [_definite(api, user, server, request) for request in requested]
    pairs: dict[int, JsonObject] = {}
    if others is not None:
        before = set(others)
        found = [port for port in api.ports(device_id=server.uuid) if port['id'] not in before]
        pairs = _pair(wanted, found, key, CAN_TAG in api.extensions())
    ids = []
    for index, request in enumerate(wanted):
        port = pairs.get(index)
        if port is None and request.port_id:
            port = _take(api, user, server, request)
        elif port is None:
            port = api.create_port(_new(api, server, request, groups, _tag(key, index)), user)
        if not request.port_id:
            _check_made(api, port)
        ids.append(port['id'])
    return ids


def _check_made(api: Api, port: JsonObject) -> None:
    """A port that we made asks for nothing of its host; where its network has it do so, it goes again.

    Raises:
        PortAsksResources: it did.
    """
    if any(claimed(api, [port]).values()):
        api.delete_port(port['id'])
        raise errors.network.PortAsksResources(port=port['id'], reason=(
            f'the QoS policy of network {port["network_id"]} has a minimum of bandwidth or packet rate. Make a '
            'port there first, and name it when the server is made.'))


def _definite(api: Api, user: nova_context.RequestContext, server: Instance, request: NetworkRequest
              ) -> NetworkRequest:
    if request.network_id != AUTO:
        return request
    network = api.auto_network(server.project_id, user, dry_run=False)
    if network is None:
        raise errors.network.NetworkNotFound(network=AUTO)
    made = request.copy()
    made.network_id = network
    return made


def _take(api: Api, user: nova_context.RequestContext, server: Instance, request: NetworkRequest) -> JsonObject:
    """Make a user's port the server's.

    Raises:
        PortInUse: another server has it.
        PortNotUsable: it is another project's.
    """
    port = api.port(request.port_id or '', user)
    check_owner(port, server.project_id)
    if port.get('device_id') not in ('', None, server.uuid):
        raise errors.network.PortInUse(port=request.port_id)
    return api.update_port(port['id'], {'device_id': server.uuid})


def _new(api: Api, server: Instance, request: NetworkRequest, groups: Sequence[str], tag: str) -> JsonObject:
    """Body of a port to be made; who owns its device and where it is bound is ours to say, later."""
    body: JsonObject = {'network_id': request.network_id, 'device_id': server.uuid,
                        'project_id': server.project_id, 'admin_state_up': True}
    if request.address:
        body['fixed_ips'] = [{'ip_address': request.address}]
    if groups:
        body['security_groups'] = list(groups)
    able = api.extensions()
    if CAN_TAG in able:
        body['tags'] = [OURS, tag]
    if _CAN_NAME in able and server.known('hostname') and server.hostname:
        body['dns_name'] = server.hostname
    return body


def place(api: Api, server: Instance, ports: Sequence[str], requested: Sequence[NetworkRequest], host: str,
          serving: Mapping[str, str]) -> list[JsonObject]:
    """Bind ports of a server to its host, as only we may; those that are devices of it are the host's to bind.

    Raises:
        PortNotFound: one is gone.
        PortBindingFailed: no agent on the host can plug one.
        PortAsksResources: one asks for something else than what was claimed.
    """
    def body(ident: str, request: NetworkRequest) -> JsonObject:
        said = {}
        if request.claims:
            profile = api.port(ident).get('binding:profile') or {}
            said = {'binding:profile': {**profile, **port_requests.allocation(request.claims, serving)}}
        return {'device_owner': owner(server), **({} if request.device else {'binding:host_id': host}), **said}
    placed = []
    for ident, request in zip(ports, requested, strict=bool(ports)):
        port = api.update_port(ident, body(ident, request))
        if port_requests.claims(port) != request.claims:
            raise errors.network.PortAsksResources(port=ident, reason='not what the server has claimed.')
        placed.append(bound(port))
    return placed


def bound(port: JsonObject) -> JsonObject:
    if port.get('binding:vif_type') == 'binding_failed':
        raise errors.network.PortBindingFailed(port=port['id'])
    return port


def of_server(api: Api, server_uuid: str, known: Iterable[str]) -> list[JsonObject]:
    """Ports of a server, oldest first.

    A Neutron that has just started answers its first requests as if nobody were an administrator, with a list
    that lacks what is another project's. So what the server is known to have, and the list lacks, is asked for.
    """
    found = api.ports(device_id=server_uuid)
    for ident in sorted(set(known) - {port['id'] for port in found}):
        try:
            port = api.port(ident)
        except errors.network.PortNotFound:
            continue
        if port['device_id'] == server_uuid:
            found.append(port)
    return found


def release(api: Api, ports: Iterable[JsonObject], requested: Iterable[NetworkRequest],
            kept: Iterable[str] = ()) -> None:
    """Delete the ports of a server that we made, give the others back to their owners.

    Args:
        requested: the server's requests, which name the user's ports.
        kept: further ports that are the user's (attached later).
    """
    users = {request.port_id for request in requested if request.port_id} | set(kept)
    for port in ports:
        release_port(api, port, users)


def release_port(api: Api, port: JsonObject, users: Iterable[str]) -> None:
    """Delete a port that we made, and give back any other.

    Our ports have a tag. Where Neutron has no tags, we made every port that is not in `users`.
    """
    tagged = CAN_TAG in api.extensions()
    if OURS in port.get('tags', ()) or (not tagged and port['id'] not in set(users)):
        api.delete_port(port['id'])
    else:
        give_back(api, port['id'])


def unmake(api: Api, server: Instance, ports: Collection[str], key: str, users: Iterable[str]) -> None:
    """Give up what an operation made, and these ports; see `NetworkClient.unmake`."""
    mine = _tag(key, 0).removesuffix('0')
    for port in of_server(api, server.uuid, ports):
        if port['id'] in ports or any(tag.startswith(mine) for tag in port.get('tags', ())):
            release_port(api, port, users)


def give_back(api: Api, port_id: str) -> None:
    """Clear the device and the binding of a port that a user made; one that he has deleted needs nothing."""
    try:
        api.update_port(port_id, dict(_BACK))
    except errors.network.PortNotFound:
        return


def drop_late(api: Api, server_uuid: str, kept: Collection[str], gone: bool) -> list[str]:
    """Ports of a server that should not be there; see `NetworkClient.drop_late`.

    Where Neutron has no tags, nobody knows whose a port is that is in no record: it is given back, not deleted.
    """
    dropped = []
    for port in api.ports(device_id=server_uuid):
        if port['id'] in kept:
            continue
        if OURS in port.get('tags', ()):
            api.delete_port(port['id'])
        elif gone:
            give_back(api, port['id'])
        else:
            continue
        dropped.append(port['id'])
    return dropped
