"""The host's part of deleting and restoring a server."""


from nova import objects, states
from nova.ops.delete import wire
from nova.steps import power, shares, volumes
from nova.task.handles import Host


def destroy_guest(h: Host, state: objects.State) -> None:
    """Remove the guest, its volumes and its shares. Where there is no guest, there may still be those."""
    h.driver.destroy(h)
    volumes.let_go(h)
    shares.leave_shares(h)
    h.instance.power_state = int(states.Power.NOSTATE)


def forget_source(h: Host, state: wire.DeleteState) -> None:
    """Remove what a resize has kept aside on this host."""
    assert state.move is not None, 'only of a server that was resized'
    h.driver.confirm_migration(h, state.move)


def switch_off(h: Host, state: objects.State) -> None:
    """Power the guest off and keep its disks, since the server may be restored."""
    h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    power.observe(h, state)


def switch_on(h: Host, state: objects.State) -> None:
    h.driver.power_on(h)
    power.observe(h, state)
