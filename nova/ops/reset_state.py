"""os-resetState: an administrator says what a server is, whatever the records say.

For servers that an outage left in a wrong state. Nothing is done to the guest; an operation that runs goes on.
"""


from nova import objects, states
from nova.common.jsonutil import JsonObject
from nova.policies import admin_actions
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.rest.types import enum
from nova.task.action import Action
from nova.task.guard import From
from nova.task.handles import Request

_STATES = {'active': states.VM.ACTIVE, 'error': states.VM.ERROR}


class ResetState(Action):
    key = 'os-resetState'
    name = 'reset_state'
    rule = admin_actions.RESET_STATE
    body = Body(state=Field(enum(*_STATES), 'What it is from now on.', required=True))
    start = From(task=None, launched=False, lock=False)

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        def alter(fresh: objects.Instance) -> None:
            fresh.vm_state, fresh.task_state = str(_STATES[body['state']]), None
        req.record(instance, 'resetState', alter)
