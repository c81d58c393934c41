"""Ports of a server: made or taken over for it, and given back.

The network service finds them again by server, so both ways may be repeated.
"""

from typing import Any


def allocate_ports(h: Any, state: Any) -> None:
    """Give the server its ports on its host.

    The state carries what was asked for: `networks` (NetworkRequest records) and `security_groups`.
    """
    h.instance.network_info = h.clients.network.allocate(
        h.instance, state.networks, h.instance.host, state.security_groups)


def release_ports(h: Any, state: Any) -> None:
    """Delete the ports we made and give back those we were lent; those that are gone are fine."""
    h.clients.network.release(h.instance, getattr(state, 'networks', ()))
    h.instance.network_info = None
