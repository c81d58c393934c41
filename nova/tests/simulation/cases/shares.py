"""Attaching and detaching shares: the server is off, its row says what it is to have."""

from nova import objects
from nova.common import uuids
from nova.ops import attach_share, detach_share
from nova.tests.simulation import cases


def _off(world):
    uuid = world.running()
    cases.put(world, uuid, 'stopped')
    return uuid


def attach(world, uuid, share_id, share_proto='NFS'):
    """Attach a share, past the API."""
    share = objects.ShareMapping(
        uuid=uuids.generate(), instance_uuid=uuid, share_id=share_id, status='attaching', tag=share_id,
        share_proto=share_proto, export_location=world.clients.share.shares[share_id]['export_location'])
    world.raw[world.cell_of(uuid)].write(lambda conn: share.copy().create(conn))
    return world.begin(uuid, attach_share.AttachShare, attach_share.ShareState(
        share=share, share_id=share_id))


def detach(world, uuid, share_id):
    """Detach a share, past the API."""
    with world.raw[world.cell_of(uuid)].read() as conn:
        share = objects.ShareMapping.one(conn, uuid, share_id)
    return world.begin(uuid, detach_share.DetachShare, detach_share.DetachShareState(
        share=share, share_id=share_id, guest=True))


def _attach(world):
    uuid = _off(world)
    attach(world, uuid, world.clients.share.add('CEPHFS'), 'CEPHFS')
    return uuid


def _detach(world):
    uuid, share_id = _off(world), world.clients.share.add()
    attach(world, uuid, share_id)
    world.settle()
    world.count_from_here()
    detach(world, uuid, share_id)
    return uuid


CASES = {'attach_share': _attach, 'detach_share': _detach}
