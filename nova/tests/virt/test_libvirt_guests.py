"""What a guest of QEMU sees and does: booted, looked at, changed and moved while it runs."""

import base64
import hashlib
import pathlib
import threading

import pytest

from nova import conf as nova_conf
from nova import errors, objects
from nova.common import concurrency, threads
from nova.objects import MigrationProgress
from nova.states import Power, Signal
from nova.tests.virt.test_protocol import connected, let_go, live, move_live
from nova.virt.libvirt.driver import LibvirtDriver
from nova.virt.libvirt.move import uri_of

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(1800)]

AGENT = {'hw_qemu_guest_agent': 'yes', 'os_require_quiesce': 'true'}


def script(*lines):
    """User data that the guest runs."""
    return base64.b64encode('\n'.join(('#!/bin/sh', *lines)).encode()).decode()


def on_disk(real, h, path, offset, size):
    """What is on a disk, as nobody but the hypervisor's tools sees it."""
    plain = real.volumes / 'plain'
    h.driver.commands.run('qemu-img', 'convert', '-U', '-O', 'raw', str(path), str(plain))
    with plain.open('rb') as file:
        file.seek(offset)
        return file.read(size)


def networked(real, address, *lines, **values):
    """A server with an interface on the bridge that the hosts share."""
    vif = real.vif()
    return real.server(network_info=objects.NetworkInfo(vifs=[vif]), config_drive=True, user_data=script(
        f'ip link set eth0 up; ip addr add {address}/24 dev eth0', *lines), **values)


def test_the_life_of_a_guest(real):
    """BOOT: it finds its name, key and user data, and takes a password; CON: log and VNC; SNAP; POW."""
    instance = real.server(
        properties=AGENT, config_drive=True, hostname='web-1', user_data=script(
            'echo I am $(hostname)', 'grep -o "ssh-ed25519 [A-Z]*" /mnt/config/openstack/latest/meta_data.json',
            'cat /mnt/config/openstack/content/0000',
            'grep -o "admin_pass.: .[a-z0-9-]*" /mnt/config/openstack/latest/meta_data.json',
            'echo marked | dd of=/dev/vda bs=512 seek=60000 conv=sync 2>/dev/null'),
        key_name='mine', keypair=objects.KeyPair(name='mine', user_id='user', type='ssh', fingerprint='f',
                                                 public_key='ssh-ed25519 KEY'))
    h = real.h(instance)
    h.driver.spawn(h, [('/etc/motd', b'hello from a file\n')], password='s3cr-et')
    assert real.wait(h, 'GUEST config-drive .* uuid=(\\S+) hostname=(\\S+)').groups()[0] == instance.uuid
    for line in ('I am web-1', 'ssh-ed25519 KEY', 'hello from a file', 'admin_pass.: .s3cr-et'):
        real.wait(h, f'GUEST user-data: {line}')
    real.wait(h, 'GUEST agent-start')
    place = h.driver.console(h, 'novnc')
    assert b'RFB 003' in real.said_at('h1', place.port)
    assert real.until(lambda: _password(h), 30)
    assert real.wait(h, 'GUEST password-set user=root length=6')
    image = real.clients.image.create({'name': 's', 'disk_format': 'qcow2', 'container_format': 'bare'})
    h.driver.snapshot(h, image)
    before = len(real.log(h))
    h.driver.power_off(h, timeout=60)
    assert 'GUEST agent-shutdown' in real.log(h)[before:]
    again = real.h(real.server(image_ref=image))
    again.driver.spawn(again)
    real.ready(again)
    path = real.hosts / 'h1' / 'instances' / again.instance.uuid / 'disk'
    assert on_disk(real, again, path, 60000 * 512, 6) == b'marked'


def _password(h):
    """Its agent may still be starting."""
    try:
        h.driver.set_password(h, 's3cret')
    except errors.virt.AgentUnavailable:
        return False
    return True


def test_libvirtd_is_killed_while_guests_run(real):
    """What was running is found again, and goes on; who asks meanwhile is told to ask again."""
    h = real.h(real.server())
    h.driver.spawn(h)
    device = connected(h, real)
    failed = []

    def ask():
        for _ in range(200):
            try:
                h.driver.pause(h)
                h.driver.unpause(h)
            except errors.virt.HypervisorUnavailable as error:
                failed.append(error)
    asking = threading.Thread(target=ask)
    asking.start()
    real.tool('restart', 'h1')
    asking.join(60)
    assert all(error.again for error in failed)
    h.driver.unpause(h)
    assert h.driver.state(h) == Power.RUNNING
    told = []
    h.driver.listen(told.append)
    h.driver.attach_volume(h, device)
    h.driver.pause(h)
    assert real.until(lambda: told, 10)
    h.driver.destroy(h)
    let_go(h, device)


