"""What the hosts at both ends of a live migration do."""

import logging

from nova import errors
from nova.objects import LiveMove
from nova.steps import moved_volumes, power, volumes
from nova.task.handles import Host

LOG = logging.getLogger(__name__)


def check_dest(h: Host, state: LiveMove) -> None:
    """Check on the destination whether the guest can come, as far as this host knows."""
    state.data = h.driver.check_destination(h, state)


def check_source(h: Host, state: LiveMove) -> None:
    """Check on the source whether the guest can go there, and how."""
    state.data = h.driver.check_source(h, state, state.data)


def prepare(h: Host, state: LiveMove) -> None:
    """Prepare this host for the guest: connect its volumes, and have the driver expect it."""
    moved_volumes.connect_there(h, state)
    state.data = h.driver.prepare_live_migration(h, state, state.data)


def roll_back(h: Host, state: LiveMove) -> None:
    """Undo of `prepare`: have the driver expect no guest, and disconnect the volumes.

    Unless the guest is found here, because its source went down when it had just left.
    """
    try:
        h.driver.rollback_live_migration(h, state, state.data)
    except errors.virt.GuestArrived:
        state.arrived = True
        return
    finally:
        state.unseen = False
    volumes.let_go(h)


def migrate(h: Host, state: LiveMove) -> None:
    """Move the running guest to the destination.

    Raises:
        errors.NovaError: it runs here as before.
    """
    try:
        h.driver.live_migrate(h, state, state.data)
    except errors.NovaError as error:
        if h.driver.state(h) is not None:
            raise
        LOG.warning('The guest of server %s has left for host %s all the same: %s', h.instance.uuid, state.dest,
                    error.message)


def finish(h: Host, state: LiveMove) -> None:
    """Take the guest that has arrived over for good."""
    h.driver.finish_live_migration(h, state, state.data)
    volumes.complete_attachments(h, state)
    power.observe(h, state)


def leave(h: Host, state: LiveMove) -> None:
    """Remove what is left of the guest on the source."""
    volumes.let_go(h)
    h.driver.leave_after_live_migration(h, state, state.data)
