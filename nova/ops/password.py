"""changePassword: the agent in the guest sets the administrator's password.

It is sealed wherever it is kept on its way, and kept no longer than until the guest has it.
"""


from nova import objects, states
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.policies import admin_password as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Host, Request


class PasswordState(base.State):
    """`password` is hidden by `Trust.hide`."""

    passing = ('password',)

    password: fields.Secret | None = None


def set_password(h: Host, state: PasswordState) -> None:
    """Set the administrator's password in the guest. There is no undo: nobody knows the password before."""
    h.driver.set_password(h, h.clients.trust.reveal(state.password or ''))


class ChangePassword(Flow[PasswordState]):
    name = 'change_password'
    action = 'changePassword'
    steps = (Step(set_password, at='host', shows=states.Task.UPDATING_PASSWORD),)


class ChangePasswordAction(Action):
    key = 'changePassword'
    rule = rules.ADMIN_PASSWORD
    body = Body(adminPass=Field(types.TEXT, 'The new one.', required=True))
    start = From(states.VM.ACTIVE)
    flow = ChangePassword

    def prepare(self, req: Request, instance: objects.Instance, body: JsonObject) -> PasswordState:
        return PasswordState(password=req.clients.trust.hide(body['adminPass']))
