"""What every driver does, whatever runs its guests: the same tests for the fake and for libvirt."""

import uuid

import pytest

from nova import errors, objects
from nova.states import Power
from nova.virt.driver import kept
from nova.virt.driver.events import Change


def connected(h, lab, megabytes=8):
    """A volume that is on the host."""
    device, connection = lab.volume(megabytes)
    h.driver.connect_volume(h, device, connection)
    return device


def let_go(h, *devices):
    for device in devices:
        h.driver.disconnect_volume(h, device)


# Power

def test_a_guest_is_made_once(lab, running):
    driver = running.driver
    assert driver.state(running) == Power.RUNNING and driver.guests() == {running.instance.uuid: Power.RUNNING}
    driver.spawn(running)
    assert driver.guests() == {running.instance.uuid: Power.RUNNING}
    assert running.told[-1] == 100


def test_a_guest_may_begin_paused(lab):
    h = lab.h(lab.server())
    for _ in range(2):
        h.driver.spawn(h, paused=True)
        assert h.driver.state(h) == Power.PAUSED
    h.driver.unpause(h)
    h.driver.spawn(h, paused=True)
    assert h.driver.state(h) == Power.RUNNING


def test_a_cancelled_build_leaves_no_guest(lab):
    h = lab.h(lab.server())
    h.cancelled.set()
    with pytest.raises(errors.task.Cancelled):
        h.driver.spawn(h)
    assert h.driver.state(h) is None


def test_an_image_that_is_gone(lab):
    h = lab.h(lab.server())
    if lab.sites['h1'].driver.capabilities.image_types and hasattr(lab, 'hosts'):
        h.instance.image_ref = '00000000-0000-4000-8000-000000000000'
        with pytest.raises(errors.image.ImageNotFound):
            h.driver.spawn(h)
    assert h.driver.state(h) is None


@pytest.mark.parametrize(('methods', 'power'), [
    (['power_off'], Power.SHUTDOWN), (['power_off', 'power_off', 'power_on', 'power_on'], Power.RUNNING),
    (['pause', 'pause'], Power.PAUSED), (['pause', 'unpause', 'unpause'], Power.RUNNING),
    (['suspend', 'suspend'], Power.SUSPENDED), (['suspend', 'resume', 'resume'], Power.RUNNING),
    (['suspend', 'power_on'], Power.RUNNING), (['pause', 'power_off', 'power_on'], Power.RUNNING),
])
def test_power_is_repeatable(running, methods, power):
    for method in methods:
        getattr(running.driver, method)(running)
    assert running.driver.state(running) == power


def test_what_a_guest_that_is_off_cannot_do(running):
    driver = running.driver
    driver.power_off(running)
    for method in (driver.pause, driver.suspend, driver.crash_dump):
        with pytest.raises(errors.virt.DriverFailed):
            method(running)
    with pytest.raises(errors.virt.DriverFailed):
        driver.reboot(running, 'SOFT')
    with pytest.raises(errors.virt.ConsoleTypeUnavailable):
        driver.console(running, 'novnc')
    driver.reboot(running, 'HARD')
    assert driver.state(running) == Power.RUNNING


def test_a_guest_that_is_not_there(lab):
    h = lab.h(lab.server())
    for method in (h.driver.power_on, h.driver.pause, h.driver.resume, h.driver.diagnostics,
                   h.driver.console_output):
        with pytest.raises(errors.virt.GuestNotFound):
            method(h)
    h.driver.destroy(h)
    assert h.driver.state(h) is None and h.instance.uuid not in h.driver.guests()


def test_nothing_is_left_of_a_guest(running):
    for _ in range(2):
        running.driver.destroy(running)
    assert running.driver.state(running) is None and running.journal.get('record') is None


@pytest.mark.parametrize('first', ['pause', 'suspend', 'power_off', 'destroy', None])
def test_a_hard_reboot_is_a_way_out_of_anything(running, first):
    if first:
        getattr(running.driver, first)(running)
    running.driver.reboot(running, 'HARD')
    assert running.driver.state(running) == Power.RUNNING


