"""Volumes of real guests, encrypted and on shares: what a guest has written is there afterwards."""

import hashlib
import os
import types
import uuid

import pytest

from nova import errors, objects
from nova.states import Power
from nova.tests.virt.labs.base import Handle
from nova.tests.virt.labs.libvirt import FIXED_KEY
from nova.tests.virt.test_libvirt_crashes import Killed, process
from nova.tests.virt.test_libvirt_guests import on_disk, script
from nova.tests.virt.test_protocol import let_go, move_live
from nova.virt.driver import kept
from nova.virt.libvirt.connectors import Connectors
from nova.virt.libvirt.secrets import Secrets
from nova.virt.libvirt.volumes import Volumes

pytestmark = pytest.mark.timeout(1800)
quick, long = pytest.mark.libvirt, pytest.mark.slow
"""Those of every run, and those that only ``-m "libvirt or slow"`` asks for."""

WRITER = script(
    '( while [ ! -e /dev/vdb ]; do sleep 1; done',
    '[ "$(dd if=/dev/vdb bs=18 count=1)" != written-by-a-guest ] || exit 0',
    'dd if=/dev/urandom of=/dev/vdb bs=1M seek=1 count=4 conv=fsync',
    'echo written-by-a-guest | dd of=/dev/vdb bs=512 conv=sync,fsync,notrunc',
    'echo "GUEST wrote $(dd if=/dev/vdb bs=1M skip=1 count=4 | md5sum)" >/dev/console',
    ') >/dev/null 2>&1 &')
"""Writes into the first volume that comes, once, and says what."""


def having(real, device, connection, **values):
    """The handle of a guest that has got a volume while it runs."""
    h = real.h(real.server(**values))
    h.driver.spawn(h)
    real.ready(h)
    h.driver.connect_volume(h, device, connection)
    h.driver.attach_volume(h, device)
    h.instance.block_devices = [device]
    return h


def writing(real, device, connection):
    """A guest that has written into a volume; its handle, and the digest of what it wrote."""
    h = having(real, device, connection, config_drive=True, user_data=WRITER)
    return h, real.wait(h, 'GUEST wrote ([0-9a-f]{32})')[1]


def digest(data):
    return hashlib.md5(data[1 << 20:5 << 20], usedforsecurity=False).hexdigest()


def opened(real, device):
    """What an encrypted volume holds, as one sees it who has the key."""
    plain = real.volumes / 'opened'
    real.luks('convert', real.volumes / device.volume_id, plain)
    return plain.read_bytes()


@quick
def test_an_encrypted_volume(real):
    """Attached, grown under the guest, detached; its key is with libvirt just as long."""
    device, connection = real.encrypted_volume()
    h, wrote = writing(real, device, connection)
    assert real.secrets('h1') == {device.volume_id}
    path = real.volumes / device.volume_id
    assert b'written-by-a-guest' not in path.read_bytes()
    os.truncate(path, path.stat().st_size + (8 << 20))
    h.driver.extend_volume(h, device, 1)
    real.wait(h, f'vdb={16 << 20},')
    h.driver.reboot(h, 'HARD')
    real.wait(h, f'vdb={16 << 20},.*head=written-by-a-guest')
    h.driver.detach_volume(h, device)
    let_go(h, device)
    assert real.secrets('h1') == set()
    found = opened(real, device)
    assert len(found) == 16 << 20 and digest(found) == wrote


@long
def test_a_host_needs_nobody_for_a_key_that_it_has(real):
    """What libvirt knows is not asked for again: the guest starts when the key manager is away."""
    device, connection = real.encrypted_volume()
    h = real.h(real.server(block_devices=[device]))
    h.driver.connect_volume(h, device, connection)
    h.driver.spawn(h)
    real.tool('restart', 'h1')
    h.conf.set_override('fixed_key', None, 'key_manager')
    try:
        keyless = process(real)
        keyless.journals = real.sites['h1'].journals
        again = Handle(real, keyless, h.instance)
        again.driver.power_off(again)
        again.driver.power_on(again)
        assert again.driver.state(again) == Power.RUNNING
        other, to_other = real.encrypted_volume()
        with pytest.raises(errors.block.KeyUnavailable, match='fixed_key is not set'):
            again.driver.connect_volume(again, other, to_other)
        let_go(again, other)
    finally:
        h.conf.set_override('fixed_key', FIXED_KEY, 'key_manager')
    h.driver.destroy(h)
    let_go(h, device)
    assert real.secrets('h1') == set()


