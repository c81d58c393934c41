"""What must hold whenever nothing is under way (acceptance 1.13), whatever was killed or failed before.

A world of ``nova/tests/crash`` is asked the same.
"""

from nova import objects, states
from nova.common import jsonutil
from nova.domain import tpm
from nova.objects import base
from nova.objects import task as rows
from nova.states import VM, Power

_POWER = {VM.ACTIVE: Power.RUNNING, VM.STOPPED: Power.SHUTDOWN, VM.PAUSED: Power.PAUSED,
          VM.SUSPENDED: Power.SUSPENDED}
_TASKS = rows.tables.tasks.select()
_DETACHED = _TASKS.where(rows.tables.tasks.c.flow == 'detach_volume', rows.tables.tasks.c.status == rows.DONE)


def check(world):
    """Every invariant at a quiet point."""
    servers = _servers(world)
    _one_place(world, servers)
    _allocations(world, servers)
    _neighbours(world, servers)
    _shares(world, servers)
    _passphrases(world, servers)
    _images(world)
    _guests(world, servers)
    _tasks(world, servers)
    _usage(world, servers)


def _servers(world):
    """uuid to (cell, record) of every row that is not deleted."""
    found = {}
    for cell in world.cells:
        with world.raw[cell].read() as conn:
            for instance in objects.Instance.all(
                    conn, prefetch=('block_devices', 'network_info', 'migration_context', 'flavor')):
                assert instance.uuid not in found, 'a server in two cells (3)'
                found[instance.uuid] = cell, instance
    return found


def _one_place(world, servers):
    """3: exactly one of build request, cell, cell0; the mapping agrees."""
    with world.raw['api'].read() as conn:
        mappings = {each.instance_uuid: each for each in objects.InstanceMapping.all(conn)}
        requests = {each.instance_uuid for each in objects.BuildRequest.all(conn)}
    for uuid, (cell, _) in servers.items():
        assert uuid in mappings, f'row without mapping in {cell} (3)'
        assert mappings[uuid].cell_id == world.mappings[cell].id, 'mapping points elsewhere (3)'
    assert not requests & set(servers), 'build request beside a row (3)'
    for uuid, mapping in mappings.items():
        if not mapping.queued_for_delete:
            assert uuid in servers or uuid in requests, 'mapping of nothing (3)'


def _allocations(world, servers):
    """1 and 2: one consumer for each server that has a host, on that host; no inventory overbooked."""
    held = world.clients.placement.consumers
    placed = {uuid: instance for uuid, (_, instance) in servers.items() if instance.host}
    sources = {each.migration: each for each in _moves(world)}
    needed = set(placed) | {uuid for uuid, move in sources.items() if _gives(move)}
    # What the source of an evacuation gives is looked after again and again once it has returned.
    maybe = {uuid for uuid, move in sources.items() if move.kind == 'evacuation'}
    assert needed - maybe <= set(held) <= needed, 'allocations and servers on hosts differ (1)'
    for uuid, move in sources.items():
        if uuid in held:
            nodes, vcpus = _held(world, held[uuid])
            assert nodes == {world.nodes[move.source]}, 'the source gives elsewhere (1)'
            assert vcpus == _surplus(move), 'the source gives something else (1)'
    for uuid, instance in placed.items():
        nodes, vcpus = _held(world, held[uuid])
        assert nodes == {world.nodes[instance.host]}, 'allocated elsewhere (1)'
        assert vcpus == instance.vcpus
    for provider in world.clients.placement.providers.values():
        for name, inventory in provider.inventory.items():
            free = inventory['total'] - inventory.get('reserved', 0)
            capacity = free * inventory.get('allocation_ratio', 1.0)
            assert world.clients.placement.used(provider.uuid, name) <= capacity, 'overbooked (2)'


def _held(world, one):
    """The nodes on which, and on whose cells, something is held; and how many VCPUs."""
    providers = world.clients.placement.providers
    return ({providers[uuid].root for uuid in one.allocations},
            sum(part['resources'].get('VCPU', 0) for part in one.allocations.values()))