def test_events(lab, running):
    told = []
    running.driver.listen(told.append)
    for method in ('pause', 'unpause', 'power_off', 'power_on', 'suspend', 'resume'):
        getattr(running.driver, method)(running)
    wanted = [Change.PAUSED, Change.RESUMED, Change.STOPPED, Change.STARTED, Change.SUSPENDED]

    def in_order():
        # What the spawn told may come late; what counts is that each of these follows the one before.
        heard = iter([event.change for event in told if event.server == running.instance.uuid])
        return all(change in heard for change in wanted)
    assert lab.until(in_order), told


def test_a_password_needs_an_agent(running):
    with pytest.raises(errors.virt.AgentUnavailable):
        running.driver.set_password(running, 's3cret')


# What one looks at

def test_looking_at_a_guest(lab, running):
    driver = running.driver
    assert driver.console(running, 'novnc').port > 0
    for kind in ('telepathy', ''):
        with pytest.raises(errors.virt.ConsoleTypeUnavailable):
            driver.console(running, kind)
    seen = driver.diagnostics(running)
    assert (seen['state'], seen['num_cpus'], seen['num_disks']) == ('running', 1, 1)
    assert isinstance(driver.console_output(running), str)
    assert driver.console_output(running, 0) == ''
    for method in (driver.crash_dump, driver.pause, driver.crash_dump):
        method(running)


def test_resources(lab, running):
    node, = running.driver.nodes()
    found = running.driver.resources(node)
    assert found.vcpus >= found.vcpus_used == 1 and found.memory_mb >= found.memory_mb_used >= 160
    assert found.running_vms == 1 and 'COMPUTE_ARCH_X86_64' in found.traits
    assert running.driver.host_uptime()


# Volumes

def test_volumes_of_a_guest_that_is_off(lab, running):
    driver = running.driver
    driver.power_off(running)
    device = connected(running, lab)
    for _ in range(2):
        driver.attach_volume(running, device)
    assert driver.diagnostics(running)['num_disks'] == 2
    for _ in range(2):
        driver.detach_volume(running, device)
    assert driver.diagnostics(running)['num_disks'] == 1
    for _ in range(2):
        let_go(running, device)


def test_a_volume_that_is_not_connected(lab, running):
    device, _ = lab.volume()
    with pytest.raises(errors.virt.DriverFailed):
        running.driver.attach_volume(running, device)
    with pytest.raises(errors.virt.DriverFailed):
        running.driver.extend_volume(running, device, 1)
    running.driver.detach_volume(running, device)
    let_go(running, device)
    h = lab.h(lab.server(block_devices=[device]))
    with pytest.raises(errors.virt.DriverFailed):
        h.driver.spawn(h)


def test_connections_are_the_hosts_to_remember(lab):
    """A hard reboot, and whoever cleans up, needs nobody to say how a volume is connected."""
    device, connection = lab.volume()
    h = lab.h(lab.server(block_devices=[device]))
    h.driver.connect_volume(h, device, connection)
    h.driver.spawn(h)
    h.driver.reboot(h, 'HARD')
    assert h.driver.diagnostics(h)['num_disks'] == 2
    with pytest.raises(errors.virt.DriverFailed):
        let_go(h, device)
    assert list(h.journal.get('connections')) == [device.volume_id]
    h.driver.destroy(h)
    let_go(h, device)
    assert h.journal.get('connections') is None


def test_devices_come_and_go_while_a_guest_runs(lab, running):
    """The guest sees them, and lets them go; what stands still lets nothing go before it goes on."""
    driver = running.driver
    lab.ready(running)
    device, vif = connected(running, lab), lab.vif()
    running.instance.network_info = objects.NetworkInfo(vifs=[vif])
    for _ in range(2):
        driver.attach_volume(running, device)
        driver.attach_interface(running, vif)
    assert lab.sees(running, device.volume_id) and lab.sees(running, vif.id)
    lab.grow(device, 16)
    driver.extend_volume(running, device, 1)
    driver.pause(running)
    with pytest.raises(errors.virt.DetachFailed):
        driver.detach_volume(running, device)
    driver.unpause(running)
    for _ in range(2):
        driver.detach_volume(running, device)
        driver.detach_interface(running, vif)
    assert lab.sees(running, device.volume_id, there=False) and lab.sees(running, vif.id, there=False)
    let_go(running, device)


