"""From POST /servers to ACTIVE and back to nothing, over two cells and cell0."""

import base64
import time

import pytest

from nova.common import dbkit
from nova.db import tasks as tables
from nova.tests.fixtures.waiting import until

pytestmark = pytest.mark.usefixtures('nothing_leaks')


def test_a_server_becomes_active(demo, admin):
    """CEL-S1, CLM-S1: visible at every instant, claimed in Placement, with a network and an action."""
    answer = demo.boot('first')
    assert answer.status_code == 202
    uuid = answer.json()['server']['id']
    assert answer.headers['Location'].endswith(f'/servers/{uuid}')
    assert demo.call('GET', f'/servers/{uuid}').status_code == 200
    server = demo.wait(uuid, 'ACTIVE')
    assert server['OS-EXT-STS:power_state'] == 1
    assert server['addresses']['private'][0]['addr']
    assert 'OS-EXT-SRV-ATTR:host' not in server
    assert admin.show(uuid)['OS-EXT-SRV-ATTR:host'].startswith('compute')
    held = admin.get(f'/allocations/{uuid}', service='placement')['allocations']
    assert [one['resources'] for one in held.values()] == [{'VCPU': 1, 'MEMORY_MB': 512, 'DISK_GB': 1}]
    actions = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    assert [action['action'] for action in actions] == ['create']
    assert actions[0]['message'] is None


def test_servers_land_in_both_cells(demo, admin):
    answer = demo.boot('many', min_count=8, max_count=8)
    assert answer.status_code == 202, answer.text
    servers = demo.get('/servers')['servers']
    assert len(servers) == 8
    hosts = {demo.wait(server['id'], 'ACTIVE') and admin.show(server['id'])['OS-EXT-SRV-ATTR:host']
             for server in servers}
    assert {int(host.removeprefix('compute')) % 2 for host in hosts} == {0, 1}


def test_no_host_ends_in_cell0_and_says_why(demo, admin):
    """CEL-S2, CLM-F1: ERROR with a usable message, nothing claimed, deletable."""
    flavor = admin.call('POST', '/flavors', {'flavor': {
        'name': 'huge', 'vcpus': 1, 'ram': 64, 'disk': 10 ** 7}}).json()['flavor']
    answer = demo.boot('huge', flavorRef=flavor['id'])
    assert answer.status_code == 202
    server = demo.wait(answer.json()['server']['id'], 'ERROR')
    assert 'No valid host' in server['fault']['message']
    assert 'DISK_GB' in server['fault']['message']
    assert server['fault']['code'] == 500 and 'details' not in server['fault']
    assert 'free capacity' in admin.show(server['id'])['fault']['details']
    assert admin.get(f'/allocations/{server["id"]}', service='placement')['allocations'] == {}
    action, = demo.get(f'/servers/{server["id"]}/os-instance-actions')['instanceActions']
    assert (action['action'], action['message']) == ('create', 'Error')
    path = f'/servers/{server["id"]}/os-instance-actions/{action["request_id"]}'
    event, = demo.get(path)['instanceAction']['events']
    assert event['start_time'] <= event['finish_time']
    demo.delete(server['id'])
    assert admin.call('DELETE', f'/flavors/{flavor["id"]}').status_code == 202


@pytest.mark.parametrize('pause', [0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4])
def test_delete_at_any_instant(demo, pause):
    """CEL-F1: whoever takes the BuildRequest decides; nothing survives."""
    uuid = demo.boot('brief').json()['server']['id']
    time.sleep(pause)
    demo.delete(uuid)


def test_delete_twice_is_still_204(demo):
    uuid = demo.booted('twice')['id']
    first, second = (demo.call('DELETE', f'/servers/{uuid}').status_code for _ in range(2))
    assert first == 204
    assert second in (204, 404)
    demo.gone(uuid)


@pytest.mark.parametrize('steps', [
    [('os-stop', 'SHUTOFF'), ('os-start', 'ACTIVE')],
    [('pause', 'PAUSED'), ('unpause', 'ACTIVE')],
    [('suspend', 'SUSPENDED'), ('resume', 'ACTIVE')],
], ids=lambda steps: steps[0][0])
def test_there_and_back(demo, steps):
    uuid = demo.booted('mover')['id']
    for action, status in steps:
        demo.act(uuid, action, None, status)
    assert demo.call('POST', f'/servers/{uuid}/action', {steps[1][0]: None}).status_code == 409


@pytest.mark.parametrize('kind', ['SOFT', 'HARD'])
def test_reboot(demo, kind):
    uuid = demo.booted('rebooted')['id']
    demo.act(uuid, 'reboot', {'type': kind}, 'ACTIVE')
    found = demo.get(f'/servers/{uuid}/os-instance-actions')['instanceActions']
    names = [action['action'] for action in found]
    assert names == ['reboot', 'create']


def test_a_locked_server_keeps_its_owner_out(demo, admin):
    uuid = demo.booted('locked')['id']
    demo.act(uuid, 'lock')
    assert demo.show(uuid)['locked'] is True
    assert demo.call('POST', f'/servers/{uuid}/action', {'pause': None}).status_code == 409
    assert demo.call('DELETE', f'/servers/{uuid}').status_code == 409
    admin.act(uuid, 'pause', None, 'PAUSED')
    demo.act(uuid, 'unlock')
    demo.act(uuid, 'unpause', None, 'ACTIVE')


def test_reset_state_is_the_administrators(demo, admin):
    uuid = demo.booted('reset')['id']
    refused = demo.call('POST', f'/servers/{uuid}/action', {'os-resetState': {'state': 'error'}})
    assert refused.status_code == 403
    admin.act(uuid, 'os-resetState', {'state': 'error'}, 'ERROR')
    admin.act(uuid, 'os-resetState', {'state': 'active'}, 'ACTIVE')


def test_update(demo):
    uuid = demo.booted('before')['id']
    answer = demo.call('PUT', f'/servers/{uuid}', {'server': {'name': 'after', 'description': 'words'}})
    assert answer.status_code == 200, answer.text
    assert (demo.show(uuid)['name'], demo.show(uuid)['description']) == ('after', 'words')


def _remembered(cloud):
    """Everything that tasks keep in any database, and hosts in their journals."""
    deployment, found = cloud.deployment, []
    for name in ('api', 'cell0', *deployment.cells):
        db = dbkit.Database(deployment.database(name))
        with db.read() as conn:
            found += [str(row.state) for row in conn.execute(tables.tasks.select())]
        db.dispose()
    return ''.join(found + [file.read_text() for file in deployment.directory.rglob('steps/*.json')])


def test_what_a_build_was_told_in_confidence_is_forgotten(cloud, demo):
    """Files for the guest, and the token that makes its volume, are nowhere once it runs."""
    secret = base64.b64encode(b'between us').decode()
    answer = demo.boot('files', version='2.56', personality=[{'path': '/root/secret', 'contents': secret}],
                       block_device_mapping_v2=[{
                           'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1,
                           'boot_index': -1, 'delete_on_termination': True}])
    assert answer.status_code == 202, answer.text
    server = demo.wait(answer.json()['server']['id'], 'ACTIVE')
    assert len(server['os-extended-volumes:volumes_attached']) == 1
    until(lambda: secret not in _remembered(cloud))
    kept = _remembered(cloud)
    assert server['id'] in kept and 'gAAAA' not in kept and demo.token not in kept