def test_eventlet_is_refused(real):
    class Green(concurrency.Threading):
        name = 'eventlet'
    with threads.use(Green()), pytest.raises(errors.Invalid, match='concurrency_backend'):
        LibvirtDriver.build(real.sites['h1'].conf, 'h1', None)


def test_migrations_are_tunnelled_or_encrypted(real):
    conf = real.sites['h1'].conf
    for name in ('live_migration_tunnelled', 'live_migration_with_native_tls'):
        conf.set_override(name, True, 'libvirt')
    try:
        with pytest.raises(errors.Invalid, match='set one of them'):
            LibvirtDriver.build(conf, 'h1', None)
    finally:
        for name in ('live_migration_tunnelled', 'live_migration_with_native_tls'):
            conf.clear_override(name, 'libvirt')


@pytest.mark.parametrize(('options', 'uri'), [
    ({}, 'qemu+tcp://192.0.2.1/system'), ({'live_migration_scheme': 'tls'}, 'qemu+tls://192.0.2.1/system'),
    ({'live_migration_uri': 'qemu+ssh://nova@%s/system', 'live_migration_scheme': 'tls'},
     'qemu+ssh://nova@192.0.2.1/system')])
def test_where_a_destination_is_reached(options, uri):
    conf = nova_conf.new(config_files=[], **{f'libvirt.{name}': value for name, value in options.items()})
    assert uri_of(conf, '192.0.2.1') == uri
    assert uri_of(conf, '2001:db8::1') == uri.replace('192.0.2.1', '[2001:db8::1]')


def test_two_guests_reach_each_other(real):
    first = real.h(networked(real, '10.77.0.51'))
    second = real.h(networked(real, '10.77.0.52', 'n=0', 'while [ $n -lt 90 ]; do n=$((n+1))',
                              'ping -c1 -W1 10.77.0.51 >/dev/null && echo reached && break', 'done'), 'h2')
    for h in (first, second):
        h.driver.spawn(h)
    real.wait(second, 'GUEST user-data: reached')


@pytest.fixture
def encrypted(real):
    """Live migrations from h1 are encrypted by QEMU."""
    conf = real.sites['h1'].conf
    conf.set_override('live_migration_with_native_tls', True, 'libvirt')
    yield conf
    conf.clear_override('live_migration_with_native_tls', 'libvirt')


def refused_without_certificates(real, here, there):
    """QEMU of the destination has to show a certificate, so nothing goes in the clear."""
    kept, away = (real.hosts / 'h2' / 'etc' / name for name in ('pki', 'away'))
    move, data = live(real, here, there)
    kept.rename(away)
    try:
        with pytest.raises(errors.virt.MigrationFailed, match='ca-cert.pem'):
            here.driver.live_migrate(here, move, data)
    finally:
        away.rename(kept)
    there.driver.rollback_live_migration(there, move, data)
    assert here.driver.state(here) == Power.RUNNING


def test_what_a_guest_has_written_is_there_after_a_live_migration(real, encrypted):
    """LM: under writing load; a volume goes along; all of it is encrypted by QEMU."""
    instance = real.server(config_drive=True, user_data=script(
        'dd if=/dev/urandom of=/dev/vda bs=1M seek=24 count=4 2>/dev/null',
        'echo sum $(dd if=/dev/vda bs=1M skip=24 count=4 2>/dev/null | md5sum)',
        '( n=0; while :; do n=$((n+1)); echo $n | dd of=/dev/vda bs=512 seek=60000 conv=sync 2>/dev/null',
        'done ) >/dev/null 2>&1 &'))
    here, there = real.h(instance), real.h(instance, 'h2')
    device, connection = real.volume()
    instance.block_devices = [device]
    here.driver.connect_volume(here, device, connection)
    here.driver.spawn(here)
    total = real.wait(here, 'GUEST user-data: sum ([0-9a-f]{32})')[1]
    real.ready(here)
    there.driver.connect_volume(there, device, connection)
    refused_without_certificates(real, here, there)
    there.driver.connect_volume(there, device, connection)
    move_live(real, here, there)
    let_go(here, device)
    assert real.sees(there, device.volume_id)
    assert not (real.hosts / 'h1' / 'instances' / instance.uuid).exists()
    there.driver.power_off(there)
    path = real.hosts / 'h2' / 'instances' / instance.uuid / 'disk'
    copied = on_disk(real, there, path, 24 << 20, 4 << 20)
    assert hashlib.md5(copied, usedforsecurity=False).hexdigest() == total
    assert int(on_disk(real, there, path, 60000 * 512, 10).split(b'\n')[0]) > 0
    there.driver.destroy(there)
    let_go(there, device)