def test_a_volume_is_swapped_under_a_guest(lab, running):
    driver = running.driver
    old, new = connected(running, lab), connected(running, lab)
    driver.attach_volume(running, old)
    for _ in range(2):
        driver.swap_volume(running, old, new)
    assert driver.diagnostics(running)['num_disks'] == 2
    let_go(running, old)
    known = [device.volume_id for device in kept.record(running).block_devices]
    assert new.volume_id in known and old.volume_id not in known, 'as a host that is booted starts the guest'
    driver.destroy(running)
    let_go(running, new)


def test_a_volume_gets_another_id(lab, running):
    """As when the volume service has moved it: the guest need not notice."""
    device = connected(running, lab)
    running.driver.attach_volume(running, device)
    other, _ = lab.volume()
    for _ in range(2):
        running.driver.rename_volume(running, device, other.volume_id)
    running.driver.power_off(running)
    running.driver.detach_volume(running, other)
    assert running.driver.diagnostics(running)['num_disks'] == 1
    let_go(running, other)


def test_a_host_that_was_booted_needs_nobody(lab):
    """What was attached since the guest was made is started with it; what was detached is not."""
    first, connection = lab.volume()
    h = lab.h(lab.server(block_devices=[first]))
    h.driver.connect_volume(h, first, connection)
    h.driver.spawn(h)
    h.driver.power_off(h)
    second, vif = connected(h, lab), lab.vif()
    h.driver.attach_volume(h, second)
    h.driver.attach_interface(h, vif)
    h.driver.detach_volume(h, first)
    let_go(h, first)
    booted = lab.h(kept.record(h))
    booted.driver.power_on(booted)
    seen = booted.driver.diagnostics(booted)
    assert (seen['state'], seen['num_disks'], seen['num_nics']) == ('running', 2, 1)
    assert [device.volume_id for device in booted.instance.block_devices] == [second.volume_id]
    booted.driver.power_off(booted)
    booted.driver.detach_interface(booted, vif)
    assert kept.record(booted).network_info.vifs == []
    booted.driver.destroy(booted)
    let_go(booted, second)


# Images and rescue

def test_an_image_is_fetched_ahead(lab):
    ident = lab.clients.image.add(data=b'x' * 1024)
    driver = lab.sites['h1'].driver
    assert [driver.cache_image(lab.clients, ident) for _ in range(2)] == [True, False]


@pytest.mark.parametrize('first', ['pause', 'power_off', None])
def test_an_image_of_a_server(lab, running, first):
    if first:
        getattr(running.driver, first)(running)
    image = lab.clients.image.create({'name': 'snapshot', 'disk_format': 'qcow2', 'container_format': 'bare'})
    running.driver.snapshot(running, image)
    assert len(lab.data_of(image)) > 0
    assert running.driver.state(running) == {'pause': Power.PAUSED, 'power_off': Power.SHUTDOWN,
                                             None: Power.RUNNING}[first]


def test_rescue(lab, running):
    driver = running.driver
    for _ in range(2):
        driver.rescue(running, lab.image, 'secret')
    assert driver.state(running) == Power.RUNNING
    for _ in range(2):
        driver.unrescue(running)
    assert driver.state(running) == Power.RUNNING


# Moves

