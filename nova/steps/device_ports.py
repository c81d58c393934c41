"""Ports that are devices of the host. The host chooses the device, so it binds these ports itself."""

from nova import errors
from nova.domain import pci
from nova.steps.ports import Plugged
from nova.task.handles import Host


def bind_here(h: Host, state: Plugged | None = None) -> None:
    """Take a device for each port that is one, and bind the port to it. Repeatable; a host that a server goes
    back to does it again.

    Args:
        state: of a flow that waits for ports: those that carry something at once are not waited for.

    Raises:
        errors.task.Refused: the host has no such device left, or nothing there can bind the port.
    """
    if not pci.has_devices(h.instance.network_info):
        return
    try:
        h.instance.network_info = h.clients.network.bind_devices(
            h.instance, h.host, h.driver.port_profiles(h))
    except errors.network.PortBindingFailed as error:
        raise errors.task.Refused(error.message) from error
    if state is not None:
        active = {vif.id for vif in h.instance.network_info.vifs if vif.active}
        state.unplugged = [port for port in state.unplugged if port not in active]
