"""shelve, shelveOffload and unshelve from outside."""

import datetime

import pytest

from nova import objects
from nova.common import clock
from nova.objects import task as rows
from nova.ops.shelve import offload_due
from nova.task import journal
from nova.tests.api import cloud as clouds


def act(cloud, server, key, body=None, version='2.91', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


def offloaded(cloud, **values):
    return cloud.server(vm_state='shelved_offloaded', host=None, system_metadata={
        'shelved_image_id': cloud.image_id, 'shelved_at': '2026-01-01T00:00:00Z'}, **values)


@pytest.mark.parametrize('vm_state', ['active', 'stopped', 'paused', 'suspended'])
def test_shelve(cloud, vm_state):
    server = cloud.server(host='host1', vm_state=vm_state)
    assert act(cloud, server, 'shelve').status_code == 202
    task, = begun(cloud, server)
    assert (task.action, cloud.instance(server.uuid).task_state) == ('shelve', 'shelving')
    assert task.state['nova_object.data']['values']['name'] == 'one-shelved'


def test_a_server_on_a_volume_needs_no_image(cloud):
    server = cloud.server(host='host1', image_ref=None, block_devices=[objects.BlockDeviceMapping(
        source_type='volume', destination_type='volume', boot_index=0, device_name='/dev/vda',
        volume_id='20000000-0000-4000-8000-000000000001')])
    assert act(cloud, server, 'shelve').status_code == 202
    assert begun(cloud, server)[0].state['nova_object.data']['of_volumes']


def test_states_and_roles(cloud):
    for key, vm_state in (('shelve', 'shelved'), ('shelve', 'error'), ('shelveOffload', 'active'),
                          ('unshelve', 'active')):
        assert act(cloud, cloud.server(host='host1', vm_state=vm_state), key,
                   headers=clouds.ADMIN).status_code == 409, key
    assert act(cloud, cloud.server(host='host1', vm_state='shelved'), 'shelveOffload').status_code == 403
    server = cloud.server(host='host1', vm_state='shelved')
    assert act(cloud, server, 'shelveOffload', headers=clouds.ADMIN).status_code == 202
    assert cloud.instance(server.uuid).task_state == 'shelving_offloading'
    assert act(cloud, cloud.server(host='host1', locked_by='owner'), 'shelve').status_code == 409


def test_unshelve(cloud):
    server = offloaded(cloud)
    assert act(cloud, server, 'unshelve', version='2.1').status_code == 202
    state = begun(cloud, server)[0].state['nova_object.data']
    assert (state['offloaded'], state['image_id'], state['pins']) == (True, cloud.image_id, False)
    here = cloud.server(host='host1', vm_state='shelved')
    assert act(cloud, here, 'unshelve').status_code == 202


def test_zones_since_2_77(cloud):
    cloud.host('host1', zone='zone-2')
    assert act(cloud, offloaded(cloud), 'unshelve', {'availability_zone': 'x'}, '2.76').status_code == 202
    missing = {'availability_zone': 'none such'}
    assert act(cloud, offloaded(cloud), 'unshelve', missing, '2.77').status_code == 400
    server = offloaded(cloud)
    assert act(cloud, server, 'unshelve', {'availability_zone': 'zone-2'}, '2.77').status_code == 202
    state = begun(cloud, server)[0].state['nova_object.data']
    assert (state['pins'], state['pin']) == (True, 'zone-2')
    here = cloud.server(host='host1', vm_state='shelved')
    assert act(cloud, here, 'unshelve', {'availability_zone': 'zone-2'}, '2.77').status_code == 409


@pytest.mark.parametrize(('version', 'body'), [
    ('2.77', {}), ('2.77', {'availability_zone': None}), ('2.90', {'host': 'h'}), ('2.91', {}),
    ('2.91', {'host': None}), ('2.91', {'host': 7}), ('2.91', {'more': 1}), ('2.91', 'now')])
def test_what_makes_no_sense(cloud, version, body):
    assert act(cloud, offloaded(cloud), 'unshelve', body, version, clouds.ADMIN).status_code == 400


def test_hosts_since_2_91(cloud):
    """Servers of the test's cloud are pinned to zone-1."""
    cloud.host('host1', zone='zone-1')
    cloud.host('host2', zone='zone-2')

    def ask(headers=clouds.ADMIN, **body):
        return act(cloud, offloaded(cloud), 'unshelve', body, '2.91', headers).status_code
    assert ask(clouds.MEMBER, host='host1') == 403
    assert ask(host='none such') == 400
    assert ask(host='host1') == 202 and ask(host='host2') == 409
    assert ask(host='host2', availability_zone=None) == 202
    assert ask(host='host2', availability_zone='zone-2') == 202
    assert ask(host='host2', availability_zone='zone-1') == 409
    assert ask(clouds.MEMBER, availability_zone=None) == 202


def test_who_has_been_shelved_for_long_leaves_his_host(cloud):
    def shelved(seconds):
        when = clock.isotime(clock.utcnow() - datetime.timedelta(seconds=seconds))
        return cloud.server(host='host1', vm_state='shelved', system_metadata={'shelved_at': when})
    old, young = shelved(600), shelved(60)
    begun_now = offload_due.begin_due(journal.Journal(cloud.db(1)), 300)
    assert [task.instance_uuid for task in begun_now] == [old.uuid] and begun(cloud, young) == []
    assert offload_due.begin_due(journal.Journal(cloud.db(1)), 300) == []