@pytest.mark.parametrize('start', [True, False])
@pytest.mark.parametrize('confirmed', [True, False])
def test_a_cold_migration(lab, running, confirmed, start):
    instance = running.instance
    move = lab.move(instance=instance)
    there = lab.h(instance, 'h2')
    if not start:
        running.driver.power_off(running)
    for _ in range(2):
        running.driver.migrate_out(running, move)
    assert running.driver.state(running) is None
    for _ in range(2):
        there.driver.migrate_in(there, move, start)
    assert there.driver.state(there) == (Power.RUNNING if start else Power.SHUTDOWN)
    if confirmed:
        for _ in range(2):
            running.driver.confirm_migration(running, move)
        assert running.driver.state(running) is None
        there.driver.reboot(there, 'HARD')
        return
    there.driver.destroy(there)
    for _ in range(2):
        running.driver.revert_migration(running, move, start)
    assert running.driver.state(running) == (Power.RUNNING if start else Power.SHUTDOWN)


def test_a_host_returns_whose_server_was_evacuated(lab, running):
    """EVA-S1: its guest goes; the one that was made anew elsewhere stays."""
    move = lab.move('evacuation', instance=running.instance)
    there = lab.h(running.instance, 'h2')
    there.driver.spawn(there)
    for _ in range(2):
        running.driver.leave_evacuated(running, move)
    assert running.driver.state(running) is None
    assert there.driver.state(there) == Power.RUNNING


@pytest.mark.parametrize('confirmed', [True, False])
def test_a_resize_in_place(lab, running, confirmed):
    larger = objects.Flavor(flavorid='2', name='larger', vcpus=2, memory_mb=192, root_gb=2)
    move = lab.move('resize', 'h1', larger, running.instance)
    driver, smaller = running.driver, running.instance.flavor
    driver.migrate_out(running, move)
    running.instance.take_flavor(larger)
    for _ in range(2):
        driver.migrate_in(running, move, True)
    assert driver.diagnostics(running)['num_cpus'] == 2
    if confirmed:
        driver.confirm_migration(running, move)
    else:
        driver.destroy(running)
        running.instance.take_flavor(smaller)
        driver.revert_migration(running, move, True)
        assert driver.diagnostics(running)['num_cpus'] == 1
    assert driver.state(running) == Power.RUNNING


def test_a_disk_does_not_shrink(lab, running):
    instance = lab.server(root_gb=2)
    h = lab.h(instance)
    smaller = objects.Flavor(flavorid='0', name='smaller', vcpus=1, memory_mb=160, root_gb=1)
    with pytest.raises(errors.virt.MigrationImpossible):
        h.driver.migrate_out(h, lab.move('resize', 'h2', smaller, instance))


def live(lab, here, there, block=None):
    move = lab.move('live-migration', instance=here.instance, block_migration=block)
    data = there.driver.check_destination(there, move)
    data = here.driver.check_source(here, move, data)
    return move, there.driver.prepare_live_migration(there, move, data)


def move_live(lab, here, there):
    """A live migration, from its preparation to its end on both hosts."""
    move, data = live(lab, here, there)
    here.driver.live_migrate(here, move, data)
    there.driver.finish_live_migration(there, move, data)
    here.driver.leave_after_live_migration(here, move, data)


def test_a_live_migration(lab, running):
    here, there = running, lab.h(running.instance, 'h2')
    move, data = live(lab, here, there)
    assert data['block_migration'] is True
    for _ in range(2):
        here.driver.live_migrate(here, move, data)
    assert here.driver.state(here) is None and there.driver.state(there) == Power.RUNNING
    for _ in range(2):
        there.driver.finish_live_migration(there, move, data)
        here.driver.leave_after_live_migration(here, move, data)
    assert there.driver.state(there) == Power.RUNNING
    there.driver.reboot(there, 'HARD')


