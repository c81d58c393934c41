"""Volume: the attachments that a compute service makes, and states that are kept strictly (VOL-*, MAT-S1)."""

import httpx
import pytest
from cinderclient import client as cinderclient
from cinderclient import exceptions as cinder_exc
from keystoneauth1 import service_token
from openstack.connection import Connection

from nova.common import units
from nova.tests.fixtures.sandbox import Running

ONE, TWO = '11111111-1111-1111-1111-111111111111', '22222222-2222-2222-2222-222222222222'


def connector(host: str) -> dict:
    return {'host': host, 'ip': '192.0.2.1', 'platform': 'x86_64', 'os_type': 'linux', 'multipath': False,
            'mountpoint': '/dev/vdb'}


@pytest.fixture(scope='module')
def cinder(running: Running):
    """As the compute service, in the service project, with a service token that says so."""
    ours = running.session('nova')
    ours.auth = service_token.ServiceTokenAuthWrapper(user_auth=ours.auth, service_auth=ours.auth)
    return cinderclient.Client('3.71', session=ours, service_type='volumev3')


@pytest.fixture(scope='module')
def mine(running: Running):
    return cinderclient.Client('3.71', session=running.session('demo'), service_type='volumev3')


@pytest.fixture
def volume(cinder, mine):
    made = mine.volumes.create(1, name='disk')
    assert made.status == 'creating'
    yield made
    for attachment in cinder.attachments.list(search_opts={'all_tenants': 1, 'volume_id': made.id}):
        cinder.attachments.delete(attachment.id)
    mine.volumes.delete(made.id)


def status(cinder, volume) -> str:
    return cinder.volumes.get(volume.id).status


def test_attach_and_detach(running: Running, cinder, mine, volume) -> None:
    """VOL-S1, VOL-S2: reserve, connect, complete, delete."""
    reserved = cinder.attachments.create(volume.id, None, ONE)
    assert (reserved['status'], reserved['instance']) == ('reserved', ONE)
    assert status(cinder, volume) == 'reserved'
    with pytest.raises(cinder_exc.BadRequest):
        mine.volumes.delete(volume.id)
    connected = cinder.attachments.update(reserved['id'], connector('host1')).to_dict()
    assert connected['connection_info']['driver_volume_type'] == 'local'
    assert connected['connection_info']['device_path'].endswith(f'volume-{volume.id}')
    assert status(cinder, volume) == 'attaching'
    cinder.attachments.complete(reserved['id'])
    assert status(cinder, volume) == 'in-use'
    shown = mine.volumes.get(volume.id).attachments
    assert [(item['server_id'], item['attachment_id'], item['host_name']) for item in shown] == [
        (ONE, reserved['id'], 'host1')]
    cinder.volumes.begin_detaching(volume.id)
    assert status(cinder, volume) == 'detaching'
    cinder.volumes.roll_detaching(volume.id)
    assert status(cinder, volume) == 'in-use'
    cinder.attachments.delete(reserved['id'])
    assert status(cinder, volume) == 'available'
    with pytest.raises(cinder_exc.NotFound):
        cinder.attachments.delete(reserved['id'])


def test_second_server_is_refused(cinder, mine, volume, running: Running) -> None:
    """MAT-S1: also after an administrator reset the volume's state."""
    first = cinder.attachments.create(volume.id, connector('host1'), ONE)
    assert first['status'] == 'attaching'
    cinder.attachments.complete(first['id'])
    admin = cinderclient.Client('3.71', session=running.session('admin'), service_type='volumev3')
    for reset in (False, True):
        if reset:
            admin.volumes.reset_state(volume.id, 'available')
        with pytest.raises(cinder_exc.BadRequest) as raised:
            cinder.attachments.create(volume.id, None, TWO)
        assert f'Volume {volume.id} status must be available' in raised.value.message


