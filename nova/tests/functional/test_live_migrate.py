"""Live migration over the whole cloud: there, there where one was told, not at all, and stopped on the way."""

import json

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.moving import SMALL, actions, attachments, held, host_of, migration_of

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]
AUTO = {'host': None, 'block_migration': 'auto'}


def migrate(admin, uuid, body=None, version='2.96'):
    return admin.call('POST', f'/servers/{uuid}/action', {'os-migrateLive': body or AUTO}, version=version)


def ended(admin, uuid, status):
    """Wait until the newest migration has this status, and the server rests."""
    until(lambda: migration_of(admin, uuid)['status'] == status
          and admin.show(uuid)['OS-EXT-STS:task_state'] is None, told=lambda: migration_of(admin, uuid))
    return migration_of(admin, uuid)


def other_of(host):
    """The other host of the cell."""
    return f'compute{(int(host[-1]) + 1) % 4 + 1}'


@pytest.mark.parametrize('status', ['ACTIVE', 'PAUSED'])
def test_a_server_moves_while_it_runs(demo, admin, status):
    uuid = demo.booted('alive')['id']
    if status == 'PAUSED':
        demo.act(uuid, 'pause', None, 'PAUSED')
    source = host_of(admin, uuid)
    assert migrate(admin, uuid).status_code == 202
    migration = ended(admin, uuid, 'completed')
    dest = host_of(admin, uuid)
    assert dest == other_of(source) and demo.show(uuid)['status'] == status
    assert (migration['migration_type'], migration['dest_compute']) == ('live-migration', dest)
    assert held(admin, uuid) == {dest: SMALL} and not held(admin, migration['uuid'])
    ports = admin.get(f'/v2.0/ports?device_id={uuid}', service='network')['ports']
    assert {port['binding:host_id'] for port in ports} == {dest}
    assert actions(demo, uuid)[0] == ('live-migration', None)
    assert migrate(admin, uuid, {'host': source, 'block_migration': True}).status_code == 202
    ended(admin, uuid, 'completed')
    assert host_of(admin, uuid) == source


def test_volumes_go_along(demo, admin):
    """VOL-S3: the destination has an attachment of its own, and in the end it is the only one."""
    volume = demo.call('POST', '/v3/volumes', {'volume': {'size': 1}}, service='volume').json()['volume']['id']
    until(lambda: demo.get(f'/v3/volumes/{volume}', service='volume')['volume']['status'] == 'available')
    uuid = demo.booted('loaded', block_device_mapping_v2=[
        {'source_type': 'image', 'destination_type': 'local', 'uuid': demo.image, 'boot_index': 0},
        {'source_type': 'volume', 'destination_type': 'volume', 'uuid': volume}])['id']
    (before, _), = attachments(admin, uuid)
    migrate(admin, uuid)
    ended(admin, uuid, 'completed')
    (after, status), = attachments(admin, uuid)
    assert (after != before, status) == (True, 'attached')
    demo.delete(uuid)
    demo.call('DELETE', f'/v3/volumes/{volume}', service='volume')


def test_hosts_that_will_not_do(demo, admin):
    """The checks refuse, and no other host is left: all is as before (VOL-S3, MIG-S3)."""
    uuid = demo.booted('stays')['id']
    source = host_of(admin, uuid)
    assert migrate(admin, uuid, {'host': None, 'block_migration': False}).status_code == 202
    migration = ended(admin, uuid, 'error')
    assert host_of(admin, uuid) == source and held(admin, uuid) == {source: SMALL}
    assert not held(admin, migration['uuid']) and demo.show(uuid)['status'] == 'ACTIVE'
    assert actions(demo, uuid)[0] == ('live-migration', 'Error')


