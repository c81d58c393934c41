"""The host's part of deleting and restoring a server."""

from typing import Any

from nova import states
from nova.steps import power, volumes


def destroy_guest(h: Any, state: Any) -> None:
    """Nothing of the guest is left here, its volumes are let go; a guest that never was is fine."""
    h.driver.destroy(h)
    for device in volumes.volume_devices(h.instance):
        h.driver.disconnect_volume(h, device)
    h.instance.power_state = int(states.Power.NOSTATE)


def forget_source(h: Any, state: Any) -> None:
    """What a resize has kept aside here is not needed any more."""
    h.driver.confirm_migration(h, state.move)


def switch_off(h: Any, state: Any) -> None:
    """A server that may be restored keeps its disks and does not run."""
    h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    power.observe(h, state)


def switch_on(h: Any, state: Any) -> None:
    h.driver.power_on(h)
    power.observe(h, state)
