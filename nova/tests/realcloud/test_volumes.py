"""Volumes that come, go, grow and move between backends, with the real Cinder."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.volumes import Volumes

pytestmark = [pytest.mark.realcloud, pytest.mark.timeout(300)]

PATIENCE = 60


@pytest.fixture
def volumes(demo):
    return Volumes(demo)


@pytest.fixture(autouse=True)
def nothing_leaks(cloud, admin, demo, volumes):
    """Σ attachments = rows, every volume is free again, and nothing is left (acceptance 1.13)."""
    yield
    for server in demo.get('/servers')['servers']:
        demo.delete(server['id'], PATIENCE)
    leaks.check(cloud, admin, PATIENCE)
    for one in volumes.call('GET', '/volumes')['volumes']:
        volumes.wait(one['id'], 'available', PATIENCE)
        volumes.call('DELETE', f'/volumes/{one["id"]}')


@pytest.fixture
def server(demo):
    return booted(demo, 'one')


def booted(demo, name):
    answer = demo.boot(name, flavorRef=flavor(demo))
    assert answer.status_code == 202, answer.text
    return demo.wait(answer.json()['server']['id'], 'ACTIVE', PATIENCE)['id']


def flavor(demo):
    return demo.get('/flavors')['flavors'][0]['id']


def attached(volumes, server, volume):
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use', PATIENCE)
    volumes.settled(server)


def test_a_volume_comes_and_goes(volumes, server):
    """VOL-S1, VOL-S2."""
    volume = volumes.make()
    for _ in range(2):
        attached(volumes, server, volume)
        one, = volumes.of(server)
        known = volumes.call('GET', f'/attachments/{one["attachment_id"]}')['attachment']
        assert (known['status'], known['instance'], known['volume_id']) == ('attached', server, volume)
        assert volumes.detach(server, volume).status_code == 202
        volumes.wait(volume, 'available', PATIENCE)
        volumes.settled(server)


def test_who_does_not_let_go_keeps_it(demo, volumes, server):
    """VOL-S2: a paused guest keeps its volume, in use at Cinder as before."""
    volume = volumes.make()
    attached(volumes, server, volume)
    demo.act(server, 'pause', None, 'PAUSED')
    assert volumes.detach(server, volume).status_code == 202
    volumes.settled(server)
    assert volumes.show(volume)['status'] == 'in-use' and len(volumes.of(server)) == 1
    demo.act(server, 'unpause', None, 'ACTIVE')


def test_one_volume_is_one_servers(demo, volumes, server):
    """VOL-F3: Cinder's refusal is a 400 that leaves nothing."""
    other, volume = booted(demo, 'two'), volumes.make()
    attached(volumes, server, volume)
    assert volumes.attach(other, volume).status_code == 400
    assert volumes.of(other) == []


def test_a_shared_volume(demo, volumes, server):
    """MAT-S1, MAT-T."""
    other, shared = booted(demo, 'two'), volumes.make(volume_type='multiattach')
    attached(volumes, server, shared)
    attached(volumes, other, shared)
    until(lambda: {one['server_id'] for one in volumes.show(shared)['attachments']} == {server, other},
          PATIENCE)
    assert volumes.detach(server, shared).status_code == 202
    until(lambda: [one['server_id'] for one in volumes.show(shared)['attachments']] == [other], PATIENCE)
    assert volumes.show(shared)['status'] == 'in-use'


def test_a_volume_moves_to_another_backend_while_a_guest_uses_it(admin, volumes, server):
    """VOL-S7: a retype has Cinder migrate it, who asks us; it keeps its id, by a new attachment."""
    volume = volumes.make()
    attached(volumes, server, volume)
    before, = volumes.of(server)
    assert at_cinder(admin, 'POST', f'/v3/volumes/{volume}/action', {'os-retype': {
        'new_type': 'other', 'migration_policy': 'on-demand'}}).status_code == 202

    def moved():
        shown = at_cinder(admin, 'GET', f'/v3/volumes/{volume}').json()['volume']
        assert shown['migration_status'] != 'error', shown
        return (shown['migration_status'], shown['os-vol-host-attr:host']) == ('success', 'storage@other#other')
    until(moved, PATIENCE * 2, told=lambda: at_cinder(admin, 'GET', f'/v3/volumes/{volume}').json())
    volumes.settled(server)
    after, = volumes.of(server)
    assert after['attachment_id'] != before['attachment_id']
    assert (after['volumeId'], after['device']) == (volume, before['device'])
    assert volumes.show(volume)['status'] == 'in-use'
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available', PATIENCE)


