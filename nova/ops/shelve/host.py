"""The host's part of shelving a server, and of bringing it back."""

from nova import objects
from nova.ops.shelve import wire
from nova.states import Power
from nova.steps import device_ports, ports, power, volumes
from nova.task.handles import Host


def power_off(h: Host, state: wire.ShelveState) -> None:
    """Shut the guest down, so that its disk is whole."""
    h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    power.observe(h, state)


def go_on(h: Host, state: wire.ShelveState) -> None:
    """Undo of `power_off`: a guest that was paused or suspended is so again, but was started anew for it."""
    power.as_recorded(h, state)


def offload_guest(h: Host, state: objects.State) -> None:
    """Remove the guest, and disconnect its volumes."""
    h.driver.destroy(h)
    volumes.disconnect_volumes(h, state)
    h.instance.power_state = int(Power.NOSTATE)


def power_on(h: Host, state: wire.UnshelveState) -> None:
    """Start the guest of a server that has not left its host."""
    h.driver.power_on(h)
    power.observe(h, state)


def power_off_again(h: Host, state: wire.UnshelveState) -> None:
    h.driver.power_off(h)
    power.observe(h, state)


def respawn(h: Host, state: wire.UnshelveState) -> None:
    """Make the guest from the image that has its disk, or from its volumes."""
    device_ports.bind_here(h, state)
    own = h.instance.image_ref
    root = h.instance.root_device
    if state.image_id is not None:
        h.instance.image_ref = state.image_id
        if root is not None:
            root.image_id = state.image_id
    try:
        h.driver.spawn(h, (), paused=ports.awaits_plugging(state))
    finally:
        h.instance.image_ref = own
        if root is not None and state.image_id is not None:
            root.image_id = own
    volumes.complete_attachments(h, state)
    power.observe(h, state)


def unspawn(h: Host, state: wire.UnshelveState) -> None:
    """Undo of `respawn`: remove the guest."""
    h.driver.destroy(h)
    h.instance.power_state = int(Power.NOSTATE)


def let_run(h: Host, state: wire.UnshelveState) -> None:
    """Unpause the guest: its ports are plugged in, or nobody waits for them any more."""
    h.driver.unpause(h)
    power.observe(h, state)
