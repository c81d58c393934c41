"""The host's part of a build."""


from nova import objects, states
from nova.ops.build import wire
from nova.steps import device_ports, injection, ports, schedule, volumes
from nova.task.handles import Host


def spawn(h: Host, state: wire.BuildState) -> None:
    """Start the guest, paused if its ports are not plugged in yet; one that runs already is left alone."""
    device_ports.bind_here(h, state)
    paused = ports.awaits_plugging(state)
    h.driver.spawn(h, injection.decoded(state.files), paused, injection.revealed(h, state))
    volumes.complete_attachments(h, state)
    h.instance.power_state = int(states.Power.PAUSED if paused else states.Power.RUNNING)
    schedule.mark_launched(h.instance)


def let_run(h: Host, state: objects.State) -> None:
    """Unpause the guest: its ports are plugged in, or nobody waits for them any more."""
    h.driver.unpause(h)
    h.instance.power_state = int(states.Power.RUNNING)


def destroy(h: Host, state: objects.State) -> None:
    """Undo of `spawn`: remove the guest and all that it has here."""
    h.driver.destroy(h)
    h.instance.power_state = int(states.Power.NOSTATE)
    h.instance.launched_at = None
