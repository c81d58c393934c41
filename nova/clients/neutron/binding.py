"""Where a server's ports are plugged: one active binding, and a prepared one during a live migration."""

from nova import errors
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject


def bind(api: Api, server_uuid: str, host: str) -> list[JsonObject]:
    """Bind every port of the server to a host.

    Raises:
        PortBindingFailed: no agent there can plug one of them.
    """
    ports = []
    for port in api.ports(device_id=server_uuid):
        if port.get('binding:host_id') != host or port.get('binding:vif_type') == 'binding_failed':
            port = api.update_port(port['id'], {'binding:host_id': host})
        if port.get('binding:vif_type') == 'binding_failed':
            raise errors.network.PortBindingFailed(port=port['id'])
        ports.append(port)
    return ports


def unbind(api: Api, server_uuid: str) -> None:
    """Take every port of the server off its host."""
    for port in api.ports(device_id=server_uuid):
        if port.get('binding:host_id'):
            api.update_port(port['id'], {'binding:host_id': ''})


def prebind(api: Api, server_uuid: str, host: str) -> None:
    """An inactive binding on `host` for every port that has none there."""
    for port in api.ports(device_id=server_uuid):
        if all(one['host'] != host for one in api.bindings(port['id'])):
            api.add_binding(port['id'], host, port.get('binding:vnic_type', 'normal'))


def activate(api: Api, server_uuid: str, host: str) -> None:
    """Make the bindings on `host` the active ones; ports without one there are bound to it."""
    for port in api.ports(device_id=server_uuid):
        if port.get('binding:host_id') == host:
            continue
        if any(one['host'] == host for one in api.bindings(port['id'])):
            api.activate_binding(port['id'], host)
        else:
            api.update_port(port['id'], {'binding:host_id': host})


def drop(api: Api, server_uuid: str, host: str) -> None:
    """Delete the bindings on `host` that are not the active ones."""
    for port in api.ports(device_id=server_uuid):
        if port.get('binding:host_id') != host:
            api.delete_binding(port['id'], host)