def test_before_2_34_the_answer_waits_for_the_checks(demo, admin):
    """The user hears at once that no host will do, and all is as before by then."""
    uuid = demo.booted('asked')['id']
    source = host_of(admin, uuid)
    answer = migrate(admin, uuid, {'host': None, 'block_migration': False, 'disk_over_commit': False}, '2.1')
    assert answer.status_code == 400, answer.text
    assert demo.show(uuid)['OS-EXT-STS:task_state'] is None and demo.show(uuid)['status'] == 'ACTIVE'
    assert held(admin, uuid) == {source: SMALL} and migration_of(admin, uuid)['status'] == 'error'
    answer = migrate(admin, uuid, {'host': None, 'block_migration': False, 'disk_over_commit': False}, '2.24')
    assert answer.status_code == 400 and 'shared storage' in answer.json()['badRequest']['message'], answer.text
    answer = migrate(admin, uuid, {'host': None, 'block_migration': 'auto'}, '2.33')
    assert answer.status_code == 202, answer.text
    ended(admin, uuid, 'completed')
    assert migrate(admin, uuid, {'host': None, 'block_migration': False}, '2.34').status_code == 202
    ended(admin, uuid, 'error')


def test_another_cell_will_not_do(demo, admin):
    uuid = demo.booted('inside')['id']
    source = host_of(admin, uuid)
    elsewhere = f'compute{int(source[-1]) % 4 + 1}'
    assert migrate(admin, uuid, {'host': elsewhere, 'block_migration': 'auto'}).status_code == 202
    ended(admin, uuid, 'error')
    assert host_of(admin, uuid) == source


@pytest.mark.parametrize(('version', 'body', 'code'), [
    ('2.96', {'host': None}, 400), ('2.96', {'host': None, 'block_migration': 'maybe'}, 400),
    ('2.24', {'host': None, 'block_migration': 'auto', 'disk_over_commit': False}, 400),
    ('2.24', {'host': None, 'block_migration': True}, 400),
    ('2.30', {'host': None, 'block_migration': 'auto', 'force': True}, 400),
    ('2.68', {'host': 'compute1', 'block_migration': 'auto', 'force': True}, 400),
    ('2.96', {'host': 'nowhere', 'block_migration': 'auto'}, 400),
    ('2.96', {'host': 'the same', 'block_migration': 'auto'}, 400)])
def test_what_is_no_live_migration(demo, admin, version, body, code):
    uuid = demo.booted('odd')['id']
    if body['host'] == 'the same':
        body = {**body, 'host': host_of(admin, uuid)}
    assert migrate(admin, uuid, body, version).status_code == code


def test_a_host_is_forced(demo, admin):
    uuid = demo.booted('forced')['id']
    other = other_of(host_of(admin, uuid))
    body = {'host': other, 'block_migration': 'auto', 'force': True}
    assert migrate(admin, uuid, body, '2.67').status_code == 202
    ended(admin, uuid, 'completed')
    assert host_of(admin, uuid) == other


def test_who_may(demo):
    uuid = demo.booted('mine')['id']
    assert demo.call('POST', f'/servers/{uuid}/action', {'os-migrateLive': AUTO}).status_code == 403


def test_a_stopped_server_has_nothing_that_runs(demo, admin):
    uuid = demo.booted('stopped')['id']
    demo.act(uuid, 'os-stop', None, 'SHUTOFF')
    assert migrate(admin, uuid).status_code == 409


@pytest.fixture
def slow(cloud):
    """Live migrations take their time."""
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'live_migrate': {'do': 'last', 'seconds': 60}}))
    yield
    for file in files:
        file.unlink()


@pytest.fixture
def running(demo, admin, slow):
    """A server that is being migrated: its uuid and the path of the migration."""
    uuid = demo.booted('slow')['id']
    migrate(admin, uuid)
    until(lambda: migration_of(admin, uuid)['status'] == 'running', told=lambda: migration_of(admin, uuid))
    return uuid, f'/servers/{uuid}/migrations/{migration_of(admin, uuid)["id"]}'


def test_a_migration_is_aborted(demo, admin, running):
    """2.24: as if it had never been asked for; no fault, and both consumers are as before."""
    uuid, path = running
    source = host_of(admin, uuid)
    assert demo.show(uuid)['status'] == 'MIGRATING'
    assert demo.call('POST', f'/servers/{uuid}/action', {'os-stop': None}).status_code == 409
    assert admin.call('DELETE', path).status_code == 202
    migration = ended(admin, uuid, 'cancelled')
    assert host_of(admin, uuid) == source and demo.show(uuid)['status'] == 'ACTIVE'
    assert held(admin, uuid) == {source: SMALL} and not held(admin, migration['uuid'])
    assert [name for name, _ in actions(demo, uuid)] == ['live_migration_cancel', 'live-migration', 'create']
    assert admin.call('DELETE', path).status_code == 409
    demo.act(uuid, 'os-stop', None, 'SHUTOFF')


