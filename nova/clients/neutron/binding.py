"""Where a server's ports are plugged: one active binding, and a prepared one during a live migration."""

from collections.abc import Iterable, Mapping

from nova.clients.neutron import allocate
from nova.clients.neutron.api import Api
from nova.common.jsonutil import JsonObject
from nova.domain import pci, port_requests


def bind(api: Api, ports: Iterable[JsonObject], host: str, serving: Mapping[str, str]) -> list[JsonObject]:
    """Bind every port of the server to a host; those that are devices of it are left to `bind_devices`.

    Args:
        serving: the providers there that serve what ports ask for.

    Raises:
        PortBindingFailed: no agent there can plug one of them.
    """
    bound = []
    for port in ports:
        change = _claimed(port, serving)
        if not _is_device(port) and (
                port.get('binding:host_id') != host or port.get('binding:vif_type') == 'binding_failed'):
            change['binding:host_id'] = host
        if change:
            port = api.update_port(port['id'], change)
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


def _claimed(port: JsonObject, serving: Mapping[str, str]) -> JsonObject:
    """What has to be changed of a port for it to say who serves what it asks for."""
    now = port.get('binding:profile') or {}
    wanted = {**{key: value for key, value in now.items() if key != port_requests.ALLOCATION},
              **port_requests.allocation(port_requests.claims(port), serving)}
    return {'binding:profile': wanted} if wanted != now else {}


def _is_device(port: JsonObject) -> bool:
    return port.get('binding:vnic_type') in pci.VNICS


def _own_profile(port: JsonObject) -> JsonObject:
    """What others have said in the profile of a port."""
    said = port.get('binding:profile') or {}
    return {key: value for key, value in said.items() if key not in pci.PROFILE}


def unbind(api: Api, ports: Iterable[JsonObject]) -> None:
    """Take every port of the server off its host, off the device that it was there, and off what it claimed."""
    for port in ports:
        if port.get('binding:host_id'):
            said = port.get('binding:profile') or {}
            kept = _own_profile(port) if _is_device(port) else dict(said)
            kept.pop(port_requests.ALLOCATION, None)
            forget = {'binding:profile': kept} if kept != said else {}
            api.update_port(port['id'], {'binding:host_id': '', **forget})


def prebind(api: Api, ports: Iterable[JsonObject], host: str, serving: Mapping[str, str]) -> None:
    """An inactive binding on `host` for every port that has none there."""
    for port in ports:
        if all(one['host'] != host for one in api.bindings(port['id'])):
            api.add_binding(port['id'], host, port.get('binding:vnic_type', 'normal'),
                            _claimed(port, serving).get('binding:profile', {}))


def activate(api: Api, ports: Iterable[JsonObject], host: str, serving: Mapping[str, str]) -> None:
    """Make the bindings on `host` the active ones; ports without one there are bound to it."""
    for port in ports:
        if port.get('binding:host_id') == host:
            continue
        if any(one['host'] == host for one in api.bindings(port['id'])):
            api.activate_binding(port['id'], host)
        else:
            api.update_port(port['id'], {'binding:host_id': host, **_claimed(port, serving)})


def drop(api: Api, ports: Iterable[JsonObject], host: str) -> None:
    """Delete the bindings on `host` that are not the active ones."""
    for port in ports:
        if port.get('binding:host_id') != host:
            api.delete_binding(port['id'], host)