@pytest.mark.parametrize(('signal', 'option', 'moved'), [
    (Signal.ABORT, 'live_migration_permit_auto_converge', False),
    (Signal.FORCE_COMPLETE, 'live_migration_tunnelled', True),
    (Signal.POST_COPY, 'live_migration_permit_post_copy', True)])
def test_a_live_migration_that_takes_its_time(real, signal, option, moved):
    """It tells how far it is; it is called off, or made an end of. Its disk is a volume (BFV)."""
    device, connection = real.root_volume()
    here = real.h(real.server(image_ref=None, block_devices=[device]))
    there = real.h(here.instance, 'h2')
    for h in (here, there):
        h.driver.connect_volume(h, device, connection)
    here.conf.set_override('live_migration_bandwidth', 1, 'libvirt')
    here.conf.set_override(option, True, 'libvirt')
    try:
        here.driver.spawn(here)
        real.wait(here, 'GUEST boot')
        move, data = live(real, here, there)
        assert data['block_migration'] is False
        threading.Thread(target=lambda: (real.until(lambda: _copied(here) > 0, 60),
                                         here.signals.add(signal))).start()
        if moved:
            here.driver.live_migrate(here, move, data)
        else:
            with pytest.raises(errors.task.Cancelled):
                here.driver.live_migrate(here, move, data)
    finally:
        here.conf.clear_override('live_migration_bandwidth', 'libvirt')
        here.conf.clear_override(option, 'libvirt')
    assert _copied(here) > 0
    runs, not_there = (there, here) if moved else (here, there)
    if not moved:
        there.driver.rollback_live_migration(there, move, data)
    assert runs.driver.state(runs) == Power.RUNNING and not_there.driver.state(not_there) is None
    runs.driver.destroy(runs)
    for h in (here, there):
        let_go(h, device)


def _copied(h):
    return max((told.memory_processed for told in h.told if isinstance(told, MigrationProgress)), default=0)


def test_disks_of_every_kind(real):
    """Ephemeral and swap disks are seen by the guest, in their sizes."""
    def local(size, **values):
        return objects.BlockDeviceMapping(uuid='00000000-0000-4000-8000-000000000001', source_type='blank',
                                          destination_type='local', volume_size=size, **values)
    h = real.h(real.server(block_devices=[local(1), local(64, guest_format='swap')]))
    h.driver.spawn(h)
    real.wait(h, f'GUEST block vda={1 << 30}.* vdb={1 << 30}.* vdc={64 << 20}')


def test_a_serial_console_can_be_talked_to(real):
    """CON: over TCP, while the log goes on; its port is the guest's until that is gone."""
    h = real.h(real.server())
    h.conf.set_override('enabled', True, 'serial_console')
    try:
        h.driver.spawn(h)
        place = h.driver.console(h, 'serial')
        real.wait(h, 'GUEST ready')
        real.say('h1', place.port, 'echo 6 times 7 is $((6 * 7))')
        real.wait(h, '6 times 7 is 42')
        h.driver.reboot(h, 'HARD')
        assert h.driver.console(h, 'serial') == place
    finally:
        h.conf.clear_override('enabled', 'serial_console')
    h.driver.destroy(h)
    assert h.journal.get('serial') is None


def test_nothing_is_left_on_the_host(real):
    """No domain, file, tap or secret; the image stays for the next guest, until nobody wants it."""
    instance = networked(real, '10.77.0.53')
    h = real.h(instance)
    h.driver.spawn(h)
    assert instance.network_info.vifs[0].devname in h.driver.commands.ip('link')
    h.driver.destroy(h)
    home = pathlib.Path(h.conf.instances_path)
    assert [each.name for each in home.iterdir() if instance.uuid in each.name] == []
    assert instance.network_info.vifs[0].devname not in h.driver.commands.ip('link')
    assert h.driver.cache.find(real.image) is not None
    h.conf.set_override('remove_unused_original_minimum_age_seconds', 0, 'image_cache')
    h.driver.tidy()
    h.conf.clear_override('remove_unused_original_minimum_age_seconds', 'image_cache')
    assert h.driver.cache.find(real.image) is None