def test_live_migration_has_two_attachments_of_one_server(cinder, volume) -> None:
    """VOL-S3: the second one is made with its connector; one that was reserved gets none beside the first."""
    source = cinder.attachments.create(volume.id, connector('host1'), ONE)
    cinder.attachments.complete(source['id'])
    reserved = cinder.attachments.create(volume.id, None, ONE)
    assert status(cinder, volume) == 'in-use'
    with pytest.raises(cinder_exc.ClientException, match='duplicate connectors'):
        cinder.attachments.update(reserved['id'], connector('host2'))
    cinder.attachments.delete(reserved['id'])
    target = cinder.attachments.create(volume.id, connector('host2'), ONE)
    cinder.attachments.complete(target['id'])
    cinder.attachments.delete(source['id'])
    assert status(cinder, volume) == 'in-use'
    assert [item.id for item in cinder.attachments.list(
        search_opts={'all_tenants': 1, 'volume_id': volume.id})] == [target['id']]


def test_shelving_keeps_the_reservation(cinder, volume) -> None:
    """VOL-S6."""
    attached = cinder.attachments.create(volume.id, connector('host1'), ONE)
    cinder.attachments.complete(attached['id'])
    empty = cinder.attachments.create(volume.id, None, ONE)
    cinder.attachments.delete(attached['id'])
    assert status(cinder, volume) == 'reserved'
    assert cinder.attachments.show(empty['id']).status == 'reserved'


def test_shared_volume(cinder, mine) -> None:
    """MAT-S1: several servers, one volume."""
    shared = mine.volumes.create(1, volume_type='multiattach')
    assert shared.multiattach is True
    ids = []
    for server in (ONE, TWO):
        made = cinder.attachments.create(shared.id, connector('host1'), server)
        cinder.attachments.complete(made['id'])
        ids.append(made['id'])
    assert {item['server_id'] for item in mine.volumes.get(shared.id).attachments} == {ONE, TWO}
    cinder.attachments.delete(ids[0])
    assert status(cinder, shared) == 'in-use'
    cinder.attachments.delete(ids[1])
    assert status(cinder, shared) == 'available'
    mine.volumes.delete(shared.id)


def test_a_user_may_not_detach_behind_computes_back(running: Running, cinder, mine, volume) -> None:
    made = cinder.attachments.create(volume.id, connector('host1'), ONE)
    cinder.attachments.complete(made['id'])
    unvouched = cinderclient.Client('3.71', session=running.session('nova'), service_type='volumev3')
    for without in (mine, unvouched):
        with pytest.raises(cinder_exc.ClientException) as raised:
            without.attachments.delete(made['id'])
        assert raised.value.code == 409
    headers = {'X-Auth-Token': running.session('demo').get_token(), 'OpenStack-API-Version': 'volume 3.44',
               'X-Service-Token': running.session('nova').get_token()}
    assert httpx.delete(f'{running.url}/volume/v3/attachments/{made["id"]}', headers=headers).status_code == 200
    assert status(cinder, volume) == 'available'


def test_no_second_reservation_while_a_host_connects(cinder, volume) -> None:
    """Cinder takes one more of the same server where the volume is reserved or in use, and none between."""
    first = cinder.attachments.create(volume.id, None, ONE)
    second = cinder.attachments.create(volume.id, None, ONE)
    cinder.attachments.delete(second['id'])
    cinder.attachments.update(first['id'], connector('host1'))
    with pytest.raises(cinder_exc.BadRequest):
        cinder.attachments.create(volume.id, None, ONE)
    cinder.attachments.complete(first['id'])
    assert cinder.attachments.create(volume.id, None, ONE)['status'] == 'reserved'


def test_complete_needs_a_connector(cinder, volume) -> None:
    made = cinder.attachments.create(volume.id, None, ONE)
    with pytest.raises(cinder_exc.BadRequest):
        cinder.attachments.complete(made['id'])
    with pytest.raises(cinder_exc.BadRequest):
        cinder.attachments.update(made['id'], {})