def test_a_volume_grows_while_a_guest_uses_it(demo, volumes, server):
    """2.51: Cinder tells us, and the host is told."""
    volume = volumes.make()
    attached(volumes, server, volume)
    volumes.call('POST', f'/volumes/{volume}/action', {'os-extend': {'new_size': 2}})
    until(lambda: volumes.show(volume)['size'] == 2, PATIENCE, told=lambda: volumes.show(volume))

    def told():
        return [one for one in demo.get(f'/servers/{server}/os-instance-actions')['instanceActions']
                if one['action'] == 'extend_volume']
    until(told, PATIENCE)
    volumes.settled(server)
    assert told()[0]['message'] is None and volumes.show(volume)['status'] == 'in-use'


def test_a_snapshot_of_a_volume_in_use(volumes, server):
    """os-assisted-volume-snapshots: Cinder has us make it, and remove it."""
    volume = volumes.make()
    attached(volumes, server, volume)
    made = volumes.call('POST', '/snapshots', {
        'snapshot': {'volume_id': volume, 'force': True}})['snapshot']['id']

    def shown():
        answer = volumes.send('GET', f'/snapshots/{made}')
        return answer.json()['snapshot']['status'] if answer.status_code == 200 else None
    until(lambda: shown() == 'available', PATIENCE, told=shown)
    volumes.call('DELETE', f'/snapshots/{made}')
    until(lambda: shown() is None, PATIENCE * 2, told=shown)
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available', PATIENCE)


def test_an_image_of_a_server_on_a_volume(demo, volumes):
    """Cinder has us make the snapshot while the making of the image holds the server, and remove it while the
    server is off."""
    answer = demo.boot('one', **demo.on_volume(), flavorRef=flavor(demo))
    assert answer.status_code == 202, answer.text
    server = demo.wait(answer.json()['server']['id'], 'ACTIVE', PATIENCE)['id']
    answer = demo.call('POST', f'/servers/{server}/action', {'createImage': {'name': 'image'}})
    assert answer.status_code == 202, answer.text
    image = f'/v2/images/{answer.json()["image_id"]}'
    until(lambda: demo.get(image, service='image')['status'] == 'active', PATIENCE)
    demo.wait(server, 'ACTIVE', PATIENCE)
    demo.act(server, 'os-stop', None, 'SHUTOFF')
    for one in volumes.call('GET', '/snapshots')['snapshots']:
        assert one['status'] == 'available'
        volumes.call('DELETE', f'/snapshots/{one["id"]}')
    until(lambda: not volumes.call('GET', '/snapshots')['snapshots'], PATIENCE * 2,
          told=lambda: volumes.call('GET', '/snapshots'))
    assert demo.call('DELETE', image, service='image').status_code == 204
    demo.act(server, 'os-start', None, 'ACTIVE')


def test_a_server_boots_from_volumes_of_every_kind(demo, volumes):
    volume, base = volumes.make(), volumes.make()
    snapshot = volumes.call('POST', '/snapshots', {'snapshot': {'volume_id': base}})['snapshot']['id']
    until(lambda: volumes.call('GET', f'/snapshots/{snapshot}')['snapshot']['status'] == 'available', PATIENCE)
    made = {'destination_type': 'volume', 'volume_size': 1, 'delete_on_termination': True}
    answer = demo.boot('bfv', imageRef='', flavorRef=flavor(demo), block_device_mapping_v2=[
        {'source_type': 'image', 'uuid': demo.image, 'boot_index': 0, 'volume_type': 'other', **made},
        {'source_type': 'blank', 'boot_index': -1, 'tag': 'data', **made},
        {'source_type': 'snapshot', 'uuid': snapshot, 'boot_index': -1, **made},
        {'source_type': 'volume', 'uuid': volume, 'destination_type': 'volume', 'boot_index': -1}])
    assert answer.status_code == 202, answer.text
    server = demo.wait(answer.json()['server']['id'], 'ACTIVE', PATIENCE)['id']
    found = {one['device']: one for one in volumes.of(server)}
    assert len(found) == 4 and [one['tag'] for one in found.values() if one['tag']] == ['data']
    assert volumes.show(found['/dev/vda']['volumeId'])['volume_type'] == 'other'
    assert snapshot in [volumes.show(one['volumeId'])['snapshot_id'] for one in found.values()]
    demo.delete(server, PATIENCE)
    volumes.call('DELETE', f'/snapshots/{snapshot}')
    until(lambda: not volumes.call('GET', '/snapshots')['snapshots'], PATIENCE)


def at_cinder(admin, method, path, body=None):
    return admin.call(method, path, body, service='volume', headers={'OpenStack-API-Version': 'volume 3.59'})
