"""POST /servers/{id}/action: evacuate."""


from nova import errors, objects, states
from nova.common import problem, uuids
from nova.common.jsonutil import JsonObject
from nova.domain import tpm
from nova.objects import move as kinds
from nova.ops.evacuate import flow, wire
from nova.policies import evacuate as rules
from nova.rest import types
from nova.rest.field import Field, Span
from nova.rest.resource import Body, Reply
from nova.steps import moves, shares
from nova.task.guard import ANY, From
from nova.task.handles import Request


class EvacuateAction(shares.WithoutShares):
    """For servers whose host is down.

    Before 2.29 the host that is named is taken as it is; from then on the scheduler checks it, until 2.67
    unless it is told not to.
    """

    key = 'evacuate'
    rule = rules.EVACUATE
    body = Body(
        host=Field(types.HOST, body='2.1'),
        adminPass=Field(types.TEXT, body='2.1'),
        onSharedStorage=Field(types.BOOLISH, body=Span('2.1', '2.13', required=True)),
        force=Field(types.BOOLISH, body=Span('2.29', '2.67')))
    start = From(states.VM.ACTIVE, states.VM.STOPPED, states.VM.ERROR, task=ANY,
                 but=states.ENDING, lock=False, host=True)
    status = 200
    flow = flow.Evacuate
    returns = types.OBJECT

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply | None:
        tpm.check_stays(instance, self.word)
        state = _state(req, instance, body)
        # Disks that are shared are used as they are, and with them the password that is on them.
        password = None if _is_shared(body) else body.get('adminPass') or req.make_password()
        state.password = req.clients.trust.hide(password) if password is not None else None
        req.submit(flow.Evacuate, instance, state, guard=self.guard(), also=self.also)
        if req.at('2.14'):
            return None
        return Reply(body={'adminPass': password} if req.conf.api.enable_instance_password else {})


def _state(req: Request, instance: objects.Instance, body: JsonObject) -> wire.Evacuation:
    """The state with which it begins.

    Raises:
        errors.Invalid: 400; the host lives, or what is asked for contradicts itself.
    """
    host, force = body.get('host'), types.is_true(body.get('force', False))
    if force and host is None:
        raise problem.BadRequest("Can't force to a non-provided destination")
    if host is not None:
        req.cells.of_host(host)
        if host == instance.host:
            raise errors.Invalid('The target host can\'t be the same one.')
    if _is_shared(body) and body.get('adminPass'):
        raise problem.BadRequest("admin password can't be changed on existing disk")
    if req.host_is_up(instance.host):
        raise errors.Invalid(f'Compute service of {instance.host} is still in use.')
    runs = instance.vm_state != states.VM.STOPPED and not req.at('2.95')
    return moves.started(
        instance, kinds.EVACUATION, wire.Evacuation, migration=uuids.generate(), wanted_host=host,
        forced=host is not None and (force or not req.at('2.29')), runs=runs, ignored=[instance.host])


def _is_shared(body: JsonObject) -> bool:
    return types.is_true(body.get('onSharedStorage', False))