def test_image_snapshot_and_copy_carry_the_data(running: Running, mine) -> None:
    volumes = running.sandbox.volumes
    wanted = running.sandbox.images.path(running.made.image).read_bytes()
    boot = mine.volumes.create(1, imageRef=running.made.image)
    found = mine.volumes.get(boot.id)
    assert (found.bootable, found.volume_image_metadata['image_id']) == ('true', running.made.image)
    snapshot = mine.volume_snapshots.create(boot.id)
    again = mine.volumes.create(1, snapshot_id=snapshot.id)
    copy = mine.volumes.create(2, source_volid=again.id)
    path = volumes.path(copy.id)
    assert path.stat().st_size == 2 * units.Gi and path.stat().st_blocks * 512 < units.Mi
    with path.open('rb') as file:
        assert file.read(len(wanted)) == wanted
    assert mine.volumes.get(copy.id).bootable == 'true'
    with pytest.raises(cinder_exc.BadRequest):
        mine.volumes.delete(boot.id)
    mine.volume_snapshots.delete(snapshot.id)
    for made in (boot, again, copy):
        mine.volumes.delete(made.id)
    assert not path.exists()


def test_extend(running: Running, mine, cinder, volume) -> None:
    mine.volumes.extend(volume.id, 2)
    assert mine.volumes.get(volume.id).size == 2
    with pytest.raises(cinder_exc.BadRequest):
        mine.volumes.extend(volume.id, 2)
    made = cinder.attachments.create(volume.id, connector('host1'), ONE)
    cinder.attachments.complete(made['id'])
    old = cinderclient.Client('3.41', session=running.session('demo'), service_type='volumev3')
    with pytest.raises(cinder_exc.BadRequest):
        old.volumes.extend(volume.id, 3)
    mine.volumes.extend(volume.id, 3)
    assert mine.volumes.get(volume.id).size == 3


@pytest.mark.parametrize('body', [{'size': 0}, {'size': 'much'}, {}, {'size': 1, 'multiattach': True},
                                  {'size': 1, 'imageRef': 'unknown'}])
def test_refused_volumes(demo: Connection, body) -> None:
    answer = demo.block_storage.post('/volumes', json={'volume': body})
    assert answer.status_code == 400 and answer.json()['badRequest']['code'] == 400


def test_unknown_things_are_404(demo: Connection) -> None:
    for path in ('/volumes/unknown', '/snapshots/unknown', '/types/unknown'):
        answer = demo.block_storage.get(path)
        assert answer.status_code == 404 and 'unknown' in answer.json()['itemNotFound']['message']


def test_quota(running: Running, mine) -> None:
    admin = cinderclient.Client('3.71', session=running.session('admin'), service_type='volumev3')
    project = running.made.projects['demo']
    admin.quotas.update(project, gigabytes=1)
    with pytest.raises(cinder_exc.OverLimit):
        mine.volumes.create(2)
    admin.quotas.delete(project)
    assert mine.quotas.get(project, usage=True).gigabytes['in_use'] == 0


def test_microversions(running: Running, demo: Connection) -> None:
    root = httpx.get(f'{running.url}/volume/')
    assert (root.status_code, root.json()['versions'][0]['version']) == (300, '3.71')
    base, token = f'{running.url}/volume/v3', {'X-Auth-Token': demo.auth_token}

    def get(path: str, version: str | None = None) -> httpx.Response:
        header = {'OpenStack-API-Version': f'volume {version}'} if version else {}
        return httpx.get(base + path, headers={**token, **header})
    assert get('/volumes').headers['OpenStack-API-Version'] == 'volume 3.0'
    assert get('/volumes', 'latest').headers['OpenStack-API-Version'] == 'volume 3.71'
    assert get('/volumes', '3.99').status_code == 406
    assert get('/volumes', 'many').status_code == 400
    assert get('/attachments', '3.26').status_code == 404
    assert get('/attachments', '3.27').status_code == 200
    assert get(f'/{running.made.projects["demo"]}/volumes').status_code == 200
    assert get(f'/{running.made.projects["admin"]}/volumes').status_code == 400


def test_projects_are_apart(running: Running, mine, volume) -> None:
    admin = cinderclient.Client('3.71', session=running.session('admin'), service_type='volumev3')
    assert admin.volumes.list() == []
    assert [item.id for item in admin.volumes.list(search_opts={'all_tenants': 1})] == [volume.id]
    with pytest.raises(cinder_exc.Forbidden):
        mine.volumes.reset_state(volume.id, 'error')
