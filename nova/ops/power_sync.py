"""A hypervisor was seen to disagree with a server's record: the record follows, or the guest is stopped.

What was seen may be old when it is acted upon, a message being as late as it likes. So these are operations
like any other: they hold the server, and the host looks again before it does anything.
"""


from nova import objects, states
from nova.states import VM, Power
from nova.steps import power
from nova.task.flow import Flow, Step
from nova.task.handles import Host

_STOP = frozenset({
    (VM.ACTIVE, Power.SHUTDOWN), (VM.ACTIVE, Power.CRASHED), (VM.ACTIVE, Power.SUSPENDED),
    (VM.STOPPED, Power.RUNNING), (VM.STOPPED, Power.PAUSED), (VM.STOPPED, Power.SUSPENDED),
    (VM.PAUSED, Power.SHUTDOWN), (VM.PAUSED, Power.CRASHED),
})
"""Combinations after which the server is to be stopped, as if its owner had asked."""


def stops(vm_state: str, seen: Power) -> bool:
    """Whether a server in `vm_state` whose guest is `seen` so is to be stopped."""
    return (vm_state, seen) in _STOP


def settle(h: Host, state: objects.State) -> None:
    """Look again, and do what is to be done about what is seen now, which may be nothing."""
    power.observe(h, state)
    if stops(h.instance.vm_state, Power(h.instance.power_state)):
        h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
        power.observe(h, state)
        h.instance.vm_state = str(VM.STOPPED)


class SyncStop(Flow[objects.State]):
    """The server seems to have to be stopped; users see it as that."""

    name = 'sync_stop'
    action = 'stop'
    steps = (Step(settle, undo=power.accept, at='host', shows=states.Task.POWERING_OFF),)


class SyncPower(Flow[objects.State]):
    """The record seems to have to be changed to what the guest does. Users see no operation.

    The server may be in any state, and keeps it when this fails: the host reports the guest again later.
    """

    name = 'sync_power'
    steps = (Step(settle, at='host'),)
