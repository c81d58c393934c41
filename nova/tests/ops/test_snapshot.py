"""createImage and createBackup from outside: what they begin, answer at each version, and refuse."""

import pytest

from nova import errors, objects
from nova.objects import task as rows
from nova.tests.api import cloud as clouds


def act(cloud, server, key, body, version='2.90', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def tasks(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


def volume_backed(cloud):
    return cloud.server(host='host1', image_ref=None, block_devices=[objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', boot_index=0, device_name='/dev/vda',
        volume_id='20000000-0000-4000-8000-000000000001')])


BACKUP = {'name': 'nightly', 'backup_type': 'daily', 'rotation': 1}


@pytest.mark.parametrize(('key', 'body', 'shows', 'flow'), [
    ('createImage', {'name': 'pic', 'metadata': {'colour': 'blue'}}, 'image_snapshot_pending', 'snapshot'),
    ('createBackup', {**BACKUP, 'metadata': {'colour': 'blue'}}, 'image_backup', 'backup')])
@pytest.mark.parametrize('vm_state', ['active', 'suspended'])
def test_an_image_is_there_when_its_id_is_answered(cloud, key, body, shows, flow, vm_state):
    """TSK-S1: the task is a row before the image is registered, in the user's name."""
    server = cloud.server(host='host1', vm_state=vm_state)
    answer = act(cloud, server, key, body)
    assert answer.status_code == 202
    image = cloud.clients.image.images[answer.json['image_id']]
    assert (image['status'], image['owner'], image['visibility']) == ('queued', clouds.PROJECT, 'private')
    assert image['instance_uuid'] == server.uuid and image['base_image_ref'] == server.image_ref
    assert image['colour'] == 'blue' and image['hw_disk_bus'] == 'virtio' and image['min_disk'] == 1
    task, = tasks(cloud, server)
    assert (task.flow, task.action) == (flow, key)
    assert cloud.instance(server.uuid).task_state == shows
    assert clouds.MEMBER['X-Auth-Token'] not in str(task.state)


@pytest.mark.parametrize(('key', 'body'), [('createImage', {'name': 'pic'}), ('createBackup', BACKUP)])
def test_until_2_44_the_id_is_in_a_header(cloud, key, body):
    answer = act(cloud, cloud.server(host='host1'), key, body, version='2.44')
    assert answer.status_code == 202 and answer.text == ''
    assert answer.headers['Location'].rpartition('/')[2] in cloud.clients.image.images


def test_a_backup_of_which_none_is_kept_has_no_address(cloud):
    answer = act(cloud, cloud.server(host='host1'), 'createBackup', {**BACKUP, 'rotation': '0'}, version='2.1')
    assert answer.status_code == 202 and 'Location' not in answer.headers


@pytest.mark.parametrize(('key', 'body'), [('createImage', {'name': 'pic'}), ('createBackup', BACKUP)])
@pytest.mark.parametrize('vm_state', ['error', 'shelved'])
def test_the_wrong_state_is_a_conflict(cloud, key, body, vm_state):
    server = cloud.server(host='host1', vm_state=vm_state)
    assert act(cloud, server, key, body).status_code == 409
    assert tasks(cloud, server) == [] and cloud.clients.image.images.keys() == {cloud.image_id}


def test_one_at_a_time_and_a_lock_does_not_matter(cloud):
    server = cloud.server(host='host1', locked_by='owner')
    assert act(cloud, server, 'createImage', {'name': 'one'}).status_code == 202
    assert act(cloud, server, 'createImage', {'name': 'two'}).status_code == 409
    assert {image['name'] for image in cloud.clients.image.images.values()} == {'image', 'one'}


@pytest.mark.parametrize(('key', 'body'), [
    ('createImage', {}), ('createImage', None), ('createImage', {'name': ''}), ('createImage', {'name': ' x'}),
    ('createImage', {'name': 'x' * 256}), ('createImage', {'name': 'x', 'more': 1}),
    ('createImage', {'name': 'x', 'metadata': {'a': 1}}),
    ('createImage', {'name': 'x', 'metadata': {'status': 'a'}}),
    ('createImage', {'name': 'x', 'metadata': {'id': '7'}}), ('createImage', {'name': 'x\0'}),
    ('createBackup', {'name': 'x', 'backup_type': 'daily'}), ('createBackup', {**BACKUP, 'rotation': -1}),
    ('createBackup', {**BACKUP, 'rotation': 'many'}), ('createBackup', {**BACKUP, 'rotation': 2 ** 31}),
    ('createBackup', {**BACKUP, 'backup_type': 7})])
def test_what_makes_no_sense_is_refused(cloud, key, body):
    server = cloud.server(host='host1')
    assert act(cloud, server, key, body).status_code == 400
    assert tasks(cloud, server) == []


def test_metadata_are_under_quota_until_2_38(cloud):
    cloud.conf.set_override('metadata_items', 1, 'quota')
    body = {'name': 'x', 'metadata': {'a': '1', 'b': '2'}}
    assert act(cloud, cloud.server(host='host1'), 'createImage', body, version='2.38').status_code == 403
    assert act(cloud, cloud.server(host='host1'), 'createImage', body, version='2.39').status_code == 202


def test_what_the_image_service_refuses_the_user_hears(cloud):
    server = cloud.server(host='host1')
    cloud.clients.image.fail('create', errors.Forbidden('too many images'))
    answer = act(cloud, server, 'createImage', {'name': 'x'})
    assert answer.status_code == 403 and 'too many images' in answer.json['forbidden']['message']


def test_an_image_service_that_is_away_is_asked_again_by_the_task(cloud):
    server = cloud.server(host='host1')
    cloud.clients.image.fail('create', errors.image.ImageServiceAway())
    assert act(cloud, server, 'createImage', {'name': 'x'}).status_code == 202
    assert len(tasks(cloud, server)) == 1


def test_a_server_that_boots_from_a_volume(cloud):
    server = volume_backed(cloud)
    assert act(cloud, server, 'createBackup', BACKUP).status_code == 400
    assert act(cloud, server, 'createImage', {'name': 'x'}).status_code == 202
    task, = tasks(cloud, server)
    assert task.state['nova_object.data']['of_volumes'] is True


def test_readers_and_strangers_may_not(cloud):
    server = cloud.server(host='host1')
    assert act(cloud, server, 'createImage', {'name': 'x'}, headers=clouds.READER).status_code == 403
    assert act(cloud, server, 'createBackup', BACKUP, headers=clouds.STRANGER).status_code == 404
