"""addSecurityGroup and removeSecurityGroup: what may reach a server's ports.

Answered within the request: the network service does it, and no guest is touched.
"""

from nova import errors, objects
from nova.common.jsonutil import JsonObject
from nova.policies import security_groups as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body
from nova.steps import interfaces
from nova.task.action import Action
from nova.task.flow import SHARING, Flow, Step
from nova.task.guard import ANY, From
from nova.task.handles import Request

_ALWAYS = From(task=ANY, launched=False, lock=False)
_BODY = Body(name=Field(types.text(1), 'Name or UUID of the group.', required=True))


class NoteGroups(Flow[objects.State]):
    """Not seen among a server's actions: the record follows what was done."""

    name = 'note_groups'
    exclusion = SHARING
    steps = (Step(interfaces.refresh_network),)
    deadline = 600.0


def _name(body: JsonObject) -> str:
    """The group that is meant.

    Raises:
        errors.Invalid: none is.
    """
    name: str = body['name']
    if not name.strip():
        raise errors.Invalid('Security group name cannot be empty.')
    return name


class AddSecurityGroup(Action):
    key = 'addSecurityGroup'
    rule = rules.ADD
    body = _BODY
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        req.clients.network.join_security_group(req.context, instance.uuid, _name(body))
        _note(req, instance)


class RemoveSecurityGroup(Action):
    key = 'removeSecurityGroup'
    rule = rules.REMOVE
    body = _BODY
    start = _ALWAYS

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> None:
        if not req.clients.network.leave_security_group(req.context, instance.uuid, _name(body)):
            raise errors.network.SecurityGroupNotOfServer(server=instance.uuid, group=body['name'])
        _note(req, instance)


def _note(req: Request, instance: objects.Instance) -> None:
    """The record says it, too, before we answer; where others write to it at the same moment, soon after."""
    if not interfaces.renew(req.place.db, req.clients, instance):
        req.submit(NoteGroups, instance, objects.State())
