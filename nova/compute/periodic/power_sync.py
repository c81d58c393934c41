"""Tells the conductor what the hypervisor sees; what to do about a difference is decided there."""

from typing import Any

from nova import context as nova_context
from nova.objects import step as wire


def report(host: str, driver: Any, conductor: Any, busy: set[str]) -> int:
    """Report the power states of all guests, without those that an operation is busy with; returns how many."""
    states = {uuid: int(power) for uuid, power in driver.guests().items() if uuid not in busy}
    if states:
        conductor.power_states(nova_context.admin(), wire.GuestStates(host=host, states=states))
    return len(states)
