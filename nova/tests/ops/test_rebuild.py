"""rebuild from outside: what each version lets a user say, what he hears, what is refused."""

import base64

import pytest

from nova import objects
from nova.common import uuids
from nova.objects import task as rows
from nova.tests.api import cloud as clouds


def rebuild(cloud, server, version='2.94', headers=clouds.MEMBER, **body):
    body = {'imageRef': cloud.image_id, **body}
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={
        'rebuild': {key: value for key, value in body.items() if value is not ...}})


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


def a_server(cloud, **values):
    return cloud.server(host='host1', **values)


def on_volume(cloud, image, **values):
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT, status='in-use',
                                      volume_image_metadata={'image_id': image})
    return a_server(cloud, image_ref=None, **values, block_devices=[objects.BlockDeviceMapping(
        source_type='image', destination_type='volume', boot_index=0, device_name='/dev/vda', image_id=image,
        volume_id=volume, volume_size=1)])


@pytest.mark.parametrize('vm_state', ['active', 'stopped', 'error'])
def test_the_answer_is_the_server_as_it_will_be(cloud, vm_state):
    server = a_server(cloud, vm_state=vm_state)
    answer = rebuild(cloud, server, name='new', description='better', metadata={'a': 'b'}, adminPass='s3cret',
                     accessIPv4='192.0.2.9', hostname='host.example', **{'OS-DCF:diskConfig': 'MANUAL'})
    assert answer.status_code == 202, answer.text
    assert answer.headers['Location'].endswith(f'/servers/{server.uuid}')
    shown = answer.json['server']
    assert (shown['name'], shown['description'], shown['metadata']) == ('new', 'better', {'a': 'b'})
    assert (shown['image']['id'], shown['accessIPv4'], shown['adminPass']) == (
        cloud.image_id, '192.0.2.9', 's3cret')
    assert (shown['OS-DCF:diskConfig'], shown['OS-EXT-SRV-ATTR:hostname']) == ('MANUAL', 'host.example')
    assert shown['status'] == 'REBUILD' and shown['OS-EXT-STS:task_state'] == 'rebuilding'
    task, = begun(cloud, server)
    assert task.action == 'rebuild' and 's3cret' not in str(task.state)
    kept = cloud.instance(server.uuid)
    assert (kept.display_name, kept.image_ref) == ('one', server.image_ref)


def test_what_older_versions_answer_and_accept(cloud):
    shown = rebuild(cloud, a_server(cloud), version='2.1').json['server']
    assert 'OS-EXT-STS:task_state' not in shown and 'key_name' not in shown and shown['adminPass']
    file = {'path': '/etc/motd', 'contents': base64.b64encode(b'hello').decode()}
    server = a_server(cloud)
    assert rebuild(cloud, server, version='2.57', personality=[file]).status_code == 400
    assert rebuild(cloud, server, version='2.56', personality=[file]).status_code == 202
    for version, more in (
            ('2.53', {'key_name': None}), ('2.56', {'user_data': None}), ('2.18', {'description': 'x'}),
            ('2.62', {'trusted_image_certificates': None}), ('2.89', {'hostname': 'host'})):
        assert rebuild(cloud, a_server(cloud), version=version, **more).status_code == 400, version
    assert rebuild(cloud, a_server(cloud), version='2.93', hostname='a.b').status_code == 400


def test_keys_and_user_data_are_changed_and_taken(cloud):
    cloud.dbs.api.write(lambda conn: objects.KeyPair(
        user_id='alice', name='mine', type='ssh', fingerprint='f', public_key='k').create(conn))
    server = a_server(cloud, key_name='old', user_data='b2xk')
    shown = rebuild(cloud, server, key_name='mine', user_data='bmV3').json['server']
    assert (shown['key_name'], shown['user_data']) == ('mine', 'bmV3')
    shown = rebuild(cloud, a_server(cloud, key_name='old', user_data='b2xk'), key_name=None, user_data=None
                    ).json['server']
    assert (shown['key_name'], shown['user_data']) == (None, None)
    assert rebuild(cloud, a_server(cloud), key_name='none such').status_code == 400


@pytest.mark.parametrize('body', [
    {'imageRef': ...}, {'imageRef': 'x'}, {'imageRef': ''}, {'imageRef': None}, {'name': ''}, {'name': ' x'},
    {'metadata': {'a': 1}}, {'adminPass': 7}, {'accessIPv4': '::1'}, {'preserve_ephemeral': 'perhaps'},
    {'trusted_image_certificates': []}, {'user_data': 'not base64!'}, {'hostname': 'a b'}, {'flavorRef': '1'},
    {'OS-DCF:diskConfig': 'HALF'}, {'description': 7}])
def test_what_makes_no_sense(cloud, body):
    server = a_server(cloud)
    assert rebuild(cloud, server, **body).status_code == 400
    assert begun(cloud, server) == []


def test_images_that_cannot_be_used(cloud):
    """Each is found out before anything is touched; traits are checked on the host where the server is."""
    server = a_server(cloud, compute_id=uuids.generate(), auto_disk_config=True)
    add = cloud.clients.image.add
    for image in (uuids.generate(), add(status='queued'), add(min_disk=50), add(min_ram=10 ** 6),
                  add(visibility='private', owner=clouds.OTHER), add(**{'trait:HW_CPU_X86_AVX2': 'required'})):
        assert rebuild(cloud, server, imageRef=image).status_code == 400, image
    assert begun(cloud, server) == []
    cloud.clients.placement.capable.add('HW_CPU_X86_AVX2')
    assert rebuild(cloud, server, imageRef=image).status_code == 202


def test_a_server_on_a_volume(cloud):
    """Of its own image at every version, of another one from 2.93 on."""
    assert rebuild(cloud, on_volume(cloud, cloud.image_id), version='2.1').status_code == 202
    other = cloud.clients.image.add()
    server = on_volume(cloud, cloud.image_id)
    answer = rebuild(cloud, server, version='2.92', imageRef=other)
    assert answer.status_code == 400 and 'different image' in answer.text
    assert rebuild(cloud, server, version='2.93', imageRef=other).status_code == 202
    state = begun(cloud, server)[0].state['nova_object.data']
    assert state['reimages'] and state['image_id'] == other and state['trust']


def test_quotas_states_and_roles(cloud):
    cloud.conf.set_override('metadata_items', 1, 'quota')
    assert rebuild(cloud, a_server(cloud), metadata={'a': '', 'b': ''}).status_code == 403
    assert rebuild(cloud, a_server(cloud), headers=clouds.READER).status_code == 403
    for values in ({'vm_state': 'paused'}, {'vm_state': 'rescued'}, {'task_state': 'rebuilding'},
                   {'locked_by': 'owner'}):
        assert rebuild(cloud, a_server(cloud, **values)).status_code == 409
    large = a_server(cloud, flavor=cloud.flavor(ephemeral_gb=1))
    assert rebuild(cloud, large, preserve_ephemeral=True).status_code == 400
    assert rebuild(cloud, a_server(cloud), preserve_ephemeral=True).status_code == 202
