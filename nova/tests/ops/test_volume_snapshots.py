"""os-assisted-volume-snapshots from outside."""

import json
from urllib import parse

import pytest

from nova import objects
from nova.common import uuids
from nova.objects import task as rows
from nova.tests.api import cloud as clouds

SERVICE = {'X-Auth-Token': f'cinder:{clouds.PROJECT}', 'X-Roles': 'service'}
INFO = {'snapshot_id': 'the-snapshot', 'type': 'qcow2', 'new_file': 'volume-1.snapshot'}


@pytest.fixture
def server(cloud):
    return cloud.server(host='host1')


@pytest.fixture
def volume(cloud, server):
    return put(cloud, server, uuids.generate())


def put(cloud, server, volume):
    cloud.db(1).write(lambda conn: objects.BlockDeviceMapping(
        uuid=uuids.generate(), instance_uuid=server.uuid, source_type='volume', destination_type='volume',
        device_name='/dev/vdb', volume_id=volume).create(conn))
    return volume


def create(cloud, volume, headers=SERVICE, **info):
    return cloud.call('POST', '/os-assisted-volume-snapshots', '2.96', headers, json={
        'snapshot': {'volume_id': volume, 'create_info': {**INFO, **info}}})


def delete(cloud, info, headers=SERVICE):
    query = parse.urlencode({'delete_info': info if isinstance(info, str) else json.dumps(info)})
    return cloud.call('DELETE', f'/os-assisted-volume-snapshots/the-snapshot?{query}', '2.96', headers)


def flows(cloud, server):
    with cloud.db(1).read() as conn:
        return [task.flow for task in rows.of_instance(conn, server.uuid)]


def test_a_snapshot_is_begun_and_merged(cloud, server, volume):
    answer = create(cloud, volume, id='mine')
    assert (answer.status_code, answer.json) == (200, {'snapshot': {'id': 'mine', 'volumeId': volume}})
    assert create(cloud, volume).json == {'snapshot': {'id': None, 'volumeId': volume}}
    assert delete(cloud, {'volume_id': volume, 'type': 'qcow2', 'file_to_merge': 'x'}).status_code == 204
    assert flows(cloud, server) == ['delete_volume_snapshot', 'snapshot_volume', 'snapshot_volume']
    shown = cloud.call('GET', f'/servers/{server.uuid}/os-instance-actions').json
    assert shown == {'instanceActions': []}


def test_while_an_image_is_made_of_the_server(cloud):
    """It holds the server until block storage has the snapshots for which it asks the host now."""
    server = cloud.server(host='host1', task_state='image_snapshot')
    volume = put(cloud, server, uuids.generate())
    assert create(cloud, volume).status_code == 200
    assert delete(cloud, {'volume_id': volume, 'type': 'qcow2', 'file_to_merge': 'x'}).status_code == 204
    assert flows(cloud, server) == ['delete_volume_snapshot_of_image', 'snapshot_volume_for_image']


def test_a_volume_that_no_server_has(cloud):
    assert create(cloud, uuids.generate()).status_code == 400
    assert delete(cloud, {'volume_id': uuids.generate()}).status_code == 400


def test_a_shared_volume(cloud, server, volume):
    """MAT-F4."""
    put(cloud, cloud.server(host='host1'), volume)
    assert create(cloud, volume).status_code == 400


@pytest.mark.parametrize('values', [{'host': None}, {'task_state': 'pausing'}])
def test_a_server_that_cannot(cloud, values):
    server = cloud.server(**{'host': 'host1', **values})
    volume = put(cloud, server, uuids.generate())
    assert create(cloud, volume).status_code == 400 and flows(cloud, server) == []


@pytest.mark.parametrize('info', [{'type': 'raw'}, {'snapshot_id': ''}, {'new_file': None}, {'more': 1}])
def test_what_is_no_snapshot(cloud, volume, info):
    assert create(cloud, volume, **info).status_code == 400


@pytest.mark.parametrize('info', ['', 'nonsense', '[]', '{}', '{"volume_id": 7}', '{"volume_id": null}'])
def test_what_is_no_deletion(cloud, info):
    assert delete(cloud, info).status_code == 400


def test_only_services_may(cloud, volume):
    assert create(cloud, volume, clouds.MEMBER).status_code == 403
    assert delete(cloud, {'volume_id': volume}, clouds.MEMBER).status_code == 403
