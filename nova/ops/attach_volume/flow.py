"""Attaching a volume: reserved for the server, connected on its host, given to its guest.

The request has written the device's row, and mostly has reserved the volume as well. Where it did not live to
do so, the first step does, in the user's name all the same.
"""

import logging

from nova import errors
from nova.ops.attach_volume import wire
from nova.steps import attachments
from nova.task.flow import QUEUED, Flow, Step
from nova.task.handles import Conductor, Host

LOG = logging.getLogger(__name__)


def reserve_volume(h: Conductor, state: wire.AttachState) -> None:
    """Reserve the volume for the server, so that nobody else gets it; repeatable."""
    device = attachments.find(h, state.device)
    if device is None:
        raise errors.block.VolumeNotAttached(volume=state.volume_id, server=h.instance.uuid)
    if device.attachment_id is None:
        user = h.clients.trust.trusted(h.context, state.trust)
        device.attachment_id = h.clients.volume.reserve(device.volume_id, h.instance.uuid, user)
    state.trust = None
    state.guest = attachments.has_guest(h.instance)


def unreserve_volume(h: Conductor, state: wire.AttachState) -> None:
    """Undo of `reserve_volume`: delete the server's attachment and its device."""
    if not state.kept:
        attachments.remove(h, state.device, state.volume_id)


def reaches_guest(state: wire.AttachState) -> bool:
    return bool(state.guest)


def attach_to_guest(h: Host, state: wire.AttachState) -> None:
    attachments.give_to_guest(h, attachments.device(h, state.device))


def take_from_guest(h: Host, state: wire.AttachState) -> None:
    """Undo of `attach_to_guest`: detach the volume from the guest, and disconnect it on the host.

    A guest that stands still lets nothing go, and may stand for long. Then the server has the volume, which its
    user may detach.
    """
    device = attachments.find(h, state.device)
    if device is None:
        return
    try:
        h.driver.detach_volume(h, device)
    except errors.virt.DetachFailed as error:
        LOG.warning('Server %s keeps volume %s: %s', h.instance.uuid, state.volume_id, error)
        h.clients.volume.complete(device.attachment_id or '')
        state.kept = True
        return
    h.driver.disconnect_volume(h, device)


class AttachVolume(Flow[wire.AttachState]):
    """A server that has left its host for a while gets the reservation; who brings it back, connects it."""

    name = 'attach_volume'
    action = 'attach_volume'
    exclusion = QUEUED
    steps = (
        Step(reserve_volume, undo=unreserve_volume),
        Step(attach_to_guest, undo=take_from_guest, at='host', when=reaches_guest),
    )
