"""trigger_crash_dump (2.17): the guest is sent the interrupt at which its kernel dumps its memory."""

from nova import objects
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.resource import Body
from nova.states import VM
from nova.task.action import Action
from nova.task.flow import SHARING, Flow, Step
from nova.task.guard import From
from nova.task.handles import Host


def trigger_crash_dump(h: Host, state: objects.State) -> None:
    """Send the guest the interrupt. It may go on or end afterwards: power reports tell."""
    h.driver.crash_dump(h)


class CrashDump(Flow[objects.State]):
    """Shows no task_state, and lets other operations on the server go on beside it."""

    name = 'trigger_crash_dump'
    action = 'trigger_crash_dump'
    exclusion = SHARING
    steps = (Step(trigger_crash_dump, at='host'),)


class CrashDumpAction(Action):
    key = 'trigger_crash_dump'
    rule = rules.TRIGGER_CRASH_DUMP
    since = '2.17'
    body = Body(types.NULL)
    start = From(VM.ACTIVE, VM.PAUSED, VM.RESCUED, VM.RESIZED, VM.ERROR, host=True)
    flow = CrashDump
