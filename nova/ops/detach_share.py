"""Detaching a share from a server that is off: its guest has it no more, the share service lets nobody in."""

import sqlalchemy as sa

from nova import errors, objects
from nova.objects import base, fields
from nova.objects.share_mapping import ShareStatus
from nova.policies import server_shares as rules
from nova.schema import share as schema
from nova.states import VM
from nova.steps import shares
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step
from nova.task.guard import ANY, Check, From
from nova.task.handles import Conductor, Host, Request


class DetachShareState(base.State):
    """
    Attributes:
        share: the row, as it was when the operation began.
        share_id: for those who are told of the operation.
        guest: a host has it mounted, perhaps.
    """

    share: objects.ShareMapping
    share_id: fields.Uuid
    guest: bool


def reaches_guest(state: DetachShareState) -> bool:
    return state.guest


def take_from_guest(h: Host, state: DetachShareState) -> None:
    h.driver.detach_share(h, state.share.share_id)


def give_again(h: Host, state: DetachShareState) -> None:
    """Undo of `take_from_guest`; a share in error was not there."""
    if state.share.status == ShareStatus.INACTIVE:
        shares.give_to_guest(h, state.share)


def begin(h: Conductor, state: DetachShareState) -> None:
    shares.mark(h, state.share, ShareStatus.DETACHING)


def give_back(h: Conductor, state: DetachShareState) -> None:
    """Undo of `begin`: the share is what it was. Another server of the host may have shut it out meanwhile."""
    shares.mark(h, state.share, ShareStatus(state.share.status))
    if state.share.status == ShareStatus.INACTIVE:
        shares.let_in(h, state.share)


def forget(h: Conductor, state: DetachShareState) -> None:
    shares.forget(h, state.share)


class DetachShare(Flow[DetachShareState]):
    name = 'detach_share'
    action = 'detach_share'
    exclusion = QUEUED
    steps = (
        Step(begin, undo=give_back),
        Step(take_from_guest, undo=give_again, at='host', when=reaches_guest, pivot=True),
        Step(forget),
    )


class DetachShareAction(Action):
    method, path = 'DELETE', '/servers/{server_id}/shares/{share_id}'
    name = 'detach_share'
    since = schema.SINCE
    rule = rules.DELETE
    start = From(task=ANY, launched=False, lock=False)
    off = From(VM.STOPPED, VM.ERROR, task=ANY, launched=False, lock=False)
    status = 200

    def guard(self) -> Check:
        return self.off.guard(self.word)

    def answer(self, req: Request, instance: objects.Instance, body: object, share_id: str = '') -> None:
        """Detach a share; asked once more before that is done, it is answered as before, and done once."""
        share = shares.of_request(req, instance, share_id)
        self.off.check(instance, self.word)
        if share.status == ShareStatus.ATTACHING:
            raise errors.share.ShareChanging(share=share_id, server=instance.uuid, status=share.status)
        if share.status == ShareStatus.DETACHING:
            return
        guest = instance.host is not None
        if guest and not req.host_is_up(instance.host):
            raise errors.host.HostDown(host=instance.host)

        def keep(conn: sa.Connection, fresh: objects.Instance) -> None:
            objects.ShareMapping.mark(conn, share.uuid, ShareStatus.DETACHING)
        req.submit(DetachShare, instance, DetachShareState(share=share, share_id=share_id, guest=guest),
                   guard=self.guard(), also=keep)
