"""Where a server's ports are plugged: one active binding, and a prepared one during a live migration."""

from collections.abc import Iterable, Mapping

from nova.clients.neutron import allocate
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject
from nova.domain import pci


def bind(api: Api, ports: Iterable[JsonObject], host: str) -> list[JsonObject]:
    """Bind every port of the server to a host; those that are devices of it are left to `bind_devices`.

    Raises:
        PortBindingFailed: no agent there can plug one of them.
    """
    bound = []
    for port in ports:
        if not _is_device(port) and (
                port.get('binding:host_id') != host or port.get('binding:vif_type') == 'binding_failed'):
            port = api.update_port(port['id'], {'binding:host_id': host})
        bound.append(port if _is_device(port) else allocate.bound(port))
    return bound


def bind_devices(api: Api, ports: Iterable[JsonObject], host: str, profiles: Mapping[str, JsonObject]
                 ) -> list[JsonObject]:
    """Bind ports of the server that are devices of a host, each with what it has to know of its device.

    Returns:
        All ports of the server.

    Raises:
        PortBindingFailed: no agent there can plug one of them.
    """
    bound = []
    for port in ports:
        if port['id'] in profiles:
            wanted = {**_own_profile(port), **profiles[port['id']]}
            if (port.get('binding:host_id'), port.get('binding:profile')) != (host, wanted):
                port = api.update_port(port['id'], {'binding:host_id': host, 'binding:profile': wanted})
            port = allocate.bound(port)
        bound.append(port)
    return bound


def _is_device(port: JsonObject) -> bool:
    return port.get('binding:vnic_type') in pci.VNICS


def _own_profile(port: JsonObject) -> JsonObject:
    """What others have said in the profile of a port."""
    said = port.get('binding:profile') or {}
    return {key: value for key, value in said.items() if key not in pci.PROFILE}


def unbind(api: Api, ports: Iterable[JsonObject]) -> None:
    """Take every port of the server off its host, and off the device that it was there."""
    for port in ports:
        if port.get('binding:host_id'):
            forget = {'binding:profile': _own_profile(port)} if _is_device(port) else {}
            api.update_port(port['id'], {'binding:host_id': '', **forget})


def prebind(api: Api, ports: Iterable[JsonObject], host: str) -> None:
    """An inactive binding on `host` for every port that has none there."""
    for port in ports:
        if all(one['host'] != host for one in api.bindings(port['id'])):
            api.add_binding(port['id'], host, port.get('binding:vnic_type', 'normal'))


def activate(api: Api, ports: Iterable[JsonObject], host: str) -> None:
    """Make the bindings on `host` the active ones; ports without one there are bound to it."""
    for port in ports:
        if port.get('binding:host_id') == host:
            continue
        if any(one['host'] == host for one in api.bindings(port['id'])):
            api.activate_binding(port['id'], host)
        else:
            api.update_port(port['id'], {'binding:host_id': host})


def drop(api: Api, ports: Iterable[JsonObject], host: str) -> None:
    """Delete the bindings on `host` that are not the active ones."""
    for port in ports:
        if port.get('binding:host_id') != host:
            api.delete_binding(port['id'], host)
