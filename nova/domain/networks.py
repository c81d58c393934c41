"""What a user said about networks, as one list of requests; only its form is checked here.

Whether networks and ports exist and may be used is asked of the network service by the caller.
"""

import ipaddress
from collections.abc import Sequence

from nova import errors
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.objects.network import NetworkRequest

AUTO, NONE = 'auto', 'none'
"""Words instead of a list (2.37): make me a network if I have none; no network at all."""


def parse(networks: str | Sequence[JsonObject] | None) -> list[NetworkRequest]:
    """The requests a body names, in order.

    Args:
        networks: ``auto``, ``none``, a list, or None where it was left out (before 2.37), which means every
            network the project sees when that is exactly one.

    Returns:
        Empty when it was left out; one request named ``auto`` or ``none`` for the words.

    Raises:
        errors.Invalid: a port named twice or together with an address, or no UUID where one has to be.
    """
    if isinstance(networks, str):
        return [NetworkRequest(network_id=networks)]
    seen: set[str] = set()
    return [_request(entry, seen) for entry in networks or ()]


def _request(entry: JsonObject, ports: set[str]) -> NetworkRequest:
    port, address, tag = entry.get('port'), entry.get('fixed_ip'), entry.get('tag')
    if port:
        if port in ports:
            raise errors.Invalid(f'Port ID {port} was specified twice.')
        ports.add(port)
        if address:
            raise errors.Invalid('Specified Fixed IP cannot be used with a port: two different Fixed IP '
                                 'addresses may be meant.')
        return NetworkRequest(port_id=port, tag=tag)
    network = entry.get('uuid')
    if not network or not uuids.is_uuid(network):
        raise errors.Invalid(f"Bad networks format: network uuid is not in proper format ({network or ''})")
    return NetworkRequest(network_id=network, address=_address(address), tag=tag)


def _address(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise errors.Invalid(f'Invalid fixed IP address ({text})') from None


def check_count(requests: Sequence[NetworkRequest], count: int) -> None:
    """Several servers cannot share one port or one address.

    Raises:
        errors.Invalid: they were told to.
    """
    if count <= 1:
        return
    if any(request.port_id for request in requests):
        raise errors.Invalid('Unable to launch multiple instances with a single configured port ID. '
                             'Please launch your instance one by one with different ports.')
    if any(request.address for request in requests):
        raise errors.Invalid('max_count cannot be greater than 1 if an fixed_ip is specified.')


def wanted(requests: Sequence[NetworkRequest]) -> bool:
    """Whether the server gets any port."""
    return not (len(requests) == 1 and requests[0].network_id == NONE)
