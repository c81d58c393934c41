"""The host's part of a rebuild."""

from nova.common import clock
from nova.ops.rebuild.wire import RebuildState
from nova.states import VM, Power
from nova.steps import device_ports, injection, power, volumes
from nova.task.handles import Host


def clear_guest(h: Host, state: RebuildState) -> None:
    """Shut the guest down and remove it with its local disks; its volumes stay connected."""
    if h.driver.state(h) is not None:
        h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    h.driver.destroy(h)
    power.observe(h, state)


def accept_as_is(h: Host, state: RebuildState) -> None:
    """Undo of `clear_guest`: a guest that is there still is what it is; a server without one is an error."""
    power.accept(h, state)
    if h.driver.state(h) is None:
        state.lost, h.instance.vm_state = True, str(VM.ERROR)


def release_root(h: Host, state: RebuildState) -> None:
    """Disconnect the root volume, which is to be written anew, and keep it reserved for the server."""
    device = volumes.root_volume(h.instance)
    h.driver.disconnect_volume(h, device)
    volumes.reserve_anew(h.clients.volume, h.instance.uuid, device)


def connect_root(h: Host, state: RebuildState) -> None:
    volumes.connect(h, volumes.root_volume(h.instance))


def respawn(h: Host, state: RebuildState) -> None:
    """Make the guest from the record as it is now, and power it off if it was off."""
    device_ports.bind_here(h)
    h.driver.spawn(h, injection.decoded(state.files), password=injection.revealed(h, state))
    volumes.complete_attachments(h, state)
    if state.stopped:
        h.driver.power_off(h)
    power.observe(h, state)
    h.instance.launched_at = clock.utcnow()
    h.instance.vm_state = str(VM.STOPPED if state.stopped else VM.ACTIVE)


def unspawn(h: Host, state: RebuildState) -> None:
    """Undo of `respawn`: remove the guest."""
    h.driver.destroy(h)
    h.instance.power_state = int(Power.NOSTATE)