def _moves(world):
    """What every resize that waits to be confirmed remembers, and every evacuation whose host is away."""
    found, servers = [], _servers(world)
    for _, instance in servers.values():
        if instance.migration_context is not None:
            # In error after a deletion that failed: the next one gives up what the resize holds.
            assert instance.vm_state in (VM.RESIZED, VM.ERROR), 'a resize that was decided is remembered (1)'
            found.append(base.Record.from_wire(instance.migration_context))
        else:
            assert instance.vm_state != VM.RESIZED, 'nobody knows how to take the resize back (1)'
    for cell in world.cells:
        with world.raw[cell].read() as conn:
            for migration in objects.Migration.all(conn):
                if migration.status == 'done' and migration.instance_uuid in servers:
                    flavor = servers[migration.instance_uuid][1].flavor
                    found.append(objects.Move(
                        migration=migration.uuid, kind='evacuation', source=migration.source_compute,
                        dest=migration.dest_compute, old_flavor=flavor, new_flavor=flavor))
                assert migration.status in objects.Migration.ENDED or migration.uuid in {
                    move.migration for move in found}, f'migration is {migration.status} for ever (7)'
    return found


def _surplus(move):
    """How many vCPUs the source keeps for who may come back."""
    new = (move.new_flavor or move.old_flavor).vcpus if move.same_host else 0
    return max(0, move.old_flavor.vcpus - new)


def _gives(move):
    old, new = move.old_flavor, move.new_flavor
    return not move.same_host or any(getattr(old, name) > getattr(new, name)
                                     for name in ('vcpus', 'memory_mb', 'root_gb'))


def _neighbours(world, servers):
    """4: ports and attachments belong to servers that are there, and their rows know them."""
    for port in world.clients.network.api.all_ports.values():
        assert not port['device_id'] or port['device_id'] in servers, 'port of no server (4)'
    for uuid, (_, instance) in servers.items():
        ports = [port['id'] for port in world.clients.network.api.all_ports.values()
                 if port['device_id'] == uuid]
        known = [vif.id for vif in instance.network_info.vifs] if instance.network_info else []
        assert sorted(ports) == sorted(known), 'ports and network_info differ (4)'
        attached = sorted(one.id for one in world.clients.volume.held.values() if one.server == uuid)
        devices = [device.attachment_id for device in instance.block_devices if device.attachment_id]
        if instance.migration_context is not None:
            devices += base.Record.from_wire(instance.migration_context).sources.values()
        devices.sort()
        assert attached == devices, 'attachments and block devices differ (4)'
        for device in instance.block_devices:
            assert device.volume_id in (None, *world.clients.volume.volumes), 'no such volume (4)'
    for attachment in world.clients.volume.held.values():
        assert attachment.server in servers, 'attachment of no server (4)'
    detached = _detached(world)
    for volume in world.clients.volume.volumes.values():
        owner = world.clients.volume.origins.get(volume['id'])
        if owner is not None and volume['id'] not in detached:
            assert owner in servers, 'volume that was made for a server that is no more (4)'
            mine = [device.volume_id for device in servers[owner][1].block_devices]
            assert volume['id'] in mine, 'volume that was made twice, or for a server in error (4)'


def _detached(world):
    """Volumes that a user has taken from a server: they are his, whatever they were made for."""
    found = set()
    for cell in world.cells:
        with world.raw[cell].read() as conn:
            found |= {base.Record.from_wire(row.state).volume_id for row in conn.execute(_DETACHED)}
    return found


def _passphrases(world, servers):
    """4: the key manager has those of the servers with TPMs, and no others."""
    noted = [instance.system_metadata.get(tpm.KEY) for _, instance in servers.values()]
    assert set(world.clients.keys.kept) == set(filter(None, noted)), 'passphrases of TPMs (4)'


