"""Ports of a server: made or taken over for it, awaited, and given back.

The network service finds them again by server, so both ways may be repeated.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.domain import networks
from nova.objects import event
from nova.task.handles import Conductor, Handle

LOG = logging.getLogger(__name__)

ASK_SECONDS = 10
"""Until the network service is asked about ports of which it has not told us: it should have."""


class Plugged(Protocol):
    """State of a flow that waits for ports: `unplugged` are those that its host has to plug in."""

    unplugged: list[str]


class Ported(Plugged, Protocol):
    """State of a flow that makes ports, of what was asked for: see `make_ports`."""

    networks: list[objects.NetworkRequest]
    security_groups: list[str]
    trust: str | None
    ports: list[str]
    serving: JsonObject


def make_ports(h: Conductor, state: Ported) -> None:
    """Give the server its ports, as its user, before any host is tried: they are its own on each of them.

    The state carries what was asked for: `networks` (NetworkRequest records), `security_groups`, and `trust`;
    and takes `ports`, their ids.
    """
    if state.networks and networks.wanted(state.networks):
        user = h.clients.trust.trusted(h.context, state.trust)
        state.ports = h.clients.network.make(
            user, h.instance, state.networks, state.security_groups, key=h.task.uuid, again=h.task.doubt)


def has_ports(state: Ported) -> bool:
    return bool(state.ports)


def place_ports(h: Conductor, state: Ported) -> None:
    """Bind the ports of `make_ports` to the server's host. There is no undo: a next host takes them over.

    It is known by then which host the server is on, since of a server without one nothing may be told. The
    state takes `unplugged`, the ports that something on the host has to plug in before they carry anything.

    Raises:
        Refused: nothing on this host can bind a port.
    """
    lent = any(request.port_id for request in state.networks)
    if lent or h.instance.network_info is not None:
        # What was said of a port on another host, or for another server, is not about this one.
        h.db.write(lambda conn: event.forget(conn, h.instance.uuid, state.ports))
    try:
        info = h.clients.network.place(h.instance, state.ports, state.networks, h.instance.host or '',
                                       state.serving)
    except errors.network.PortBindingFailed as error:
        raise errors.task.Refused(error.message) from error
    h.instance.network_info = info
    awaited = h.conf.vif_plugging_timeout > 0
    state.unplugged = [vif.id for vif in info.vifs if not vif.active] if awaited else []


def move_ports(h: Conductor, host: str, serving: Mapping[str, str]) -> list[str]:
    """Bind the ports that a server has to another host; repeatable, and its own undo.

    Args:
        serving: the providers there that serve what ports ask for.

    Returns:
        Those that something on the host has to plug in before they carry anything.

    Raises:
        errors.network.PortBindingFailed: nothing on the host can bind one.
    """
    info = h.instance.network_info
    if info is None or not info.vifs:
        return []
    # What was said of a port on the host before is not about this one.
    h.db.write(lambda conn: event.forget(conn, h.instance.uuid, [vif.id for vif in info.vifs]))
    h.instance.network_info = h.clients.network.bind(h.instance, host, serving)
    return [vif.id for vif in h.instance.network_info.vifs if not vif.active]


def release_ports(h: Conductor, state: objects.State) -> None:
    """Delete the ports we made and give back those we were lent; those that are gone are fine."""
    h.clients.network.release(h.instance, getattr(state, 'networks', ()))
    h.instance.network_info = None


def awaits_plugging(state: Plugged) -> bool:
    return bool(state.unplugged)


def vifs_plugged(h: Conductor, state: Plugged) -> bool:
    """Condition of a wait: the network service has told of every port, or shows it as ACTIVE on this host.

    What it tells is in our own database; it is asked only now and then, because an event may be lost.

    Raises:
        VifPlugFailed, VifPlugTimeout: where ``vif_plugging_is_fatal``; else the guest has to do without.
    """
    server = h.instance.uuid
    with h.db.read() as conn:
        told = event.last_words(conn, server, event.PLUGGED)
    failed = sorted(port for port in state.unplugged if told.get(port) == event.FAILED)
    missing = {port for port in state.unplugged if told.get(port) != event.COMPLETED}
    waited = h.task.elapsed(h.db.now())
    late = waited >= h.conf.vif_plugging_timeout
    if missing and (failed or late or waited >= ASK_SECONDS):
        missing = _not_active(h, missing)
        failed = [port for port in failed if port in missing]
    if missing and not failed and not late:
        return False
    if missing:
        error = (errors.network.VifPlugFailed(ports=', '.join(failed), server=server) if failed
                 else errors.network.VifPlugTimeout(server=server))
        if h.conf.vif_plugging_is_fatal:
            raise error
        LOG.warning('%s It goes on without.', error.message)
    _note_active(h.instance, set(state.unplugged) - missing)
    return True


def _not_active(h: Handle, ports: set[str]) -> set[str]:
    """Those of `ports` that the network service shows on this host, but not as ACTIVE."""
    try:
        shown = h.clients.network.ports(h.instance.uuid)
    except errors.Unavailable as error:
        LOG.info('The network service cannot be asked about ports of %s now: %s', h.instance.uuid, error)
        return ports
    return {port['id'] for port in shown if port['id'] in ports and not (
        port['status'] == 'ACTIVE' and port.get('binding:host_id') == h.instance.host)}


def _note_active(instance: objects.Instance, ports: set[str]) -> None:
    assert instance.network_info is not None, 'a server with ports has them in its record'
    info = instance.network_info.copy()
    for vif in info.vifs:
        vif.active = vif.active or vif.id in ports
    instance.network_info = info
