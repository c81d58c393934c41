"""What the hosts at both ends of an evacuation do."""

from nova.ops.evacuate.wire import Evacuation
from nova.steps import device_ports, injection, ports, power, volumes
from nova.task.handles import Host


def spawn_again(h: Host, state: Evacuation) -> None:
    """Make the guest anew, and power it off if it did not run, or is not to run."""
    volumes.connect_volumes(h, state)
    device_ports.bind_here(h, state)
    h.driver.spawn(h, (), ports.awaits_plugging(state), injection.revealed(h, state))
    volumes.complete_attachments(h, state)
    if not state.runs:
        h.driver.power_off(h, 0)
    power.observe(h, state)


def undo_spawn(h: Host, state: Evacuation) -> None:
    """Nothing of the guest is left here; what the one at the source does is for its host to say."""
    h.driver.destroy(h)
    volumes.let_go(h)


def let_run(h: Host, state: Evacuation) -> None:
    """The guest's ports are plugged in, or it has to do without."""
    h.driver.unpause(h)
    power.observe(h, state)


def leave_evacuated(h: Host, state: Evacuation) -> None:
    """The server lives elsewhere: what is left of it here goes."""
    h.driver.leave_evacuated(h, state)
    volumes.let_go(h)