def _shares(world, servers):
    """4: the share service lets in and keeps what servers have; hosts have mounted just that."""
    had = {}
    for cell in world.cells:
        with world.raw[cell].read() as conn:
            for share in objects.ShareMapping.all(conn):
                assert share.instance_uuid in servers, 'share of no server (4)'
                assert share.status in ('inactive', 'error'), f'share is {share.status} for ever (7)'
                if share.status == 'inactive':
                    had[share.instance_uuid, share.share_id] = share
    rules = {(share.share_id, share.access_type, share.access_to) for share in had.values()}
    assert set(world.clients.share.rules) == rules, 'who is let in to shares, and who needs it, differ (4)'
    assert world.clients.share.locks == {(share, server) for server, share in had}, 'locks of shares (4)'
    for host in world.up:
        mounted = {(server, share) for server, shares in world.drivers[host].mounted.items()
                   for share in shares}
        assert mounted == {key for key in had if servers[key[0]][1].host == host}, f'shares on {host} (4)'


def _images(world):
    """4: an image of a server is whole or not there; snapshots of volumes are those that images name."""
    named = set()
    for image in world.clients.image.images.values():
        assert image['status'] == 'active', f"image {image['name']} is {image['status']} (4)"
        named |= {each.get('snapshot_id') for each in jsonutil.loads(image.get('block_device_mapping', '[]'))}
    left = {ident for ident, one in world.clients.volume.snapshots.items() if one.get('description') == ''}
    assert left <= named, 'snapshot of a volume that no image names (4)'


def _guests(world, servers):
    """A guest is where its record says, and does what it says; no other host has one, or its volumes."""
    on_host = {uuid: instance.host for uuid, (_, instance) in servers.items() if instance.host}
    for host in world.up:
        driver = world.drivers[host]
        expected = {uuid for uuid, where in on_host.items() if where == host}
        kept = {uuid for uuid, (_, instance) in servers.items() if instance.migration_context is not None
                and base.Record.from_wire(instance.migration_context).source == host}
        assert set(driver.site.kept) == kept, f'guests kept aside on {host}'
        assert set(driver.site.disks) <= expected, f'disks of nobody on {host}'
        assert not driver.site.arriving, f'guests that will not come to {host}'
        # An error may have no guest: a deletion that failed has perhaps removed it.
        needed = {uuid for uuid in expected if servers[uuid][1].vm_state != VM.ERROR}
        guests = set(driver.guests())
        assert needed <= guests <= expected, (
            f'guests on {host}: {needed - guests} lack, {guests - expected} are too many')
        for volume, users in driver.connected.items():
            assert users <= expected, f'volume {volume} is still connected on {host}'
        for uuid in expected:
            instance = servers[uuid][1]
            real = driver.guests().get(uuid, Power.NOSTATE)
            assert instance.power_state == real, 'recorded power is not the real one'
            if instance.vm_state in _POWER:
                assert real == _POWER[VM(instance.vm_state)], f'{uuid} is {instance.vm_state}, but {real.name}'


def _tasks(world, servers):
    """5 and 7: no task_state without a task, no task without an end, no slot taken."""
    for uuid, (_, instance) in servers.items():
        assert instance.task_state is None, f'{uuid} is {instance.task_state} and nobody does it (5)'
        assert instance.vm_state != VM.BUILDING, 'building and nobody builds (7)'
    for name in world.raw:
        with world.raw[name].read() as conn:
            for row in conn.execute(_TASKS):
                assert row.status in (rows.DONE, rows.UNDONE), f'{row.flow} is {row.status} at {row.step} (7)'
                assert row.exclusive is None and row.finished_at is not None
                held = base.Record.from_wire(row.state)
                assert not any(getattr(held, name) for name in held.passing), f'{row.flow} remembers secrets'


def _usage(world, servers):
    """6: what quotas count is what is there."""
    with world.raw['api'].read() as conn:
        counted = {each.instance_uuid for each in objects.InstanceMapping.all(conn, queued_for_delete=False)}
    there = {uuid for uuid, (_, instance) in servers.items() if instance.vm_state != states.VM.SOFT_DELETED}
    assert counted == there, f'counted servers: {sorted(counted ^ there)} (6)'
