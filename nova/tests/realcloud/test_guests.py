"""Real guests of QEMU on volumes of the real Cinder: what they have written is there after each operation.

A cloud of its own, as ``tools/realcloud up --driver libvirt`` makes it. It needs root, and belongs to
``-m "realcloud or slow"``.
"""

import base64
import hashlib
import re

import pytest
from realcloud import cloud as clouds
from realcloud import guests

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import user
from nova.tests.functional.volumes import Volumes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

PATIENCE = 300
"""Seconds for what a guest of an interpreted CPU does."""
WRITER = '\n'.join((
    '#!/bin/sh',
    '( while [ ! -e /dev/vdb ]; do sleep 1; done',
    '[ "$(dd if=/dev/vdb bs=18 count=1)" != written-by-a-guest ] || exit 0',
    'dd if=/dev/urandom of=/dev/vdb bs=1M seek=1 count=4 conv=fsync',
    'echo written-by-a-guest | dd of=/dev/vdb bs=512 conv=sync,fsync,notrunc',
    'echo "GUEST wrote $(dd if=/dev/vdb bs=1M skip=1 count=4 | md5sum)" >/dev/console',
    ') >/dev/null 2>&1 &'))
"""Writes into the first volume that comes, once, and says what."""


@pytest.fixture(scope='module')
def cloud(tmp_path_factory):
    directory = tmp_path_factory.mktemp('guests')
    directory.chmod(0o755)
    found = clouds.Cloud.up(directory / 'cloud', computes=1, workers=1, say=lambda text: None,
                            options=clouds.OPTIONS, driver='libvirt')
    try:
        yield found
    finally:
        found.down()


demo, admin = user('demo', 'module'), user('admin', 'module')


@pytest.fixture
def volumes(demo):
    return Volumes(demo)


@pytest.fixture(scope='module')
def image(admin):
    """The guest of tools/guest."""
    [found] = admin.get('/v2/images?name=guest', service='image')['images']
    return found['id']


@pytest.fixture(scope='module')
def flavor():
    return clouds.GUEST[0]


class Guest:
    """A server of demo, looked at as its user can."""

    def __init__(self, demo, image, flavor, **fields):
        self.demo = demo
        answer = demo.boot('guest', imageRef=image, flavorRef=flavor, networks='none', config_drive=True,
                           user_data=base64.b64encode(WRITER.encode()).decode(), **fields)
        assert answer.status_code == 202, answer.text
        self.id = demo.wait(answer.json()['server']['id'], 'ACTIVE', PATIENCE)['id']

    def log(self):
        answer = self.demo.call('POST', f'/servers/{self.id}/action', {'os-getConsoleOutput': {}})
        return answer.json()['output'] if answer.status_code == 200 else ''

    def says(self, pattern):
        """The first match on its console."""
        return until(lambda: re.search(pattern, self.log()), PATIENCE, 1.0, told=lambda: self.log()[-600:])


@pytest.fixture(autouse=True)
def nothing_leaks(cloud, admin, demo, volumes):
    yield
    for server in demo.get('/servers')['servers']:
        demo.delete(server['id'], PATIENCE)
    leaks.check(cloud, admin, 60)
    for one in volumes.call('GET', '/volumes')['volumes']:
        volumes.wait(one['id'], 'available', 60)
        volumes.call('DELETE', f'/volumes/{one["id"]}')


def at_cinder(admin, method, path, body=None):
    answer = admin.call(method, path, body, service='volume', headers={'OpenStack-API-Version': 'volume 3.59'})
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def encrypted(volumes, tries=10):
    """A volume that Cinder could make: on some kernels ``qemu-img create`` fails now and then before it writes
    anything, since it cannot measure how quick LUKS is ("Unable to get accurate CPU usage")."""
    for _ in range(tries):
        asked = {'volume': {'size': 1, 'volume_type': 'encrypted'}}
        made = volumes.call('POST', '/volumes', asked)['volume']['id']
        until(lambda made=made: volumes.show(made)['status'] in ('available', 'error'), PATIENCE)
        if volumes.show(made)['status'] == 'available':
            return made
        volumes.call('DELETE', f'/volumes/{made}')
    raise AssertionError(f'Cinder made none of {tries} encrypted volumes')


def attached(volumes, guest, volume):
    """What the guest has written into a volume that is attached now."""
    assert volumes.attach(guest.id, volume).status_code == 202
    volumes.wait(volume, 'in-use', PATIENCE)
    return guest.says('GUEST wrote ([0-9a-f]{32})')[1]


def detached(volumes, guest, volume):
    assert volumes.detach(guest.id, volume).status_code == 202
    volumes.wait(volume, 'available', PATIENCE)


def file_of(cloud, share):
    """The only file of a share, which Cinder calls by the id of its volume or, once migrated, of another."""
    files = guests.share(cloud.deployment, share).glob('volume-*')
    found, = [file for file in files if '.' not in file.name]
    return found


def digest(file):
    with file.open('rb') as stream:
        stream.seek(1 << 20)
        return hashlib.md5(stream.read(4 << 20), usedforsecurity=False).hexdigest()


