"""reboot: SOFT asks the guest, HARD pulls the plug and builds the guest anew from its record.

A hard reboot is also the way out of trouble, so it starts from nearly any state, even one that shows another
power operation.
"""


from nova import objects, states
from nova.common.jsonutil import JsonObject
from nova.policies import servers as rules
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.rest.types import enum
from nova.steps import power
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host, Request

SOFT, HARD = 'SOFT', 'HARD'


class RebootState(objects.State):

    kind: str


def is_soft(state: RebootState) -> bool:
    return state.kind == SOFT


def is_hard(state: RebootState) -> bool:
    return state.kind == HARD


def reboot_soft(h: Host, state: RebootState) -> None:
    h.driver.reboot(h, SOFT)
    power.observe(h, state)


def reboot_hard(h: Host, state: RebootState) -> None:
    h.driver.reboot(h, HARD)
    power.observe(h, state)


def settle_failed(h: Host, state: RebootState) -> None:
    """After a failed reboot a server whose guest runs is active; any other is an error."""
    power.observe(h, state)
    runs = h.instance.power_state == states.Power.RUNNING
    h.instance.vm_state = str(states.VM.ACTIVE if runs else states.VM.ERROR)


class Reboot(Flow[RebootState]):
    action = 'reboot'
    steps = (
        Step(reboot_soft, undo=settle_failed, at='host', when=is_soft, shows=states.Task.REBOOTING),
        Step(reboot_hard, undo=settle_failed, at='host', when=is_hard, shows=states.Task.REBOOTING_HARD),
    )
    ends = states.VM.ACTIVE


_SOFT = From(states.VM.ACTIVE)
_HARD = From(
    states.VM.ACTIVE, states.VM.STOPPED, states.VM.PAUSED, states.VM.SUSPENDED, states.VM.ERROR,
    task=(None, states.Task.REBOOTING, states.Task.REBOOT_PENDING, states.Task.REBOOT_STARTED,
          states.Task.RESUMING, states.Task.REBOOTING_HARD, states.Task.UNPAUSING, states.Task.PAUSING,
          states.Task.SUSPENDING))


class RebootAction(Action):
    """A soft reboot may start from fewer states than a hard one."""

    key = 'reboot'
    rule = rules.REBOOT
    body = Body(type=Field(enum('HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft'), required=True))
    flow = Reboot
    start = _HARD

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> object:
        kind = body['type'].upper()
        start = _HARD if kind == HARD else _SOFT
        start.check(instance, self.word)
        req.submit(Reboot, instance, RebootState(kind=kind), guard=start.guard(self.word))
        return None
