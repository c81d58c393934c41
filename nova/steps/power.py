"""What a guest does, as its hypervisor says: the undo of steps that change nothing but that."""

from typing import Any

from nova import states


def observe(h: Any, state: Any) -> None:
    """On the host: write down what the hypervisor says about the guest, wherever a failed step has left it."""
    seen = h.driver.state(h.instance)
    h.instance.power_state = int(states.Power.NOSTATE if seen is None else seen)
