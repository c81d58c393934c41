"""Tells the conductor what the hypervisor sees; what to do about a difference is decided there."""


from nova import context as nova_context
from nova.objects import step as wire
from nova.rpc.conductor import Conductor
from nova.virt.driver import Driver


def report(host: str, driver: Driver, conductor: Conductor, busy: set[str]) -> int:
    """Report the power states of all guests, without those that an operation is busy with; returns how many."""
    states = {uuid: int(power) for uuid, power in driver.guests().items() if uuid not in busy}
    if states:
        conductor.power_states(nova_context.admin(), wire.GuestStates(host=host, states=states))
    return len(states)
