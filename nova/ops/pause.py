"""pause and unpause: the guest's CPUs stand still, its memory stays."""


from nova import objects, states
from nova.policies import pause as rules
from nova.states import Power
from nova.steps import power
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host


def pause_guest(h: Host, state: objects.State) -> None:
    h.driver.pause(h)
    power.observe(h, state)


def unpause_guest(h: Host, state: objects.State) -> None:
    h.driver.unpause(h)
    power.observe(h, state)


def unpause_again(h: Host, state: objects.State) -> None:
    """Undo of `pause_guest`: unpause the guest if it is paused; then the record says what the guest does."""
    if h.driver.state(h) == Power.PAUSED:
        h.driver.unpause(h)
    power.accept(h, state)


def pause_again(h: Host, state: objects.State) -> None:
    """Undo of `unpause_guest`: pause the guest if it runs; then the record says what the guest does."""
    if h.driver.state(h) == Power.RUNNING:
        h.driver.pause(h)
    power.accept(h, state)


class Pause(Flow[objects.State]):
    action = 'pause'
    steps = (Step(pause_guest, undo=unpause_again, at='host', shows=states.Task.PAUSING),)
    ends = states.VM.PAUSED


class Unpause(Flow[objects.State]):
    action = 'unpause'
    steps = (Step(unpause_guest, undo=pause_again, at='host', shows=states.Task.UNPAUSING),)
    ends = states.VM.ACTIVE


class PauseAction(Action):
    key = 'pause'
    rule = rules.PAUSE
    start = From(states.VM.ACTIVE)
    flow = Pause


class UnpauseAction(Action):
    key = 'unpause'
    rule = rules.UNPAUSE
    start = From(states.VM.PAUSED)
    flow = Unpause
