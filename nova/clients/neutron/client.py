"""The network service as the rest of the system calls it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from nova import context as nova_context
from nova.clients.neutron import allocate, binding, check, info, security_groups
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject
from nova.objects.instance import Instance
from nova.objects.network import NetworkRequest
from nova.objects.network_model import NetworkInfo


def _remembered(server: Instance) -> NetworkInfo | None:
    """What the server's record last knew of its interfaces."""
    return server.network_info if server.known('network_info') else None


def _in_order(ports: list[JsonObject], known: NetworkInfo | None) -> list[JsonObject]:
    """Ports as the guest has seen them so far, new ones last."""
    places = {vif.id: place for place, vif in enumerate(known.vifs)} if known is not None else {}
    return sorted(ports, key=lambda port: places.get(port['id'], len(places)))


def _lent(server: Instance) -> list[str]:
    """Ports that are the user's own, as far as the server's record says it."""
    known = _remembered(server)
    return [vif.id for vif in known.vifs if not vif.made_by_us] if known is not None else []


def _ports_of(api: Api, server: Instance) -> list[JsonObject]:
    known = _remembered(server)
    return allocate.of_server(api, server.uuid, [vif.id for vif in known.vifs] if known is not None else [])


class Client:
    """`protocols.NetworkClient` over an `Api`."""

    def __init__(self, api: Api, bridge: str = 'br-int') -> None:
        self.api, self._bridge = api, bridge

    def check(self, context: nova_context.RequestContext, requested: Sequence[NetworkRequest],
              count: int) -> list[NetworkRequest]:
        return check.check(self.api, context, requested, count,
                           lambda network: NetworkRequest(network_id=network))

    def fitting(self, context: nova_context.RequestContext, requested: Sequence[NetworkRequest],
                most: int) -> int:
        return check.fitting(self.api, context, requested, most)

    def make(self, context: nova_context.RequestContext, server: Instance, requested: Sequence[NetworkRequest],
             security_groups: Sequence[str] = (), key: str = '', again: bool = True) -> list[str]:
        known = _remembered(server)
        others = [vif.id for vif in known.vifs] if known is not None else []
        return allocate.make(self.api, context, server, requested, security_groups, key,
                             others if again else None)

    def unmake(self, server: Instance, ports: Collection[str], key: str) -> None:
        allocate.unmake(self.api, server, ports, key, _lent(server))

    def set_addresses(self, port_id: str, addresses: Sequence[JsonObject]) -> None:
        self.api.update_port(port_id, {'fixed_ips': [dict(one) for one in addresses]})

    def place(self, server: Instance, ports: Sequence[str], requested: Sequence[NetworkRequest],
              host: str, serving: Mapping[str, str] | None = None) -> NetworkInfo:
        placed = allocate.place(self.api, server, ports, requested, host, serving or {})
        named = {request.port_id for request in requested if request.port_id}
        tags = {port['id']: request.tag for port, request in zip(placed, requested, strict=True)
                if request.tag} if placed else {}
        return info.build(self.api, placed, tags=tags, users=named, floating=bool(named), bridge=self._bridge)

    def _describe(self, server: Instance, ports: list[JsonObject]) -> NetworkInfo:
        known = _remembered(server)
        users = [vif.id for vif in known.vifs if not vif.made_by_us] if known is not None else None
        return info.build(self.api, _in_order(ports, known), tags=info.tags_of(known), users=users,
                          bridge=self._bridge)

    def info(self, server: Instance) -> NetworkInfo:
        return self._describe(server, _ports_of(self.api, server))

    def bind(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> NetworkInfo:
        return self._describe(server, binding.bind(self.api, _ports_of(self.api, server), host, serving or {}))

    def bind_devices(self, server: Instance, host: str, profiles: Mapping[str, JsonObject]) -> NetworkInfo:
        ports = _ports_of(self.api, server)
        return self._describe(server, binding.bind_devices(self.api, ports, host, profiles))

    def unbind(self, server: Instance) -> None:
        binding.unbind(self.api, _ports_of(self.api, server))

    def prebind(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> None:
        binding.prebind(self.api, _ports_of(self.api, server), host, serving or {})

    def activate(self, server: Instance, host: str, serving: Mapping[str, str] | None = None) -> NetworkInfo:
        binding.activate(self.api, _ports_of(self.api, server), host, serving or {})
        return self.info(server)

    def drop_bindings(self, server: Instance, host: str) -> None:
        binding.drop(self.api, _ports_of(self.api, server), host)

    def release(self, server: Instance, requested: Iterable[NetworkRequest] = ()) -> None:
        allocate.release(self.api, _ports_of(self.api, server), requested, _lent(server))

    def drop_late(self, server_uuid: str, kept: Collection[str], gone: bool) -> list[str]:
        return allocate.drop_late(self.api, server_uuid, kept, gone)

    def release_port(self, server: Instance, port_id: str) -> None:
        for port in allocate.of_server(self.api, server.uuid, [port_id]):
            if port['id'] == port_id:
                allocate.release_port(self.api, port, _lent(server))

    def servers_at(self, part: str, project_id: str | None, most: int) -> dict[str, list[str]] | None:
        asked: JsonObject = {'fields': ['id', 'device_id', 'fixed_ips'], 'limit': most + 1}
        if project_id is not None:
            asked['project_id'] = project_id
        if part and 'ip-substring-filtering' in self.api.extensions():
            asked['fixed_ips'] = f'ip_address_substr={part}'
        ports = self.api.ports(**asked)
        if len(ports) > most:
            return None
        found: dict[str, list[str]] = {}
        for port in ports:
            if port['device_id']:
                found.setdefault(port['device_id'], []).extend(one['ip_address'] for one in port['fixed_ips'])
        return found

    def ports(self, server_uuid: str | None, address: str | None = None) -> list[JsonObject]:
        """See `NetworkClient.ports`."""
        if address is not None:
            return self.api.ports(fixed_ips=f'ip_address={address}')
        if server_uuid is not None:
            return self.api.ports(device_id=server_uuid)
        found = self.api.ports(fields=['id', 'device_id', 'device_owner'])
        return [port for port in found if port['device_id'] and port['device_owner'].startswith('compute:')]

    def security_groups(self, context: nova_context.RequestContext, names: Sequence[str]) -> list[str]:
        return security_groups.resolve(self.api, context, names)

    def groups_of(self, context: nova_context.RequestContext,
                  server_uuid: str) -> tuple[list[JsonObject], dict[str, JsonObject]]:
        return security_groups.of_server(self.api, context, server_uuid)

    def join_security_group(self, context: nova_context.RequestContext, server_uuid: str, name: str) -> None:
        security_groups.join(self.api, server_uuid, security_groups.find(self.api, context, name))

    def leave_security_group(self, context: nova_context.RequestContext, server_uuid: str, name: str) -> bool:
        return security_groups.leave(self.api, server_uuid, security_groups.find(self.api, context, name))

    def set_security_groups(self, server_uuid: str, groups: Sequence[str]) -> None:
        security_groups.set_groups(self.api, server_uuid, groups)
