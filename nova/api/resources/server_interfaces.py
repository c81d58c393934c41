"""Interfaces of a server: its ports, as the network service shows them now."""

from nova import errors, objects
from nova.api.request import Request
from nova.policies import attach_interfaces as rules
from nova.rest.resource import Many, One, Resource, get
from nova.schema.interface import Interface, Shown

_LOADS = ('network_info',)


class ServerInterfaces(Resource):

    @get('/servers/{server_id}/os-interface', rule=rules.LIST, returns=Many('interfaceAttachments', Interface),
         loads=_LOADS)
    def index(self, req: Request, instance: objects.Instance) -> list[Shown]:
        """List the interfaces of a server."""
        return _shown(req, instance)

    @get('/servers/{server_id}/os-interface/{port_id}', rule=rules.SHOW,
         returns=One('interfaceAttachment', Interface), loads=_LOADS)
    def show(self, req: Request, instance: objects.Instance, port_id: str) -> Shown:
        """Show an interface of a server."""
        for found in _shown(req, instance):
            if found.port['id'] == port_id:
                return found
        raise errors.network.PortNotFound(port=port_id)


def _shown(req: Request, server: objects.Instance) -> list[Shown]:
    info = server.network_info
    tags = {vif.id: vif.tag for vif in info.vifs} if info is not None else {}
    return [Shown(port, tags.get(port['id'])) for port in req.clients.network.ports(server.uuid)]
