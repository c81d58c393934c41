"""Detaching a volume: taken from the guest, let go by its host, given up at Cinder, forgotten.

The guest comes first. One that does not let go keeps its volume, and the server is as it was. Once it has let
go there is no way back: what fails then is tried again, and in the end is an error of the server.
"""


from nova import errors, objects
from nova.objects import base, fields
from nova.policies import volumes_attachments as rules
from nova.steps import attachments
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import From
from nova.task.handles import Conductor, Host, Request


class DetachState(base.State):
    """
    Attributes:
        device: uuid of the server's block device.
        volume_id: its volume, also once the device is gone.
        guest: a host has a guest that has it, perhaps.
    """

    device: fields.Uuid
    volume_id: fields.Uuid
    guest: bool = False


def find_device(h: Conductor, state: DetachState) -> None:
    """Where the volume has to be taken from: nowhere, if that was done already."""
    state.guest = attachments.find(h, state.device) is not None and attachments.has_guest(h.instance)


def reaches_guest(state: DetachState) -> bool:
    return bool(state.guest)


def detach_from_guest(h: Host, state: DetachState) -> None:
    h.driver.detach_volume(h, attachments.device(h, state.device))


def attach_again(h: Host, state: DetachState) -> None:
    """Undo of `detach_from_guest`: attach the volume again if the guest has let it go after all."""
    attachments.give_to_guest(h, attachments.device(h, state.device))


def let_go(h: Host, state: DetachState) -> None:
    """On the host: disconnect the volume."""
    h.driver.disconnect_volume(h, attachments.device(h, state.device))


def give_up_volume(h: Conductor, state: DetachState) -> None:
    """Delete the server's attachment and device; the attachment of a volume that is gone is gone as well."""
    attachments.remove(h, state.device, state.volume_id)


class DetachVolume(Flow[DetachState]):
    name = 'detach_volume'
    action = 'detach_volume'
    exclusion = QUEUED
    steps = (
        Step(find_device),
        Step(detach_from_guest, undo=attach_again, at='host', when=reaches_guest, pivot=True),
        Step(let_go, at='host', when=reaches_guest),
        Step(give_up_volume),
    )


class DetachAction(Action):
    method, path = 'DELETE', '/servers/{server_id}/os-volume_attachments/{volume_id}'
    name = 'detach_volume'
    rule = rules.DELETE
    start = From(*attachments.STATES)
    flow = DetachVolume

    def answer(self, req: Request, instance: objects.Instance, body: object, volume_id: str = '') -> None:
        """Detach a volume; asked once more before that is done, it is answered as before, and done once."""
        attachments.check_shelved(req, instance, self.word)
        device = attachments.of_volume(instance, volume_id)
        req.clients.volume.show(req.context, volume_id)
        if device.is_root:
            raise errors.block.VolumeInvalid(reason='Cannot detach a root device volume')
        if attachments.has_guest(instance) and not req.host_is_up(instance.host or ''):
            raise errors.host.HostDown(host=instance.host)
        req.submit(DetachVolume, instance, DetachState(device=device.uuid or '', volume_id=volume_id),
                   guard=self.guard())
