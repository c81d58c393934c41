"""Console output, diagnostics, passwords and crash dumps from outside."""

import pytest

from nova import errors
from nova.objects import task as rows
from nova.tests.api import cloud as clouds

SEEN = {'state': 'running', 'driver': 'libvirt', 'hypervisor': 'kvm', 'num_cpus': 1, 'more': 'hidden',
        'cpu_details': [{'id': 0, 'time': 17}], 'disk_details': [{'read_bytes': 3}],
        'nic_details': [{'mac_address': 'fa:16:3e:00:00:01', 'rx_octets': 9}],
        'memory_details': {'maximum': 512, 'used': 64}}


def act(cloud, server, key, body=None, version='2.90', headers=clouds.MEMBER):
    return cloud.call('POST', f'/servers/{server.uuid}/action', version, headers, json={key: body})


def begun(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


@pytest.fixture
def server(cloud):
    cloud.host('host1')
    return cloud.server(host='host1')


# Console output ----------------------------------------------------------------------------------

@pytest.mark.parametrize(('body', 'lines'), [
    ({}, None), ({'length': None}, None), ({'length': -1}, None), ({'length': '-1'}, None), ({'length': 0}, 0),
    ({'length': '7'}, 7)])
def test_the_host_is_asked_for_the_console(cloud, server, body, lines):
    cloud.seen = 'one\n\x1b[31mtwo\x00\tthree\r\n'
    answer = act(cloud, server, 'os-getConsoleOutput', body)
    assert (answer.status_code, answer.json) == (200, {'output': 'one\n[31mtwo\tthree\r\n'})
    assert cloud.looks == [('cell1', 'host1', 'console_output', lines)]
    assert begun(cloud, server) == []


@pytest.mark.parametrize('body', [
    {'length': -2}, {'length': 'x'}, {'length': 1.5}, {'length': [1]}, {'more': 1}, None])
def test_odd_lengths(cloud, server, body):
    assert act(cloud, server, 'os-getConsoleOutput', body).status_code == 400
    assert cloud.looks == []


def test_hosts_that_cannot_be_asked(cloud):
    """API-S1 exempts consoles, with a bounded timeout; whose host is away hears so at once."""
    cloud.host('down', disabled=False, forced_down=True)
    assert act(cloud, cloud.server(host='down'), 'os-getConsoleOutput', {}).status_code == 503
    assert act(cloud, cloud.server(), 'os-getConsoleOutput', {}).status_code == 409
    assert cloud.looks == []


@pytest.mark.parametrize(('error', 'code'), [
    (errors.virt.GuestNotFound(server='x'), 404), (errors.bus.BusAway(), 503),
    (errors.virt.DriverFailed(reason='broken'), 500)])
def test_what_the_host_says_the_user_hears(cloud, server, error, code):
    cloud.seen = error
    answer = act(cloud, server, 'os-getConsoleOutput', {})
    assert answer.status_code == code and 'host1' not in answer.text


def test_a_locked_server_in_any_state_can_be_looked_at(cloud, server):
    server = cloud.server(host='host1', vm_state='error', task_state='deleting', locked_by='admin')
    assert act(cloud, server, 'os-getConsoleOutput', {}).status_code == 200
    assert act(cloud, server, 'os-getConsoleOutput', {}, headers=clouds.READER).status_code == 403


# Diagnostics -------------------------------------------------------------------------------------

def diagnostics(cloud, server, version, headers=clouds.ADMIN):
    return cloud.call('GET', f'/servers/{server.uuid}/diagnostics', version, headers)


def test_diagnostics_look_the_same_from_2_48_on(cloud, server):
    cloud.seen = SEEN
    shown = diagnostics(cloud, server, '2.48').json
    assert shown['state'] == 'running' and shown['uptime'] is None and 'more' not in shown
    assert shown['cpu_details'] == [{'id': 0, 'time': 17, 'utilisation': None}]
    assert shown['disk_details'][0]['errors_count'] is None and shown['config_drive'] is False
    assert shown['memory_details'] == {'maximum': 512, 'used': 64}


def test_before_2_48_they_are_counters(cloud, server):
    cloud.seen = SEEN
    assert diagnostics(cloud, server, '2.47').json == {
        'cpu0_time': 17, 'disk0_read': 3, 'vnet0_rx': 9, 'memory': 512 * 1024, 'memory-actual': 64 * 1024}


def test_diagnostics_are_for_administrators(cloud, server):
    assert diagnostics(cloud, server, '2.48', clouds.MEMBER).status_code == 403
    assert diagnostics(cloud, cloud.server(), '2.48').status_code == 409


# Passwords and dumps -----------------------------------------------------------------------------

def test_a_password_is_sealed_on_its_way(cloud, server):
    assert act(cloud, server, 'changePassword', {'adminPass': 's3cret'}).status_code == 202
    task, = begun(cloud, server)
    assert (task.action, cloud.instance(server.uuid).task_state) == ('changePassword', 'updating_password')
    assert 's3cret' not in str(task.state)
    hidden = task.state['nova_object.data']['password']
    assert cloud.clients.trust.reveal(hidden) == 's3cret'


@pytest.mark.parametrize('body', [
    {}, None, {'adminPass': 7}, {'adminPass': None}, {'adminPass': 'x', 'more': 1}])
def test_what_is_no_password(cloud, server, body):
    assert act(cloud, server, 'changePassword', body).status_code == 400


@pytest.mark.parametrize('vm_state', ['stopped', 'paused', 'error'])
def test_only_a_guest_that_runs_can_set_it(cloud, vm_state):
    server = cloud.server(host='host1', vm_state=vm_state)
    assert act(cloud, server, 'changePassword', {'adminPass': 'x'}).status_code == 409


@pytest.mark.parametrize(('vm_state', 'code'), [('active', 202), ('paused', 202), ('rescued', 202),
                                                ('resized', 202), ('error', 202), ('stopped', 409)])
def test_crash_dumps(cloud, vm_state, code):
    server = cloud.server(host='host1', vm_state=vm_state)
    assert act(cloud, server, 'trigger_crash_dump').status_code == code
    assert [task.action for task in begun(cloud, server)] == ['trigger_crash_dump'] * (code == 202)
    assert cloud.instance(server.uuid).task_state is None


def test_crash_dumps_came_with_2_17(cloud, server):
    assert act(cloud, server, 'trigger_crash_dump', version='2.16').status_code == 404
    assert act(cloud, server, 'trigger_crash_dump', {}).status_code == 400
    assert act(cloud, cloud.server(), 'trigger_crash_dump').status_code == 409
