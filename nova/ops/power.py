"""os-start and os-stop: the guest's power."""


from nova import objects, states
from nova.policies import servers as rules
from nova.steps import power
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host


def power_on(h: Host, state: objects.State) -> None:
    """Start the guest; one that runs is left alone."""
    h.driver.power_on(h)
    power.observe(h, state)


def power_off(h: Host, state: objects.State) -> None:
    """Ask the guest to shut down, and switch it off when it has not within `shutdown_timeout`."""
    h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    power.observe(h, state)


class Start(Flow[objects.State]):
    action = 'start'
    steps = (Step(power_on, undo=power.accept, at='host', shows=states.Task.POWERING_ON),)
    ends = states.VM.ACTIVE


class Stop(Flow[objects.State]):
    action = 'stop'
    steps = (Step(power_off, undo=power.accept, at='host', shows=states.Task.POWERING_OFF),)
    ends = states.VM.STOPPED


class StartAction(Action):
    key = 'os-start'
    name = 'start'
    rule = rules.START
    start = From(states.VM.STOPPED, host=True)
    flow = Start


class StopAction(Action):
    key = 'os-stop'
    name = 'stop'
    rule = rules.STOP
    start = From(states.VM.ACTIVE, states.VM.ERROR, host=True)
    flow = Stop
