"""Attaching, detaching and replacing volumes, as the API leaves it when it died before it could reserve."""

from nova import objects
from nova.common import uuids
from nova.domain import bdm
from nova.ops import detach_volume, refresh_volume_attachment, swap_volume, volume_snapshots
from nova.ops.attach_volume import flow, wire
from nova.ops.external_events import extend
from nova.tests.simulation import cases, users


def _keep(conn, server, state):
    """The device's row, as a request writes it: with a name that no other one has."""
    there = objects.BlockDeviceMapping.all(conn, instance_uuid=server)
    objects.BlockDeviceMapping(
        uuid=state.device, instance_uuid=server, source_type='volume', destination_type='volume',
        volume_id=state.volume_id, volume_size=1,
        device_name=bdm.next_name({each.device_name for each in there if each.device_name} | {'/dev/vda'},
                                  'virtio')).create(conn)


def attach(world, uuid, volume):
    """Attach a volume, past the API."""
    state = wire.AttachState(device=uuids.generate(), volume_id=volume,
                             trust=world.clients.trust.entrust(world.asking))
    world.raw[world.cell_of(uuid)].write(lambda conn: _keep(conn, uuid, state))
    return world.begin(uuid, flow.AttachVolume, state)


def _attach(world):
    uuid = world.running()
    attach(world, uuid, world.clients.volume.add(project_id='project'))
    return uuid


def _detach(world):
    volume = world.clients.volume.add(project_id='project')
    uuid = world.running(volumes=[volume])
    device = next(one for one in world.server(uuid).block_devices if one.volume_id == volume)
    world.begin(uuid, detach_volume.DetachVolume, detach_volume.DetachState(
        device=device.uuid, volume_id=volume))
    return uuid


def _swap(world):
    volumes = world.clients.volume
    volume = volumes.add(project_id='project')
    uuid = world.running(volumes=[volume])
    target = volumes.begin_migration(volume)
    device = next(one for one in world.server(uuid).block_devices if one.volume_id == volume)
    world.begin(uuid, swap_volume.SwapVolume, swap_volume.SwapState(
        device=device.uuid, old=volume, new=target, trust=world.clients.trust.entrust(world.asking)))
    return uuid


def _extend(world):
    volume = world.clients.volume.add(project_id='project')
    uuid = world.running(volumes=[volume])
    world.clients.volume.volumes[volume]['size'] = 2
    world.begin(uuid, extend.ExtendVolume, extend.ExtendState(volume_id=volume))
    return uuid


def _snapshot(kind):
    def start(world):
        volumes = world.clients.volume
        volume = volumes.add(project_id='project')
        snapshot = volumes.add_snapshot(volume)
        uuid = world.running(volumes=[volume])
        device = next(one for one in world.server(uuid).block_devices if one.volume_id == volume)
        world.begin(uuid, kind, volume_snapshots.SnapshotState(device=device.uuid, snapshot_id=snapshot, info={
            'new_file': 'new', 'type': 'qcow2', 'file_to_merge': 'new'}))
        return uuid
    return start


def _refresh(world):
    volume = world.clients.volume.add(project_id='project')
    uuid = world.running(volumes=[volume])
    cases.put(world, uuid, 'stopped')
    server = world.server(uuid)
    device = next(one for one in server.block_devices if one.volume_id == volume)
    world.begin(uuid, refresh_volume_attachment.RefreshVolumeAttachment, refresh_volume_attachment.RefreshState(
        device=device.uuid, connector={'host': server.host}))
    return uuid


def _to_attach(world, server):
    return wire.AttachState(device=uuids.generate(), volume_id=world.clients.volume.add(project_id='project'),
                            trust=users.entrusted())


def _to_swap(world, server):
    """Cinder migrates the last volume that it has got, unless it does so already."""
    known, volumes = attached(server), world.clients.volume
    if not known or server.vm_state not in ('active', 'paused', 'resized') or (
            volumes.volumes[known[-1].volume_id].get('migration_status') == 'migrating'):
        return None
    return swap_volume.SwapState(
        device=known[-1].uuid, old=known[-1].volume_id, new=volumes.begin_migration(known[-1].volume_id),
        trust=users.entrusted())


def _to_detach(world, server):
    """The last volume that it has got."""
    known = attached(server)
    if server.host is None or not known:
        return None
    return detach_volume.DetachState(device=known[-1].uuid, volume_id=known[-1].volume_id)


def attached(server):
    """Its devices that have an attachment."""
    return [device for device in server.block_devices if device.attachment_id is not None]


CASES = {'attach_volume': _attach, 'detach_volume': _detach, 'swap_volume': _swap,
         'extend_volume': _extend, 'refresh_volume_attachment': _refresh,
         'snapshot_volume': _snapshot(volume_snapshots.SnapshotVolume),
         'delete_volume_snapshot': _snapshot(volume_snapshots.DeleteVolumeSnapshot),
         'snapshot_volume_for_image': _snapshot(volume_snapshots.SnapshotVolumeForImage),
         'delete_volume_snapshot_of_image': _snapshot(volume_snapshots.DeleteVolumeSnapshotOfImage)}
ON = {'attach_volume': _to_attach, 'detach_volume': _to_detach, 'swap_volume': _to_swap}
WRITES = {'attach_volume': lambda conn, server, state: _keep(conn, server.uuid, state)}
