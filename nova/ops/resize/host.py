"""What the hosts at both ends of a resize do."""

import logging

from nova import states
from nova.objects import Move
from nova.steps import device_ports, ports, power, volumes
from nova.task.handles import Host

LOG = logging.getLogger(__name__)


def expect_guest(h: Host, state: Move) -> None:
    """The host answers: nothing is stopped for one that does not. What is brought here is its to remove."""
    LOG.info('Server %s is expected from host %s', h.instance.uuid, state.source)


def leave_source(h: Host, state: Move) -> None:
    """Power the guest off, keep its disks aside here, and copy them to the destination."""
    h.driver.migrate_out(h, state)
    volumes.let_go(h)
    power.observe(h, state)


def return_to_source(h: Host, state: Move) -> None:
    """Have the guest here again as it was, however much of `leave_source` had happened."""
    volumes.connect_volumes(h, state)
    h.driver.revert_migration(h, state, state.runs)
    device_ports.bind_here(h)
    volumes.complete_attachments(h, state)
    power.observe(h, state)


def forget_source(h: Host, state: Move) -> None:
    """Remove what was kept aside here."""
    h.driver.confirm_migration(h, state)


def arrive(h: Host, state: Move) -> None:
    """The guest of what has come, grown to its flavor; it runs if it did, once its ports are plugged in."""
    volumes.connect_volumes(h, state)
    device_ports.bind_here(h, state)
    h.driver.migrate_in(h, state, state.runs, ports.awaits_plugging(state))
    power.observe(h, state)


def let_run(h: Host, state: Move) -> None:
    """Unpause the guest: its ports are plugged in, or nobody waits for them any more."""
    h.driver.unpause(h)
    power.observe(h, state)


def clear_dest(h: Host, state: Move) -> None:
    """Remove the guest here, but for what is kept aside if this host is the source as well."""
    h.driver.destroy(h)
    volumes.let_go(h)


def undo_arrival(h: Host, state: Move) -> None:
    """`clear_dest`, and the guest runs nowhere."""
    clear_dest(h, state)
    h.instance.power_state = int(states.Power.SHUTDOWN)
