"""Rebuilding over the whole cloud: local disks and volumes, servers that are on and off, and faults."""

import json

import pytest

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


@pytest.fixture(scope='module')
def other(demo):
    """Another image."""
    made = demo.call('POST', '/v2/images', {
        'name': 'other', 'disk_format': 'raw', 'container_format': 'bare'}, service='image').json()['id']
    demo.call('PUT', f'/v2/images/{made}/file', service='image', content=b'other',
              headers={'Content-Type': 'application/octet-stream'})
    yield made
    demo.call('DELETE', f'/v2/images/{made}', service='image')


@pytest.mark.parametrize('status', ['ACTIVE', 'SHUTOFF'])
@pytest.mark.parametrize('of_volume', [False, True])
def test_of_another_image(demo, other, status, of_volume):
    """It keeps its addresses and its volumes, and is off if it was."""
    more = demo.on_volume() if of_volume else {}
    before = demo.booted('old', **more)
    uuid = before['id']
    if status == 'SHUTOFF':
        demo.act(uuid, 'os-stop', status=status)
    demo.act(uuid, 'rebuild', {'imageRef': other, 'name': 'new'})
    after = demo.wait(uuid, status)
    assert after['name'] == 'new' and after['addresses'] == before['addresses']
    if of_volume:
        volume, = after['os-extended-volumes:volumes_attached']
        shown = demo.get(f'/v3/volumes/{volume["id"]}', service='volume')['volume']
        assert shown['volume_image_metadata']['image_id'] == other and shown['status'] == 'in-use'
    else:
        assert after['image']['id'] == other
    done = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions'][0]
    assert (done['action'], done['message']) == ('rebuild', None)
    demo.act(uuid, 'os-start' if status == 'SHUTOFF' else 'os-stop',
             status='ACTIVE' if status == 'SHUTOFF' else 'SHUTOFF')


def test_a_guest_that_cannot_be_made_again(cloud, demo):
    """The server is an error that says why, and is rebuilt once the reason is gone."""
    uuid = demo.booted('unlucky')['id']
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'spawn': {'do': 'fail', 'reason': 'no disk'}}))
    try:
        demo.act(uuid, 'rebuild', {'imageRef': demo.image})
        assert 'no disk' in demo.wait(uuid, 'ERROR')['fault']['message']
    finally:
        for file in files:
            file.unlink()
    demo.act(uuid, 'rebuild', {'imageRef': demo.image})
    demo.ended(uuid)
    assert demo.wait(uuid, 'ACTIVE')['OS-EXT-STS:power_state'] == 1
