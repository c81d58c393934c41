"""Security groups by the names that users give them."""

from collections.abc import Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject

DEFAULT = 'default'


def resolve(api: Api, context: nova_context.RequestContext, names: Sequence[str]) -> list[str]:
    """ids of groups given by name or id, in order.

    ``default`` alone resolves to nothing: Neutron gives a port without groups the project's default one.

    Raises:
        SecurityGroupNotFound: no such group.
        SecurityGroupAmbiguous: several of that name.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted or wanted == [DEFAULT]:
        return []
    return list(dict.fromkeys(_found(api, context, wanted)))


def find(api: Api, context: nova_context.RequestContext, name: str) -> str:
    """id of the group that is meant by a name or an id; see `resolve` for what it raises."""
    return _found(api, context, [name])[0]


def _found(api: Api, context: nova_context.RequestContext, wanted: Sequence[str]) -> list[str]:
    mine = api.groups(context, project_id=context.project_id)
    by_id = {group['id'] for group in mine}
    out = []
    for word in wanted:
        found = [word] if word in by_id else [group['id'] for group in mine if group['name'] == word]
        if not found:
            found = [group['id'] for group in api.groups(context, id=[word])]
        if not found:
            raise errors.network.SecurityGroupNotFound(group=word)
        if len(found) > 1:
            raise errors.network.SecurityGroupAmbiguous(group=word)
        out.append(found[0])
    return out


def set_groups(api: Api, server_uuid: str, groups: Sequence[str]) -> None:
    """Make these the groups of every port of the server that has port security."""
    for port in api.ports(device_id=server_uuid):
        secure = port.get('port_security_enabled', True)
        if secure and set(port.get('security_groups', ())) != set(groups):
            api.update_port(port['id'], {'security_groups': list(groups)})


def join(api: Api, server_uuid: str, group: str) -> None:
    """See `NetworkClient.join_security_group`."""
    ports = [port for port in api.ports(device_id=server_uuid)
             if port.get('port_security_enabled', True) and port.get('fixed_ips')]
    if not ports:
        raise errors.network.PortWithoutSecurity(server=server_uuid)
    for port in ports:
        mine = list(port.get('security_groups', ()))
        if group not in mine:
            api.update_port(port['id'], {'security_groups': [*mine, group]})


def leave(api: Api, server_uuid: str, group: str) -> bool:
    """See `NetworkClient.leave_security_group`."""
    ports = [port for port in api.ports(device_id=server_uuid) if group in port.get('security_groups', ())]
    for port in ports:
        api.update_port(port['id'], {'security_groups': [
            one for one in port['security_groups'] if one != group]})
    return bool(ports)


def of_server(api: Api, context: nova_context.RequestContext,
              server_uuid: str) -> tuple[list[JsonObject], dict[str, JsonObject]]:
    """The groups of a server's ports that the user sees, with their rules; and by id whom these name."""
    ids = {ident for port in api.ports(device_id=server_uuid) for ident in port.get('security_groups', ())}
    if not ids:
        return [], {}
    found = api.groups(context, (), id=ids)
    named = {rule['remote_group_id'] for group in found for rule in group.get('security_group_rules', ())
             if rule['remote_group_id']}
    known = {group['id']: group for group in found}
    strange = named - set(known)
    others = api.groups(context, ('id', 'name', 'project_id'), id=strange) if strange else []
    return sorted(found, key=lambda group: group['name']), {**known, **{one['id']: one for one in others}}
