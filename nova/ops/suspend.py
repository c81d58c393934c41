"""suspend and resume: the guest's memory is on disk, its host gives nothing to it but room."""


from nova import objects, states
from nova.policies import suspend as rules
from nova.states import Power
from nova.steps import power, shares
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host


def suspend_guest(h: Host, state: objects.State) -> None:
    h.driver.suspend(h)
    power.observe(h, state)


def resume_guest(h: Host, state: objects.State) -> None:
    h.driver.resume(h)
    power.observe(h, state)


def resume_again(h: Host, state: objects.State) -> None:
    """A guest whose memory is on disk goes on; one that is not suspended, because it was off, is what it is."""
    if h.driver.state(h) == Power.SUSPENDED:
        h.driver.resume(h)
    power.accept(h, state)


def suspend_again(h: Host, state: objects.State) -> None:
    """A guest that goes on is suspended again; any other is what it is."""
    if h.driver.state(h) == Power.RUNNING:
        h.driver.suspend(h)
    power.accept(h, state)


class Suspend(Flow[objects.State]):
    action = 'suspend'
    steps = (Step(suspend_guest, undo=resume_again, at='host', timeout=1800.0, shows=states.Task.SUSPENDING),)
    ends = states.VM.SUSPENDED


class Resume(Flow[objects.State]):
    """A resume that failed leaves the saved memory where it is, to be tried again."""

    action = 'resume'
    steps = (Step(resume_guest, undo=suspend_again, at='host', timeout=1800.0, shows=states.Task.RESUMING),)
    ends = states.VM.ACTIVE


class SuspendAction(shares.WithoutShares):
    key = 'suspend'
    rule = rules.SUSPEND
    start = From(states.VM.ACTIVE)
    flow = Suspend


class ResumeAction(Action):
    key = 'resume'
    rule = rules.RESUME
    start = From(states.VM.SUSPENDED)
    flow = Resume