def test_what_a_guest_writes_outlives_everything(cloud, demo, admin, volumes, image, flavor):
    """VOL-S1, VOL-S2, VOL-S7: attached, grown and moved to another backend under a guest that runs, detached,
    and attached to another guest, which reads the same."""
    guest, volume = Guest(demo, image, flavor), volumes.make()
    wrote = attached(volumes, guest, volume)
    assert digest(file_of(cloud, '/volumes')) == wrote
    at_cinder(admin, 'POST', f'/v3/volumes/{volume}/action', {'os-extend': {'new_size': 2}})
    guest.says(f'vdb={2 << 30},')
    at_cinder(admin, 'POST', f'/v3/volumes/{volume}/action', {
        'os-retype': {'new_type': 'other', 'migration_policy': 'on-demand'}})

    def moved():
        shown = at_cinder(admin, 'GET', f'/v3/volumes/{volume}')['volume']
        assert shown['migration_status'] != 'error', shown
        return shown['os-vol-host-attr:host'] == 'storage@other#other' and shown['status'] == 'in-use'
    until(moved, PATIENCE, 1.0)
    volumes.settled(guest.id, PATIENCE)
    detached(volumes, guest, volume)
    assert digest(file_of(cloud, '/others')) == wrote
    reader = Guest(demo, image, flavor)
    assert volumes.attach(reader.id, volume).status_code == 202
    reader.says(f'vdb={2 << 30},.*head=written-by-a-guest')
    assert 'GUEST wrote' not in reader.log()
    detached(volumes, reader, volume)


def test_an_encrypted_volume(cloud, demo, volumes, image, flavor):
    """VOL-S1; Cinder and the host have the key from their key managers; who reads the file reads nothing."""
    guest, volume = Guest(demo, image, flavor), encrypted(volumes)
    attached(volumes, guest, volume)
    demo.act(guest.id, 'reboot', {'type': 'HARD'}, 'ACTIVE')
    guest.says('vdb=.*head=written-by-a-guest')
    detached(volumes, guest, volume)
    file = file_of(cloud, '/volumes')
    assert file.stat().st_size > 4 << 20 and b'written-by-a-guest' not in file.read_bytes()
    reader = Guest(demo, image, flavor)
    assert volumes.attach(reader.id, volume).status_code == 202
    reader.says('vdb=.*head=written-by-a-guest')
    detached(volumes, reader, volume)


def test_a_snapshot_while_a_guest_writes(cloud, demo, admin, volumes, image, flavor):
    """os-assisted-volume-snapshots: Cinder asks us; a volume made of the snapshot has what was written."""
    guest, volume = Guest(demo, image, flavor), volumes.make()
    wrote = attached(volumes, guest, volume)
    snapshot = volumes.call('POST', '/snapshots', {
        'snapshot': {'volume_id': volume, 'force': True}})['snapshot']

    def status(word):
        shown = volumes.send('GET', f'/snapshots/{snapshot["id"]}')
        if shown.status_code == 404:
            return word is None
        assert shown.json()['snapshot']['status'] not in ('error', 'error_deleting'), shown.text
        return shown.json()['snapshot']['status'] == word
    until(lambda: status('available'), PATIENCE, 1.0)
    demo.act(guest.id, 'reboot', {'type': 'HARD'}, 'ACTIVE')
    guest.says('vdb=.*head=written-by-a-guest')
    copy = volumes.make(snapshot_id=snapshot['id'])
    volumes.call('DELETE', f'/snapshots/{snapshot["id"]}')
    until(lambda: status(None), PATIENCE, 1.0)
    detached(volumes, guest, volume)
    other = Guest(demo, image, flavor)
    assert volumes.attach(other.id, copy).status_code == 202
    other.says('vdb=.*head=written-by-a-guest')
    detached(volumes, other, copy)
    assert wrote


def test_a_volume_of_two_guests(demo, volumes, image, flavor):
    """MAT-S1, MAT-T: what one guest has written the other one reads, and keeps when the first has let it go."""
    writer, shared = Guest(demo, image, flavor), volumes.make(volume_type='multiattach')
    attached(volumes, writer, shared)
    reader = Guest(demo, image, flavor)
    assert volumes.attach(reader.id, shared).status_code == 202
    reader.says('vdb=.*head=written-by-a-guest')
    volumes.settled(reader.id, PATIENCE)

    def users():
        return {one['server_id'] for one in volumes.show(shared)['attachments']}
    assert users() == {writer.id, reader.id}
    assert volumes.detach(writer.id, shared).status_code == 202
    until(lambda: users() == {reader.id}, PATIENCE)
    demo.act(reader.id, 'reboot', {'type': 'HARD'}, 'ACTIVE')
    reader.says('vdb=.*head=written-by-a-guest')
    detached(volumes, reader, shared)


def test_guests_boot_from_one_volume(demo, volumes, image, flavor):
    """MAT-S1, MAT-T: two guests at once from one volume that Cinder has made of the image; one stays when the
    other goes."""
    root = volumes.call('POST', '/volumes', {'volume': {
        'size': 1, 'volume_type': 'multiattach', 'imageRef': image}})['volume']['id']
    volumes.wait(root, 'available', PATIENCE)
    disk = {'source_type': 'volume', 'destination_type': 'volume', 'uuid': root, 'boot_index': 0}
    first, second = (Guest(demo, '', flavor, block_device_mapping_v2=[disk]) for _ in range(2))
    for guest in (first, second):
        guest.says(f'GUEST block.*serial={root[:20]}')
    users = [one['server_id'] for one in volumes.show(root)['attachments']]
    assert sorted(users) == sorted([first.id, second.id])
    demo.delete(first.id, PATIENCE)
    assert [one['server_id'] for one in volumes.show(root)['attachments']] == [second.id]
    assert volumes.show(root)['status'] == 'in-use'
    demo.act(second.id, 'reboot', {'type': 'HARD'}, 'ACTIVE')
    second.says(f'GUEST block.*serial={root[:20]}')
