"""Attaching and detaching shares: the server is off, its row says what it is to have."""

from nova import objects
from nova.common import uuids
from nova.objects.share_mapping import ShareStatus
from nova.ops import attach_share, detach_share
from nova.tests.simulation import cases


def _off(world):
    uuid = world.running()
    cases.put(world, uuid, 'stopped')
    return uuid


def _state(world, uuid, share_id):
    known = world.clients.share.shares[share_id]
    return attach_share.ShareState(share_id=share_id, share=objects.ShareMapping(
        uuid=uuids.generate(), instance_uuid=uuid, share_id=share_id, status='attaching', tag=share_id,
        share_proto=known['share_proto'], export_location=known['export_location']))


def _keep(conn, server, state):
    """The row, as a request writes it."""
    attach_share.check_others(conn, state.share)
    state.share.copy().create(conn)


def _mark(conn, server, state):
    objects.ShareMapping.mark(conn, state.share.uuid, ShareStatus.DETACHING)


def attach(world, uuid, share_id):
    """Attach a share, past the API."""
    state = _state(world, uuid, share_id)
    world.raw[world.cell_of(uuid)].write(lambda conn: _keep(conn, None, state))
    return world.begin(uuid, attach_share.AttachShare, state)


def detach(world, uuid, share_id):
    """Detach a share, past the API."""
    with world.raw[world.cell_of(uuid)].read() as conn:
        share = objects.ShareMapping.one(conn, uuid, share_id)
    return world.begin(uuid, detach_share.DetachShare, detach_share.DetachShareState(
        share=share, share_id=share_id, guest=True))


def _attach(world):
    uuid = _off(world)
    attach(world, uuid, world.clients.share.add('CEPHFS'))
    return uuid


def _detach(world):
    uuid, share_id = _off(world), world.clients.share.add()
    attach(world, uuid, share_id)
    world.settle()
    world.count_from_here()
    detach(world, uuid, share_id)
    return uuid


def _to_attach(world, server):
    """A share of its own, or the one that another server got: those of a host are let in by one address."""
    if server.host is None:
        return None
    there = sorted(world.clients.share.shares)
    shared = next((each for each in there if world.clients.share.shares[each]['share_proto'] == 'NFS'), None)
    if shared is None or len(there) % 3 == 0:
        shared = world.clients.share.add(('NFS', 'CEPHFS')[len(there) % 2])
    return _state(world, server.uuid, shared)


def _to_detach(world, server):
    """The last share that it has, unless it is on its way."""
    with world.raw[world.cell_of(server.uuid)].read() as conn:
        known = objects.ShareMapping.of_server(conn, server.uuid)
    if not known or known[-1].status in (ShareStatus.ATTACHING, ShareStatus.DETACHING):
        return None
    return detach_share.DetachShareState(
        share=known[-1], share_id=known[-1].share_id, guest=server.host is not None)


CASES = {'attach_share': _attach, 'detach_share': _detach}
ON = {'attach_share': _to_attach, 'detach_share': _to_detach}
WRITES = {'attach_share': _keep, 'detach_share': _mark}
