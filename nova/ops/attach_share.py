"""Attaching a share to a server that is off: its guest finds it when it starts.

The request writes the row. Then the share service is asked to let the host in and to keep the share, and the
host mounts it. What fails leaves a share in error, of which the share service knows nothing.
"""

import sqlalchemy as sa

from nova import errors, objects
from nova.common import uuids
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.objects.share_mapping import ShareStatus
from nova.policies import server_shares as rules
from nova.rest.resource import Body, One, Reply
from nova.schema import share as schema
from nova.states import VM
from nova.steps import shares
from nova.task.action import Action
from nova.task.flow import QUEUED, Flow, Step, Wait
from nova.task.guard import ANY, From
from nova.task.handles import Conductor, Host, Request

PROTOCOLS = ('NFS', 'CEPHFS')
VIRTIO_FS, SHARED_MEMORY = 'COMPUTE_STORAGE_VIRTIO_FS', 'COMPUTE_MEM_BACKING_FILE'


class ShareState(base.State):
    """
    Attributes:
        share: the row.
        share_id: for those who are told of the operation.
    """

    share: objects.ShareMapping
    share_id: fields.Uuid


def begin(h: Conductor, state: ShareState) -> None:
    shares.mark(h, state.share, ShareStatus.ATTACHING)


def give_up(h: Conductor, state: ShareState) -> None:
    """Undo of `begin` and `let_in`: the share is one in error, of which nobody knows but we."""
    shares.give_up(h, state.share, ShareStatus.ERROR)


def find_host(h: Host, state: ShareState) -> None:
    """Whom the share service is to let in: NFS the host's address, CephFS a user of this server's own."""
    share = state.share
    share.access_to = (f'nova-{h.instance.uuid}' if share.access_type == 'cephx'
                       else str(h.conf.my_shared_fs_storage_ip))


def let_in(h: Conductor, state: ShareState) -> None:
    shares.let_in(h, state.share)


def is_let_in(h: Conductor, state: ShareState) -> bool:
    """Whether the share service has done what it was asked.

    Raises:
        ShareRefused: it has not, or not in time.
    """
    share = state.share
    rule = h.clients.share.access(share.share_id, share.access_type, share.access_to or '')
    status = 'gone' if rule is None else rule['state']
    if status == 'active':
        return True
    late = h.task.elapsed(h.db.now()) >= h.conf.manila.share_apply_policy_timeout
    if late or status in ('gone', 'error'):
        raise errors.share.ShareRefused(
            share=share.share_id, who=share.access_to, reason=f'the rule is {status}')
    return False


def mount(h: Host, state: ShareState) -> None:
    shares.give_to_guest(h, state.share)


def unmount(h: Host, state: ShareState) -> None:
    """Undo of `mount`."""
    h.driver.detach_share(h, state.share.share_id)


def finish(h: Conductor, state: ShareState) -> None:
    shares.mark(h, state.share, ShareStatus.INACTIVE)


class AttachShare(Flow[ShareState]):
    name = 'attach_share'
    action = 'attach_share'
    exclusion = QUEUED
    steps = (
        Step(begin, undo=give_up),
        Step(find_host, at='host'),
        Step(let_in),
        Wait(is_let_in),
        Step(mount, undo=unmount, at='host'),
        Step(finish),
    )


class AttachShareAction(Action):
    method, path = 'POST', '/servers/{server_id}/shares'
    name = 'attach_share'
    since = schema.SINCE
    rule = rules.CREATE
    body = Body(schema.Share, face='create', under='share')
    start = From(VM.STOPPED, task=ANY, lock=False, host_up=True)
    status = 201
    returns = One('share', schema.Share)

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply:
        """Attach a share; the guest finds it when it starts."""
        wanted = body['share']
        _check_host(req, instance)
        found = req.clients.share.show(req.context, wanted['share_id'])
        _check_share(found)
        share = objects.ShareMapping(
            uuid=uuids.generate(), instance_uuid=instance.uuid, share_id=found['id'],
            status=str(ShareStatus.ATTACHING), tag=wanted.get('tag') or found['id'],
            export_location=found['export_location'], share_proto=found['share_proto'].upper())

        def keep(conn: sa.Connection, fresh: objects.Instance) -> None:
            check_others(conn, share)
            share.copy().create(conn)
        req.submit(AttachShare, instance, ShareState(share=share.copy(), share_id=share.share_id),
                   guard=self.guard(), also=keep)
        return Reply(subject=share, look=schema.Looked(req.context, instance))


def _check_host(req: Request, instance: objects.Instance) -> None:
    """
    Raises:
        SharesUnsupported: 403; its host has no virtiofs.
        MemoryUnsuitable: 409; virtiofs could not reach the memory of its guest.
    """
    traits = req.clients.placement.traits(instance.compute_id) if instance.compute_id else set()
    if VIRTIO_FS not in traits:
        raise errors.share.SharesUnsupported(server=instance.uuid)
    if SHARED_MEMORY not in traits and not instance.flavor.extra_specs.get('hw:mem_page_size'):
        raise errors.share.MemoryUnsuitable(server=instance.uuid)


def _check_share(found: JsonObject) -> None:
    """
    Raises:
        ShareNotAvailable, ShareProtocolUnsupported, ShareNotExported: 409.
    """
    if found['status'] != 'available':
        raise errors.share.ShareNotAvailable(share=found['id'], status=found['status'])
    if str(found['share_proto']).upper() not in PROTOCOLS:
        raise errors.share.ShareProtocolUnsupported(share=found['id'], protocol=found['share_proto'])
    if not found['export_location']:
        raise errors.share.ShareNotExported(share=found['id'])


def check_others(conn: sa.Connection, share: objects.ShareMapping) -> None:
    """
    Raises:
        ShareAttached, ShareTagTaken: 409; the server has the share, or another one of this tag.
    """
    for other in objects.ShareMapping.of_server(conn, share.instance_uuid):
        if other.share_id == share.share_id:
            raise errors.share.ShareAttached(share=share.share_id, server=share.instance_uuid)
        if other.tag == share.tag:
            raise errors.share.ShareTagTaken(tag=share.tag, server=share.instance_uuid)