def test_a_migration_is_forced_to_complete(demo, admin, running):
    uuid, path = running
    source = host_of(admin, uuid)
    assert admin.call('POST', f'{path}/action', {'force_complete': None}).status_code == 202
    ended(admin, uuid, 'completed')
    assert host_of(admin, uuid) == other_of(source)
    assert actions(demo, uuid)[0][0] == 'live_migration_force_complete'


def test_a_migration_is_shown(demo, admin, running):
    """MIG-S1: 2.23, 2.59, 2.80."""
    uuid, path = running
    number = path.rpartition('/')[2]
    shown = admin.get(path, version='2.80')['migration']
    assert (shown['server_uuid'], shown['status'], shown['source_compute']) == (
        uuid, 'running', host_of(admin, uuid))
    assert {'memory_total_bytes', 'disk_remaining_bytes', 'uuid', 'project_id'} <= set(shown)
    assert 'uuid' not in admin.get(path, version='2.58')['migration']
    listed, = admin.get(f'/servers/{uuid}/migrations')['migrations']
    assert str(listed['id']) == number
    everywhere, = admin.get(f'/os-migrations?instance_uuid={uuid}')['migrations']
    assert path in everywhere['links'][0]['href']
    assert admin.call('GET', f'/servers/{uuid}/migrations/0').status_code == 404
    assert admin.call('DELETE', f'/servers/{uuid}/migrations/0').status_code == 404
    assert admin.call('POST', f'/servers/{uuid}/migrations/0/action',
                      {'force_complete': None}).status_code == 400
    assert demo.call('GET', path).status_code == 403


def test_a_server_is_deleted_while_it_moves(demo, admin, running):
    uuid, _ = running
    demo.delete(uuid)
    migration = migration_of(admin, uuid)
    assert migration['status'] == 'cancelled' and not held(admin, migration['uuid']) and not held(admin, uuid)


def test_a_migration_that_has_not_begun_is_aborted(cloud, demo, admin):
    """2.65: also while the destination prepares itself."""
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps({'prepare_live_migration': {'do': 'last', 'seconds': 6}}))
    uuid = demo.booted('early')['id']
    source = host_of(admin, uuid)
    migrate(admin, uuid)
    until(lambda: migration_of(admin, uuid)['status'] == 'preparing', told=lambda: migration_of(admin, uuid))
    path = f'/servers/{uuid}/migrations/{migration_of(admin, uuid)["id"]}'
    assert admin.call('DELETE', path, version='2.64').status_code == 400
    assert admin.call('POST', f'{path}/action', {'force_complete': None}).status_code == 400
    assert admin.call('DELETE', path).status_code == 202
    ended(admin, uuid, 'cancelled')
    assert host_of(admin, uuid) == source and held(admin, uuid) == {source: SMALL}
    for file in files:
        file.unlink()


def test_migrations_are_paged_over_cells(demo, admin):
    """LST-S5, 2.59: the newest first; concatenated pages are all there is."""
    for number in range(4):
        uuid = demo.booted(f'page{number}')['id']
        migrate(admin, uuid)
        ended(admin, uuid, 'completed')
    every = [each['uuid'] for each in admin.get('/os-migrations')['migrations']]
    seen, path = [], '/os-migrations?limit=3'
    while path:
        page = admin.get(path)
        seen += [each['uuid'] for each in page['migrations']]
        links = page.get('migrations_links')
        path = links and '/os-migrations?' + links[0]['href'].partition('?')[2]
    assert seen == every and len(every) >= 4
    assert admin.call('GET', '/os-migrations?marker=none').status_code == 400
    assert admin.get('/os-migrations?status=nothing')['migrations'] == []
    assert admin.call('GET', '/os-migrations?more=1').status_code == 400
    assert admin.call('GET', '/os-migrations?more=1', version='2.58').status_code == 200
    assert demo.call('GET', '/os-migrations').status_code == 403