def test_one_of_two_that_share_a_volume_moves(lab):
    """MAT-T: two guests of a host; the other one keeps the volume that the first one's host lets go of."""
    device, connection = lab.volume()
    connection['multiattach'] = True
    here, other = (lab.h(lab.server()) for _ in range(2))
    for h in (here, other):
        h.driver.spawn(h)
        h.driver.connect_volume(h, device, connection)
        h.driver.attach_volume(h, device)
        h.instance.block_devices = [device]
    there = lab.h(here.instance, 'h2')
    there.driver.connect_volume(there, device, connection)
    move_live(lab, here, there)
    let_go(here, device)
    assert kept.users(other, device.volume_id) == {other.instance.uuid}
    assert kept.users(there, device.volume_id) == {there.instance.uuid}
    for h in (other, there):
        assert h.driver.diagnostics(h)['num_disks'] == 2
        h.driver.reboot(h, 'HARD')
        assert h.driver.diagnostics(h)['num_disks'] == 2
        h.driver.destroy(h)
        let_go(h, device)
        assert kept.users(h, device.volume_id) == set()


def test_a_live_migration_that_is_called_off(lab, running):
    here, there = running, lab.h(running.instance, 'h2')
    move, data = live(lab, here, there)
    here.cancelled.set()
    with pytest.raises(errors.task.Cancelled):
        here.driver.live_migrate(here, move, data)
    for _ in range(2):
        there.driver.rollback_live_migration(there, move, data)
    assert here.driver.state(here) == Power.RUNNING and there.driver.state(there) is None


def test_live_migrations_that_cannot_be(lab, running):
    here, there = running, lab.h(running.instance, 'h2')
    move = lab.move('live-migration', instance=here.instance, block_migration=False)
    data = there.driver.check_destination(there, move)
    with pytest.raises(errors.virt.MigrationImpossible, match='shared storage'):
        here.driver.check_source(here, move, data)
    with pytest.raises(errors.virt.MigrationImpossible, match='already'):
        here.driver.check_destination(here, move)
    here.driver.power_off(here)
    with pytest.raises(errors.virt.DriverFailed):
        here.driver.check_source(here, move, data)


# Shares

def _a_share(h, **values):
    return objects.ShareMapping(**{
        'uuid': str(uuid.uuid4()), 'instance_uuid': h.instance.uuid, 'share_id': str(uuid.uuid4()),
        'status': 'attaching', 'tag': 'data', 'export_location': '192.0.2.9:/share', 'share_proto': 'NFS',
        'access_to': '192.0.2.1', **values})


def test_a_share_comes_to_a_guest_that_is_off(lab, running):
    driver, share = running.driver, _a_share(running)
    lab.file_share(running, share)
    with pytest.raises(errors.virt.DriverFailed, match='not off'):
        driver.attach_share(running, share, None)
    driver.power_off(running)
    for _ in range(2):
        driver.attach_share(running, share, None)
    assert driver.shares(running) == [share.share_id]
    driver.power_on(running)
    assert driver.state(running) == Power.RUNNING
    with pytest.raises(errors.virt.DriverFailed, match='not off'):
        driver.detach_share(running, share.share_id)
    driver.reboot(running, 'HARD')
    driver.power_off(running)
    for _ in range(2):
        driver.detach_share(running, share.share_id)
    assert driver.shares(running) == []
    driver.power_on(running)


def test_shares_of_a_guest_that_is_gone(lab, running):
    share = _a_share(running)
    lab.file_share(running, share)
    running.driver.power_off(running)
    running.driver.attach_share(running, share, None)
    running.driver.destroy(running)
    assert running.driver.shares(running) == [share.share_id]
    running.driver.detach_share(running, share.share_id)
    assert running.driver.shares(running) == []


def test_a_guest_with_shares_stays_where_it_is(lab, running):
    share = _a_share(running)
    lab.file_share(running, share)
    running.driver.power_off(running)
    running.driver.attach_share(running, share, None)
    move = objects.Move(migration=str(uuid.uuid4()), kind='migration', source='h1', dest='h2', dest_node='h2',
                        old_flavor=running.instance.flavor, new_flavor=running.instance.flavor)
    with pytest.raises(errors.virt.MigrationImpossible, match='shares'):
        running.driver.migrate_out(running, move)
    with pytest.raises(errors.virt.MigrationImpossible, match='shares'):
        running.driver.check_source(running, move, {})
    running.driver.detach_share(running, share.share_id)
