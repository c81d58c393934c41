"""Ports that are plugged in late, the network service telling so over HTTP, and servers that wait for it."""


import pytest

from nova.steps import ports
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks

pytestmark = pytest.mark.usefixtures('clean')


@pytest.fixture
def plugging(cloud, admin):
    """Says how ports are plugged in; ends that again."""
    url = cloud.deployment.url('sandbox') + '/plugging'

    def script(tells=True, **how):
        token = {'token': admin.token} if tells else {}
        assert admin.http.put(url, json={**token, **how}).status_code == 204
    yield script
    admin.http.delete(url)


@pytest.fixture
def clean(cloud, demo, admin):
    yield
    leaks.end(cloud, admin, demo)


def events(admin, uuid):
    action, = admin.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    found = admin.get(f'/servers/{uuid}/os-instance-actions/{action["request_id"]}')['instanceAction']
    return {event['event']: event['result'] for event in found['events']}


def port_of(demo, uuid):
    port, = demo.get(f'/v2.0/ports?device_id={uuid}', service='network')['ports']
    return port


def test_a_server_waits_for_its_port(demo, admin, plugging, monkeypatch):
    """The event is all it takes: nobody asks."""
    monkeypatch.setattr(ports, 'ASK_SECONDS', 10 ** 6)
    plugging(delay=0.4)
    server = demo.ended(demo.boot('late').json()['server']['id'])
    assert (server['status'], server['OS-EXT-STS:power_state']) == ('ACTIVE', 1)
    assert {'spawn', 'vifs_plugged', 'let_run'} <= set(events(admin, server['id']))
    assert port_of(demo, server['id'])['status'] == 'ACTIVE'


def test_an_event_may_come_before_anybody_waits(demo, plugging, monkeypatch):
    monkeypatch.setattr(ports, 'ASK_SECONDS', 10 ** 6)
    plugging(delay=0.0)
    for name in ('one', 'two', 'three'):
        server = demo.ended(demo.boot(name).json()['server']['id'])
        assert server['status'] == 'ACTIVE'


def test_an_event_that_is_lost_is_made_up_for(demo, plugging, monkeypatch):
    monkeypatch.setattr(ports, 'ASK_SECONDS', 1)
    plugging(tells=False, delay=0.2)
    server = demo.ended(demo.boot('untold').json()['server']['id'])
    assert server['status'] == 'ACTIVE'


def test_a_port_that_cannot_be_plugged_in_is_fatal(demo, admin, plugging):
    plugging(plugs=False, status='failed')
    server = demo.ended(demo.boot('deaf').json()['server']['id'])
    assert server['status'] == 'ERROR' and 'could not plug in' in server['fault']['message']
    assert events(admin, server['id'])['vifs_plugged'] == 'Error'


def test_a_delete_does_not_wait_for_a_port(demo, plugging):
    plugging(plugs=False, tells=False)
    uuid = demo.boot('unwanted').json()['server']['id']
    until(lambda: demo.show(uuid)['OS-EXT-STS:task_state'] == 'spawning')
    demo.delete(uuid)


def test_a_changed_network_is_shown(demo, admin, plugging):
    """As Neutron tells it after a port got another address."""
    uuid = demo.booted('moved')['id']
    port = port_of(demo, uuid)
    subnet = port['fixed_ips'][0]['subnet_id']
    changed = admin.call('PUT', f'/v2.0/ports/{port["id"]}', service='network', body={
        'port': {'fixed_ips': [{'subnet_id': subnet, 'ip_address': port['fixed_ips'][0]['ip_address']},
                               {'subnet_id': subnet}]}})
    assert changed.status_code == 200, changed.text
    told = admin.call('POST', '/os-server-external-events', {
        'events': [{'name': 'network-changed', 'server_uuid': uuid, 'tag': port['id']}]})
    assert told.status_code == 200, told.text
    wanted = {one['ip_address'] for one in changed.json()['port']['fixed_ips']}
    until(lambda: {one['addr'] for one in demo.show(uuid)['addresses']['private']} == wanted, 10,
          told=lambda: demo.show(uuid)['addresses'])