@long
def test_an_encrypted_volume_is_swapped(real):
    """VOL-S7: the guest goes on with the other one, whose key stays under the name that the guest knows."""
    old, connection = real.encrypted_volume()
    new, other = real.encrypted_volume()
    h, wrote = writing(real, old, connection)
    h.driver.connect_volume(h, new, other)
    for _ in range(2):
        h.driver.swap_volume(h, old, new)
    let_go(h, old)
    assert real.secrets('h1') == {new.volume_id}
    h.driver.rename_volume(h, new, old.volume_id)
    h.driver.destroy(h)
    let_go(h, old)
    assert real.secrets('h1') == set() and digest(opened(real, new)) == wrote


@long
def test_an_encrypted_volume_goes_along(real):
    """VOL-S3, MAT-T: a live migration; each host has the key for itself."""
    device, connection = real.encrypted_volume()
    here, wrote = writing(real, device, connection)
    there = real.h(here.instance, 'h2')
    there.driver.connect_volume(there, device, connection)
    assert real.secrets('h1') == real.secrets('h2') == {device.volume_id}
    move_live(real, here, there)
    let_go(here, device)
    assert (real.secrets('h1'), real.secrets('h2')) == (set(), {device.volume_id})
    assert real.sees(there, device.volume_id)
    there.driver.destroy(there)
    let_go(there, device)
    assert real.secrets('h2') == set() and digest(opened(real, device)) == wrote


@long
def test_an_encrypted_volume_is_shared(real):
    """MAT-S2, MAT-T: two guests of a host by one key; one of them moves while it runs; the key leaves each host
    with the last one that needs it there, and both see what one of them wrote."""
    device, connection = real.encrypted_volume()
    connection['multiattach'] = True
    writer, wrote = writing(real, device, connection)
    reader = having(real, device, connection)
    real.wait(reader, 'vdb=.*head=written-by-a-guest')
    assert real.secrets('h1') == {device.volume_id}
    moved = real.h(writer.instance, 'h2')
    moved.driver.connect_volume(moved, device, connection)
    move_live(real, writer, moved)
    let_go(writer, device)
    assert real.secrets('h1') == real.secrets('h2') == {device.volume_id}
    reader.driver.reboot(reader, 'HARD')
    real.wait(reader, 'vdb=.*head=written-by-a-guest')
    reader.driver.detach_volume(reader, device)
    let_go(reader, device)
    assert (real.secrets('h1'), real.secrets('h2')) == (set(), {device.volume_id})
    moved.driver.reboot(moved, 'HARD')
    real.wait(moved, 'vdb=.*head=written-by-a-guest')
    moved.driver.destroy(moved)
    let_go(moved, device)
    assert real.secrets('h2') == set() and digest(opened(real, device)) == wrote


@long
def test_guests_boot_from_one_volume(real):
    """MAT-S1, MAT-T: boot index 0, two guests on one host and one on another at the same time, and a guest that
    has it as its second disk; one that goes leaves it to the others."""
    device, connection = real.root_volume()
    connection['multiattach'] = True
    booted = []
    for host in ('h1', 'h1', 'h2'):
        h = real.h(real.server(image_ref=None, block_devices=[device]), host)
        h.driver.connect_volume(h, device, connection)
        h.driver.spawn(h)
        booted.append(h)
    beside = objects.BlockDeviceMapping(
        uuid=str(uuid.uuid4()), volume_id=device.volume_id, source_type='volume', destination_type='volume',
        device_name='/dev/vdb', volume_size=1)
    booted.append(having(real, beside, connection))
    for h in booted:
        real.wait(h, f'GUEST block.*serial={device.volume_id[:20]}')
    for number, h in enumerate(booted):
        h.driver.destroy(h)
        let_go(h, device)
        for other in booted[number + 1:]:
            assert other.driver.state(other) == Power.RUNNING and kept.connections(other)
    assert not any(kept.connections(h) for h in booted)


