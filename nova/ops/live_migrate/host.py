"""What the hosts at both ends of a live migration do."""

import logging

from nova import errors
from nova.objects import LiveMove
from nova.steps import moved_volumes, power, volumes
from nova.task.handles import Host

LOG = logging.getLogger(__name__)


def check_dest(h: Host, state: LiveMove) -> None:
    """Whether the guest can come, as far as this host knows."""
    state.data = h.driver.check_destination(h, state)


def check_source(h: Host, state: LiveMove) -> None:
    """Whether the guest can go there, and how."""
    state.data = h.driver.check_source(h, state, state.data)


def prepare(h: Host, state: LiveMove) -> None:
    """The guest is expected here, with its volumes."""
    moved_volumes.connect_there(h, state)
    state.data = h.driver.prepare_live_migration(h, state, state.data)


def roll_back(h: Host, state: LiveMove) -> None:
    """Undo of `prepare`: the guest is not expected any more.

    Unless it is found here, because its source went down when it had just left.
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
    """Bring the guest over.

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
    """The guest that has arrived is this host's for good."""
    h.driver.finish_live_migration(h, state, state.data)
    volumes.complete_attachments(h, state)
    power.observe(h, state)


def leave(h: Host, state: LiveMove) -> None:
    """Nothing of the guest is left here."""
    volumes.let_go(h)
    h.driver.leave_after_live_migration(h, state, state.data)
