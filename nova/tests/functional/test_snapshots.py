"""Images of servers over the whole cloud: local disks, volumes, backups; and servers made of these images."""

import json
import time

import pytest

from nova.tests.fixtures.waiting import until

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


def image(demo, ident):
    return demo.get(f'/v2/images/{ident}', service='image')


def make(demo, uuid, action, body):
    """An image of a server, when nothing more is done to either."""
    answer = demo.call('POST', f'/servers/{uuid}/action', {action: body})
    assert answer.status_code == 202, answer.text
    ident = answer.json()['image_id']
    assert image(demo, ident)['name'] == body['name']
    until(lambda: demo.show(uuid)['OS-EXT-STS:task_state'] is None, told=lambda: demo.show(uuid))
    return ident


def actions(demo, uuid):
    return [(each['action'], each['message'])
            for each in demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']]


def test_a_server_of_an_image_of_a_server(demo):
    uuid = demo.booted('first')['id']
    ident = make(demo, uuid, 'createImage', {'name': 'picture', 'metadata': {'hw_disk_bus': 'scsi'}})
    made = image(demo, ident)
    assert (made['status'], made['image_type'], made['hw_disk_bus']) == ('active', 'snapshot', 'scsi')
    assert made['size'] > 0 and made['base_image_ref'] == demo.image
    assert demo.show(uuid)['status'] == 'ACTIVE' and actions(demo, uuid)[0] == ('createImage', None)
    assert demo.booted('second', imageRef=ident)['image']['id'] == ident


def test_a_server_of_volumes_made_of_snapshots(demo):
    root = {'source_type': 'image', 'uuid': demo.image, 'destination_type': 'volume', 'boot_index': 0,
            'volume_size': 1, 'delete_on_termination': True}
    data = {'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 2,
            'delete_on_termination': True}
    uuid = demo.booted('first', imageRef='', block_device_mapping_v2=[root, data])['id']
    ident = make(demo, uuid, 'createImage', {'name': 'picture'})
    assert image(demo, ident)['status'] == 'active' and image(demo, ident)['size'] == 0
    made = demo.get('/v3/snapshots/detail', service='volume')['snapshots']
    assert sorted(one['size'] for one in made) == [1, 2] and all(one['metadata'] == {} for one in made)
    second = demo.booted('second', imageRef=ident)
    assert len(second['os-extended-volumes:volumes_attached']) == 2
    for server in (uuid, second['id']):
        demo.call('DELETE', f'/servers/{server}')
        demo.gone(server)
    for one in made:
        demo.call('DELETE', f'/v3/snapshots/{one["id"]}', service='volume')


def test_only_so_many_backups_are_kept(demo):
    uuid = demo.booted('first')['id']
    weekly = make(demo, uuid, 'createBackup', {'name': 'w', 'backup_type': 'weekly', 'rotation': 1})
    kept = []
    for number in range(3):
        kept.append(make(demo, uuid, 'createBackup', {
            'name': f'd{number}', 'backup_type': 'daily', 'rotation': 2}))
        time.sleep(1.05)  # Glance's times are whole seconds: of two that are alike none is known to be older
    codes = [demo.call('GET', f'/v2/images/{ident}', service='image').status_code for ident in [weekly, *kept]]
    assert codes == [200, 404, 200, 200]
    make_none = {'name': 'none', 'backup_type': 'daily', 'rotation': 0}
    answer = demo.call('POST', f'/servers/{uuid}/action', {'createBackup': make_none})
    assert answer.status_code == 202
    gone = [*kept, answer.json()['image_id']]
    until(lambda: all(demo.call('GET', f'/v2/images/{ident}', service='image').status_code == 404
                      for ident in gone))
    assert image(demo, weekly)['status'] == 'active'


def test_an_image_that_its_owner_deletes_meanwhile(cloud, demo):
    """The server is as before, and its actions say that the image was not made."""
    uuid = demo.booted('first')['id']
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'snapshot': {'do': 'delay', 'seconds': 1}}))
    try:
        answer = demo.call('POST', f'/servers/{uuid}/action', {'createImage': {'name': 'brief'}})
        ident = answer.json()['image_id']
        assert demo.call('DELETE', f'/v2/images/{ident}', service='image').status_code == 204
        until(lambda: demo.show(uuid)['OS-EXT-STS:task_state'] is None)
    finally:
        for file in files:
            file.unlink()
    assert demo.show(uuid)['status'] == 'ACTIVE' and actions(demo, uuid)[0] == ('createImage', 'Error')
    assert demo.call('GET', f'/v2/images/{ident}', service='image').status_code == 404
