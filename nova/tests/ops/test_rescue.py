"""rescue and unrescue from outside."""

import datetime

import pytest

from nova import objects
from nova.common import clock, uuids
from nova.objects import task as rows
from nova.ops import rescue
from nova.task import journal
from nova.tests.api import cloud as clouds


def act(cloud, server, key, body=None, version='2.90', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


def a_server(cloud, **values):
    return cloud.server(host='host1', **{'image_ref': cloud.image_id, **values})


def with_root_volume(cloud):
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT, status='in-use')
    return a_server(cloud, image_ref=None, compute_id=uuids.generate(), block_devices=[
        objects.BlockDeviceMapping(source_type='volume', destination_type='volume', boot_index=0,
                                   device_name='/dev/vda', volume_id=volume)])


@pytest.mark.parametrize('vm_state', ['active', 'stopped', 'error'])
def test_a_rescue_answers_the_password(cloud, vm_state):
    server = a_server(cloud, vm_state=vm_state)
    answer = act(cloud, server, 'rescue', {'adminPass': 's3cret'})
    assert (answer.status_code, answer.json) == (200, {'adminPass': 's3cret'})
    task, = begun(cloud, server)
    assert (task.flow, cloud.instance(server.uuid).task_state) == ('rescue', 'rescuing')
    state = task.state['nova_object.data']
    assert state['image_id'] == cloud.image_id and 's3cret' not in str(state)
    assert cloud.clients.trust.reveal(state['password']) == 's3cret'


def test_a_password_is_made_up_and_can_be_kept_back(cloud):
    assert len(act(cloud, a_server(cloud), 'rescue').json['adminPass']) == 12
    cloud.conf.set_override('enable_instance_password', False, 'api')
    answer = act(cloud, a_server(cloud), 'rescue')
    assert answer.status_code == 200 and answer.text == ''


@pytest.mark.parametrize(('key', 'vm_state'), [
    ('rescue', 'paused'), ('rescue', 'rescued'), ('unrescue', 'active')])
def test_the_wrong_state_is_a_conflict(cloud, key, vm_state):
    assert act(cloud, a_server(cloud, vm_state=vm_state), key).status_code == 409


def test_unrescue(cloud):
    server = a_server(cloud, vm_state='rescued')
    assert act(cloud, server, 'unrescue').status_code == 202
    assert cloud.instance(server.uuid).task_state == 'unrescuing'


@pytest.mark.parametrize('body', [
    {'adminPass': 7}, {'rescue_image_ref': 'x'}, {'rescue_image_ref': None}, {'more': 1}, []])
def test_what_makes_no_sense(cloud, body):
    assert act(cloud, a_server(cloud), 'rescue', body).status_code == 400


def test_images_that_cannot_be_used(cloud):
    server = a_server(cloud)
    queued = cloud.clients.image.add(status='queued')
    of_volumes = cloud.clients.image.add(block_device_mapping='[{"source_type": "snapshot"}]')
    hidden = cloud.clients.image.add(visibility='private', owner=clouds.OTHER)
    for image in (uuids.generate(), queued, of_volumes, hidden):
        assert act(cloud, server, 'rescue', {'rescue_image_ref': image}).status_code == 400, image
    assert begun(cloud, server) == []


def test_servers_that_boot_from_a_volume(cloud):
    """They are rescued from 2.87 on, by hosts that can, and by an image that is named."""
    server, body = with_root_volume(cloud), {'rescue_image_ref': cloud.image_id}
    assert act(cloud, server, 'rescue', body, version='2.86').status_code == 400
    assert act(cloud, server, 'rescue', body, version='2.87').status_code == 400
    cloud.clients.placement.capable.add('COMPUTE_RESCUE_BFV')
    assert act(cloud, server, 'rescue', version='2.87').status_code == 400
    assert act(cloud, server, 'rescue', body, version='2.87').status_code == 200


def test_volumes_that_are_not_in_use(cloud):
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT, status='detaching')
    server = a_server(cloud, block_devices=[objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', device_name='/dev/vdb', volume_id=volume)])
    assert act(cloud, server, 'rescue').status_code == 409


def test_a_rescue_that_lasts_too_long_is_ended(cloud):
    def rescued(seconds):
        when = clock.isotime(clock.utcnow() - datetime.timedelta(seconds=seconds))
        return a_server(cloud, vm_state='rescued', system_metadata={'rescued_at': when})
    old, young = rescued(600), rescued(60)
    due = rescue.begin_due(journal.Journal(cloud.db(1)), 300)
    assert [task.instance_uuid for task in due] == [old.uuid] and begun(cloud, young) == []
    assert rescue.begin_due(journal.Journal(cloud.db(1)), 300) == []


def test_locks_and_roles(cloud):
    assert act(cloud, a_server(cloud, locked_by='owner'), 'rescue').status_code == 409
    assert act(cloud, a_server(cloud), 'rescue', headers=clouds.READER).status_code == 403