@long
@pytest.mark.parametrize('when', ['before', 'after'])
def test_the_process_dies_while_it_brings_a_key(real, when):
    """Nobody finds the key afterwards, and who repeats the step connects the volume."""
    class Dying(Secrets):
        def bring(self, *arguments):
            if when == 'after':
                super().bring(*arguments)
            raise Killed

    device, connection = real.encrypted_volume()
    first = process(real)
    h = Handle(real, first, real.server())
    first.driver.volumes = Volumes(Connectors(h.conf), Dying(first.driver.session, types.SimpleNamespace(
        passphrase=lambda context, key: FIXED_KEY)))
    with pytest.raises(Killed):
        h.driver.connect_volume(h, device, connection)
    second = process(real)
    second.journals = first.journals
    again = Handle(real, second, h.instance)
    let_go(again, device)
    assert real.secrets('h1') == set()
    again.driver.connect_volume(again, device, connection)
    assert real.secrets('h1') == {device.volume_id}
    let_go(again, device)
    assert real.secrets('h1') == set()


@quick
def test_what_a_host_says_of_itself(real):
    """os-brick finds it without asking anybody for rights that the process has."""
    found = real.sites['h1'].driver.connector()
    assert (found['host'], found['ip'], found['multipath']) == ('h1', real.address('h1'), False)


@quick
def test_volumes_on_shares(real):
    """VOL-S1, VOL-S2, VOL-S7: by os-brick's connector, on a share that is mounted: attached, grown, swapped to
    another share, detached, and read by another guest on another host."""
    first, second = real.share('192.0.2.1:/first'), real.share('192.0.2.1:/second')
    old, connection = real.on_share('192.0.2.1:/first', first)
    new, other = real.on_share('192.0.2.1:/second', second, 16)
    h, wrote = writing(real, old, connection)
    os.truncate(first / connection['name'], 16 << 20)
    h.driver.extend_volume(h, old, 1)
    real.wait(h, f'vdb={1 << 30},')
    os.truncate(second / other['name'], 1 << 30)
    h.driver.connect_volume(h, new, other)
    h.driver.swap_volume(h, old, new)
    let_go(h, old)
    h.driver.detach_volume(h, new)
    let_go(h, new)
    with (second / other['name']).open('rb') as file:
        assert digest(file.read(8 << 20)) == wrote
    reader = real.h(real.server(), 'h2')
    reader.driver.spawn(reader)
    reader.driver.connect_volume(reader, new, other)
    reader.driver.attach_volume(reader, new)
    real.wait(reader, f'vdb={1 << 30},.*head=written-by-a-guest')
    reader.driver.destroy(reader)
    let_go(reader, new)


@long
def test_a_qcow2_volume_on_a_share_gets_snapshots(real):
    """MAT-F4's other side: what os-assisted-volume-snapshots asks of a guest that is on, or off."""
    kept = real.share('192.0.2.1:/third')
    device, connection = real.on_share('192.0.2.1:/third', kept, kind='qcow2')
    h, wrote = writing(real, device, connection)
    base = connection['name']
    files = [base, *(f'{base}.{number}' for number in range(1, 5))]

    def snapshot(number):
        real.sites['h1'].driver.commands.run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b',
                                             files[number - 1], str(kept / files[number]))
        h.driver.snapshot_volume(h, device, {'snapshot_id': 's', 'type': 'qcow2', 'new_file': files[number]})

    def delete(stays, goes=None, into=None):
        for _ in range(2):
            h.driver.delete_volume_snapshot(h, device, {
                'snapshot_id': 's', 'type': 'qcow2', 'file_to_merge': goes or stays, 'merge_target_file': into})

    for number in (1, 2, 3):
        snapshot(number)
    assert digest(on_disk(real, h, kept / base, 0, 8 << 20)) == wrote
    h.driver.reboot(h, 'HARD')
    real.wait(h, 'vdb=.*head=written-by-a-guest')
    delete(stays=files[1])
    (kept / files[2]).unlink()
    assert digest(on_disk(real, h, kept / files[1], 0, 8 << 20)) == wrote, 'an older snapshot is lost'
    h.driver.power_off(h)
    snapshot(4)
    delete(stays=None, goes=files[3], into=files[1])
    (kept / files[3]).unlink()
    h.driver.power_on(h)
    real.wait(h, 'vdb=.*head=written-by-a-guest')
    delete(stays=None)
    h.driver.detach_volume(h, device)
    let_go(h, device)
    for name in (files[0], files[1]):
        (kept / name).unlink()
    assert digest(on_disk(real, h, kept / files[4], 0, 8 << 20)) == wrote
