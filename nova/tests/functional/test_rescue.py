"""Rescue and back over the whole cloud, of a server that boots from a volume too."""

import pytest

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


@pytest.mark.parametrize('of_volume', [False, True])
def test_there_and_back(demo, of_volume):
    more = demo.on_volume() if of_volume else {}
    uuid = demo.booted('sick', **more)['id']
    demo.act(uuid, 'os-stop', status='SHUTOFF')
    answer = demo.call('POST', f'/servers/{uuid}/action', {'rescue': {'rescue_image_ref': demo.image}})
    assert answer.status_code == 200 and answer.json()['adminPass']
    assert demo.wait(uuid, 'RESCUE')['OS-EXT-STS:power_state'] == 1
    assert demo.act(uuid, 'unrescue', status='ACTIVE')['OS-EXT-STS:power_state'] == 1
    done = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [(each['action'], each['message']) for each in done[:2]] == [('unrescue', None), ('rescue', None)]
    demo.delete(uuid)
