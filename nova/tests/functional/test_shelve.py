"""Shelving and coming back over the whole cloud: of local disks and of volumes, to other hosts of the cell."""

import pytest

from nova.tests.fixtures.waiting import until

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


def images(demo):
    return [image['name'] for image in demo.get('/v2/images', service='image')['images']]


def held(admin, uuid):
    return admin.get(f'/allocations/{uuid}', service='placement')['allocations']


@pytest.mark.parametrize('of_volume', [False, True])
def test_there_and_back(demo, admin, of_volume):
    """VOL-S6: a shelved server holds no host and no Placement, its volumes and addresses stay its own."""
    more = demo.on_volume() if of_volume else {}
    before = demo.booted('sleepy', **more)
    uuid = before['id']
    demo.act(uuid, 'shelve', status='SHELVED_OFFLOADED')
    shown = admin.show(uuid)
    assert shown['OS-EXT-SRV-ATTR:host'] is None and shown['OS-EXT-STS:power_state'] == 0
    assert held(admin, uuid) == {} and ('sleepy-shelved' in images(demo)) is not of_volume
    for volume in shown['os-extended-volumes:volumes_attached']:
        assert demo.get(f'/v3/volumes/{volume["id"]}', service='volume')['volume']['status'] == 'reserved'
    after = demo.act(uuid, 'unshelve', status='ACTIVE')
    assert after['addresses'] == before['addresses'] and after['image'] == before['image']
    assert len(held(admin, uuid)) == 1 and 'sleepy-shelved' not in images(demo)
    done = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [(each['action'], each['message']) for each in done[:2]] == [('unshelve', None), ('shelve', None)]


def test_to_a_host_that_is_named(cloud, demo, admin):
    uuid = demo.booted('movable')['id']
    first = admin.show(uuid)['OS-EXT-SRV-ATTR:host']
    cells = cloud.deployment.hosts
    other = next(host for host, cell in cells.items() if cell == cells[first] and host != first)
    demo.act(uuid, 'shelve', status='SHELVED_OFFLOADED')
    assert admin.call('POST', f'/servers/{uuid}/action', {'unshelve': {'host': other}}).status_code == 202
    demo.wait(uuid, 'ACTIVE')
    assert admin.show(uuid)['OS-EXT-SRV-ATTR:host'] == other


def test_a_shelved_server_is_deleted_with_its_image(demo):
    uuid = demo.booted('gone')['id']
    demo.act(uuid, 'shelve', status='SHELVED_OFFLOADED')
    demo.delete(uuid)
    until(lambda: 'gone-shelved' not in images(demo), told=lambda: images(demo))
