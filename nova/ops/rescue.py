"""rescue and unrescue: the guest is started from another image, its own disk beside it, and back."""

import contextlib
import datetime

from nova import errors, objects, states
from nova.common import clock
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.objects import task as rows
from nova.policies import rescue as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Reply
from nova.states import VM
from nova.steps import image_checks, injection, power, volumes
from nova.task import journal
from nova.task.action import Action
from nova.task.flow import Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request

OF_VOLUMES, ABLE = '2.87', 'COMPUTE_RESCUE_BFV'
"""From here on servers that boot from a volume are rescued, on hosts with this trait."""


AT = 'rescued_at'
"""Under this key a server's own notes keep since when it is in rescue."""

MOST = 100
"""Servers whose rescue is ended at a time."""

_RESCUED = From(VM.RESCUED)


class RescueState(base.State):
    """`password` is hidden by `Trust.hide`."""

    passing = ('password',)

    image_id: str = ''
    password: fields.Secret | None = None


def rescue_guest(h: Host, state: RescueState) -> None:
    """Shut the guest down, and start it from the rescue image."""
    h.driver.power_off(h, timeout=h.conf.shutdown_timeout)
    h.driver.rescue(h, state.image_id, injection.revealed(h, state))
    power.observe(h, state)


def leave_rescue(h: Host, state: RescueState) -> None:
    """Undo of `rescue_guest`: start the guest from its own disk, or leave it off if it was off."""
    with contextlib.suppress(errors.virt.GuestNotFound):  # one in error may have none
        h.driver.unrescue(h)
        if h.instance.vm_state == VM.STOPPED:
            h.driver.power_off(h)
    power.accept(h, state)


def note_rescued(h: Conductor, state: RescueState) -> None:
    """Note since when the server is in rescue, by the clock of its cell's database."""
    h.instance.system_metadata = {**(h.instance.system_metadata or {}), AT: clock.isotime(h.db.now()) or ''}


class Rescue(Flow[RescueState]):
    version = '1.1'
    action = 'rescue'
    steps = (
        Step(rescue_guest, undo=leave_rescue, at='host', timeout=1800.0, shows=states.Task.RESCUING),
        Step(note_rescued),
    )
    ends = VM.RESCUED


def unrescue_guest(h: Host, state: objects.State) -> None:
    h.driver.unrescue(h)
    power.observe(h, state)


class Unrescue(Flow[objects.State]):
    """One that failed can be tried again: the server stays in rescue."""

    action = 'unrescue'
    steps = (Step(unrescue_guest, undo=power.observe, at='host', shows=states.Task.UNRESCUING),)
    ends = VM.ACTIVE


def begin_due(tasks: journal.Journal, seconds: float) -> list[rows.Task]:
    """Begin to unrescue what has been in rescue for more than `seconds` in one cell; wake the tasks.

    Who unrescues it at the same moment may win: a server is taken only while it rests in rescue.
    """
    before = tasks.db.now() - datetime.timedelta(seconds=seconds)
    with tasks.db.read() as conn:
        rescued = objects.Instance.all(conn, vm_state=str(VM.RESCUED), task_state=None, limit=MOST)
    due = [instance for instance in rescued
           if (said := (instance.system_metadata or {}).get(AT)) and clock.parse(said) < before]
    return tasks.begin_each(Unrescue, ((instance, objects.State()) for instance in due),
                            lambda fresh: _RESCUED.check(fresh, 'unrescue'))


class RescueAction(Action):
    key = 'rescue'
    rule = rules.RESCUE
    body = Body(adminPass=Field(types.TEXT, 'Password in the rescue image.'),
                rescue_image_ref=Field(types.UUID, 'What to start from; else what the server was made of.'),
                null=True)
    start = From(VM.ACTIVE, VM.STOPPED, VM.ERROR)
    status = 200
    returns = {'type': 'object', 'properties': {'adminPass': types.TEXT}}
    flow = Rescue

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply:
        password = body.get('adminPass') or req.make_password()
        image_id = body.get('rescue_image_ref') or instance.image_ref or ''
        _check(req, instance, image_id)
        state = RescueState(image_id=image_id, password=req.clients.trust.hide(password))
        req.submit(Rescue, instance, state, guard=self.guard())
        return Reply(body={'adminPass': password}) if req.conf.api.enable_instance_password else Reply()


def _check(req: Request, server: objects.Instance, image_id: str) -> None:
    """The server can be rescued by this image.

    Raises:
        errors.Invalid: 400; it cannot.
        VolumeBusy: 409; one of its volumes is not in use by it.
    """
    if server.is_volume_backed:
        if not req.at(OF_VOLUMES):
            raise errors.Invalid(f'Instance {server.uuid} cannot be rescued: it boots from a volume.')
        if not server.compute_id or ABLE not in req.clients.placement.traits(server.compute_id):
            raise errors.Invalid(f'Instance {server.uuid} cannot be rescued: its host rescues none that boots '
                                 'from a volume.')
    image = image_checks.named(req, image_id)
    if image is None:
        raise errors.Invalid(f'Instance {server.uuid} boots from a volume: name the image to rescue it by, as '
                             'rescue_image_ref.')
    if image.status != 'active':
        raise errors.image.ImageNotActive(image=image.id)
    if image.properties.block_device_mapping or image.properties.mappings:
        raise errors.Invalid(f'Requested rescue image {image.id} is not supported: it is one of volumes.')
    for device in volumes.volume_devices(server):
        status = req.clients.volume.show(req.context, device.volume_id)['status']
        if status != 'in-use':
            raise errors.block.VolumeBusy(volume=device.volume_id, reason=f'its status is {status}')


class UnrescueAction(Action):
    key = 'unrescue'
    rule = rules.UNRESCUE
    start = _RESCUED
    flow = Unrescue
