"""Security groups by the names that users give them."""

from collections.abc import Sequence

from nova import context as nova_context
from nova import errors
from nova.clients.neutron.api import Api

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
    return list(dict.fromkeys(out))


def set_groups(api: Api, server_uuid: str, groups: Sequence[str]) -> None:
    """Make these the groups of every port of the server that has port security."""
    for port in api.ports(device_id=server_uuid):
        secure = port.get('port_security_enabled', True)
        if secure and set(port.get('security_groups', ())) != set(groups):
            api.update_port(port['id'], {'security_groups': list(groups)})
