"""What a guest does, as its hypervisor says: the undo of steps that do nothing but change that."""


from nova import objects
from nova.states import VM, Power
from nova.task.handles import Host

MEANS = {Power.RUNNING: VM.ACTIVE, Power.SHUTDOWN: VM.STOPPED, Power.PAUSED: VM.PAUSED,
         Power.SUSPENDED: VM.SUSPENDED}
"""What a server is whose guest does this."""

_POWERS = {means: power for power, means in MEANS.items()}


def observe(h: Host, state: objects.State) -> None:
    """On the host: write down what the hypervisor says about the guest."""
    seen = h.driver.state(h)
    h.instance.power_state = int(Power.NOSTATE if seen is None else seen)


def as_recorded(h: Host, state: objects.State) -> None:
    """On the host: an operation has failed that may have stopped the guest or started it; it does again what
    the record says.

    An undo that a host owes is done when its task has ended: then nobody hears any more what the guest does.
    """
    wanted, is_now = _POWERS.get(VM(h.instance.vm_state)), h.driver.state(h)
    if is_now == Power.SHUTDOWN and wanted not in (None, Power.SHUTDOWN):
        h.driver.power_on(h)
        is_now = h.driver.state(h)
    if is_now == Power.RUNNING and wanted == Power.PAUSED:
        h.driver.pause(h)
    elif is_now == Power.RUNNING and wanted == Power.SUSPENDED:
        h.driver.suspend(h)
    elif is_now == Power.RUNNING and wanted == Power.SHUTDOWN:
        h.driver.power_off(h)
    accept(h, state)


def as_before(h: Host, state: objects.State) -> None:
    """`as_recorded`, where the record says what the guest does; else whatever it does may be right."""
    if h.instance.vm_state in _POWERS:
        as_recorded(h, state)
    else:
        observe(h, state)


def accept(h: Host, state: objects.State) -> None:
    """On the host: an operation has failed, and the server is what its guest is, wherever that left it.

    An error stays one: it needs a success to get out of it.
    """
    observe(h, state)
    means = MEANS.get(Power(h.instance.power_state))
    if means is not None and h.instance.vm_state != VM.ERROR:
        h.instance.vm_state = str(means)
