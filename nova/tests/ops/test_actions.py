"""The small rooms from outside: states they start from, what they begin, what they answer."""

import pytest

from nova import objects
from nova.objects import task as rows
from nova.task import flow as flows
from nova.tests.api import cloud as clouds


def act(cloud, server, key, body=None, version='2.90', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def open_task(cloud, server):
    with cloud.db(1).read() as conn:
        return next((task for task in rows.of_instance(conn, server.uuid) if task.status == rows.READY), None)


@pytest.mark.parametrize(('key', 'body', 'vm_state', 'flow', 'shows'), [
    ('os-start', None, 'stopped', 'start', 'powering-on'),
    ('os-stop', None, 'active', 'stop', 'powering-off'),
    ('os-stop', None, 'error', 'stop', 'powering-off'),
    ('reboot', {'type': 'Soft'}, 'active', 'reboot', 'rebooting'),
    ('reboot', {'type': 'HARD'}, 'stopped', 'reboot', 'rebooting_hard'),
    ('pause', None, 'active', 'pause', 'pausing'),
    ('unpause', None, 'paused', 'unpause', 'unpausing'),
    ('suspend', None, 'active', 'suspend', 'suspending'),
    ('resume', None, 'suspended', 'resume', 'resuming'),
    ('forceDelete', None, 'soft-delete', 'delete', 'deleting'),
])
def test_an_operation_begins(cloud, key, body, vm_state, flow, shows):
    server = cloud.server(vm_state=vm_state, host='host1')
    assert act(cloud, server, key, body).status_code == 202
    task = open_task(cloud, server)
    assert (task.flow, task.action) == (flow, flow)
    assert cloud.instance(server.uuid).task_state == shows
    above = flows.find(flow).looks_above()
    assert cloud.woken == [(None if above else 'cell1', task.uuid)]


@pytest.mark.parametrize(('key', 'body', 'vm_state'), [
    ('os-start', None, 'active'), ('os-stop', None, 'stopped'), ('reboot', {'type': 'SOFT'}, 'stopped'),
    ('reboot', {'type': 'HARD'}, 'rescued'), ('pause', None, 'stopped'), ('unpause', None, 'active'),
    ('suspend', None, 'paused'), ('resume', None, 'active'), ('restore', None, 'active'),
])
def test_the_wrong_state_is_a_conflict(cloud, key, body, vm_state):
    server = cloud.server(vm_state=vm_state, host='host1')
    answer = act(cloud, server, key, body)
    assert answer.status_code == 409
    assert f'while it is in vm_state {vm_state}' in answer.json['conflictingRequest']['message']
    assert open_task(cloud, server) is None


def test_one_operation_at_a_time(cloud):
    server = cloud.server(host='host1')
    assert act(cloud, server, 'pause').status_code == 202
    answer = act(cloud, server, 'suspend')
    assert answer.status_code == 409 and 'task_state pausing' in answer.json['conflictingRequest']['message']


def test_a_hard_reboot_waits_for_no_state_but_for_its_turn(cloud):
    server = cloud.server(host='host1', task_state='pausing')
    assert act(cloud, server, 'reboot', {'type': 'HARD'}).status_code == 202
    assert act(cloud, server, 'reboot', {'type': 'HARD'}).status_code == 409


@pytest.mark.parametrize('body', [{}, {'type': 'WARM'}, {'type': 'SOFT', 'more': 1}, None])
def test_a_reboot_says_which_kind(cloud, body):
    assert act(cloud, cloud.server(host='host1'), 'reboot', body).status_code == 400


def test_a_locked_server_is_the_administrators(cloud):
    server = cloud.server(host='host1')
    assert act(cloud, server, 'lock', {'locked_reason': 'mine'}).status_code == 202
    kept = cloud.instance(server.uuid)
    assert (kept.locked_by, kept.system_metadata) == ('owner', {'locked_reason': 'mine'})
    assert act(cloud, server, 'pause').status_code == 409
    assert cloud.call('DELETE', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 409
    assert act(cloud, server, 'unlock').status_code == 202
    kept = cloud.instance(server.uuid)
    assert (kept.locked_by, kept.system_metadata) == (None, {})
    assert act(cloud, server, 'pause').status_code == 202
    with cloud.db(1).read() as conn:
        assert {task.action for task in rows.of_instance(conn, server.uuid)} == {'lock', 'unlock', 'pause'}


def test_an_administrators_lock_needs_the_override(cloud):
    server = cloud.server(project_id=clouds.OTHER)
    assert act(cloud, server, 'lock', headers=clouds.ADMIN).status_code == 202
    assert cloud.instance(server.uuid).locked_by == 'admin'
    assert act(cloud, server, 'lock', headers=clouds.STRANGER).status_code == 202
    assert cloud.instance(server.uuid).locked_by == 'admin'
    assert act(cloud, server, 'unlock', headers=clouds.STRANGER).status_code == 403
    assert act(cloud, server, 'unlock', headers=clouds.ADMIN).status_code == 202


def test_before_2_73_a_lock_has_no_reason(cloud):
    server = cloud.server()
    assert act(cloud, server, 'lock', {'locked_reason': 'x'}, version='2.72').status_code == 202
    assert not cloud.instance(server.uuid).system_metadata
    assert act(cloud, server, 'lock', {'locked_reason': ''}).status_code == 400


def test_reset_state(cloud):
    server = cloud.server(vm_state='error', task_state='deleting')
    assert act(cloud, server, 'os-resetState', {'state': 'active'}).status_code == 403
    assert act(cloud, server, 'os-resetState', {'state': 'paused'}, headers=clouds.ADMIN).status_code == 400
    assert act(cloud, server, 'os-resetState', {'state': 'active'}, headers=clouds.ADMIN).status_code == 202
    kept = cloud.instance(server.uuid)
    assert (kept.vm_state, kept.task_state) == ('active', None)


# Deleting ----------------------------------------------------------------------------------------

def test_delete_is_repeatable(cloud):
    server = cloud.server(host='host1')
    for _ in range(2):
        assert cloud.call('DELETE', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 204
    with cloud.db(1).read() as conn:
        assert [task.flow for task in rows.of_instance(conn, server.uuid)] == ['delete']
    assert cloud.instance(server.uuid).task_state == 'deleting'


def test_delete_comes_before_a_running_operation(cloud):
    server = cloud.server(host='host1')
    assert act(cloud, server, 'pause').status_code == 202
    assert cloud.call('DELETE', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 204
    assert act(cloud, server, 'reboot', {'type': 'HARD'}).status_code == 409


def test_a_server_without_a_cell_is_withdrawn(cloud):
    """CEL-F1: at once, and the quota is free."""
    server = cloud.server(cell=None)
    assert cloud.call('DELETE', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 204
    assert cloud.call('GET', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 404
    assert cloud.call('DELETE', f'/servers/{server.uuid}', headers=clouds.MEMBER).status_code == 404
    with cloud.dbs.api.read() as conn:
        assert objects.InstanceMapping.get(conn, instance_uuid=server.uuid).queued_for_delete
    assert not cloud.woken


def test_deleted_servers_may_be_kept_for_a_while(cloud):
    cloud.conf.set_override('reclaim_instance_interval', 60)
    server, never_up = cloud.server(host='host1'), cloud.server(launched_at=None, vm_state='error')
    for each, flow in ((server, 'soft_delete'), (never_up, 'delete')):
        assert cloud.call('DELETE', f'/servers/{each.uuid}', headers=clouds.MEMBER).status_code == 204
        assert open_task(cloud, each).flow == flow


def test_restore_counts_the_server_again(cloud):
    server = cloud.server(host='host1', vm_state='soft-delete')
    cloud.dbs.api.write(lambda conn: objects.InstanceMapping.queue_for_delete(conn, server.uuid))
    cloud.conf.set_override('instances', 0, 'quota')
    assert act(cloud, server, 'restore').status_code == 403
    cloud.conf.set_override('instances', 1, 'quota')
    assert act(cloud, server, 'restore').status_code == 202
    with cloud.dbs.api.read() as conn:
        assert not objects.InstanceMapping.get(conn, instance_uuid=server.uuid).queued_for_delete
    assert cloud.instance(server.uuid).task_state == 'restoring'


# Updating ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('cell', [None, 1])
def test_update(cloud, cell):
    server = cloud.server(cell=cell)
    answer = cloud.call('PUT', f'/servers/{server.uuid}', '2.94', clouds.MEMBER, json={'server': {
        'name': 'new', 'description': None, 'hostname': 'new.example', 'accessIPv4': '192.0.2.7',
        'accessIPv6': '0000:0000:0000:0000:0000:babe:220.12.22.2', 'OS-DCF:diskConfig': 'MANUAL'}})
    assert answer.status_code == 200, answer.json
    shown = answer.json['server']
    assert (shown['name'], shown['accessIPv4'], shown['OS-DCF:diskConfig']) == ('new', '192.0.2.7', 'MANUAL')
    assert shown['accessIPv6'] == '::babe:dc0c:1602'
    again = cloud.call('GET', f'/servers/{server.uuid}', '2.94', clouds.MEMBER).json['server']
    assert (again['name'], again['OS-EXT-SRV-ATTR:hostname']) == ('new', 'new.example')


def test_a_server_is_pinned_to_the_zone_it_is_in(cloud):
    server = cloud.server(availability_zone='zone-1')

    def pin(zone):
        return cloud.call('PUT', f'/servers/{server.uuid}', '2.104', clouds.MEMBER,
                          json={'server': {'pinned_availability_zone': zone}}).status_code
    assert pin('zone-2') == 409
    assert pin(None) == 200
    assert pin('zone-2') == 409
    assert pin('zone-1') == 200
