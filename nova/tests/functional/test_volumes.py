"""Volumes that come to servers and leave them, over two cells, with Cinder's stand-in."""

import concurrent.futures
import json

import pytest
import sqlalchemy as sa

from nova import conf as nova_conf
from nova.cmd import manage
from nova.cmd.manage import command
from nova.common import dbkit
from nova.tests.fixtures.waiting import until
from nova.tests.functional import leaks
from nova.tests.functional.conftest import User, standalone
from nova.tests.functional.moving import host_of
from nova.tests.functional.test_evacuate import dead
from nova.tests.functional.test_live_migrate import ended
from nova.tests.functional.volumes import Volumes

EVERY = (1, 2, 3, 4)


@pytest.fixture
def volumes(demo):
    return Volumes(demo)


@pytest.fixture(autouse=True)
def nothing_leaks(cloud, admin, demo, volumes):
    """Invariants 1.13 at the quiet point after each test; every volume is free again."""
    yield
    leaks.end(cloud, admin, demo)
    for one in volumes.call('GET', '/volumes')['volumes']:
        volumes.wait(one['id'], 'available')
        volumes.call('DELETE', f'/volumes/{one["id"]}')


@pytest.fixture
def faulty(cloud, demo):
    """Scripts faults of Cinder and of hypervisors; ends them."""
    files = [cloud.deployment.directory / 'computes' / f'compute{number}' / 'faults.json' for number in EVERY]
    script = cloud.deployment.url('sandbox') + '/faults'

    def add(driver=None, **fault):
        if driver:
            for file in files:
                file.write_text(json.dumps(driver))
        else:
            assert demo.http.post(script, json={'service': 'volume', **fault}).status_code == 201

    def clear():
        demo.http.delete(script)
        for file in files:
            file.unlink(missing_ok=True)
    add.clear = clear
    yield add
    clear()


def last_action(demo, server):
    return demo.get(f'/servers/{server}/os-instance-actions')['instanceActions'][0]


def test_attach_and_detach(demo, volumes):
    """VOL-S1, VOL-S2, VOL-C2: 202 at once; in use when the guest has it; available when it has let go."""
    server, volume = demo.booted()['id'], volumes.make()
    answer = volumes.attach(server, volume, tag='data')
    assert (answer.status_code, answer.content) == (202, b'')
    volumes.wait(volume, 'in-use')
    one, = volumes.of(server)
    assert (one['volumeId'], one['device'], one['tag']) == (volume, '/dev/vdb', 'data')
    shown = volumes.show(volume)['attachments'][0]
    assert (shown['server_id'], shown['attachment_id'], shown['device']) == (
        server, one['attachment_id'], '/dev/vdb')
    assert demo.show(server)['os-extended-volumes:volumes_attached'] == [
        {'id': volume, 'delete_on_termination': False}]
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
    until(lambda: volumes.of(server) == [])
    actions = demo.get(f'/servers/{server}/os-instance-actions')['instanceActions']
    assert [(one['action'], one['message']) for one in actions] == [
        ('detach_volume', None), ('attach_volume', None), ('create', None)]


def test_back_as_soon_as_cinder_has_it(demo, volumes, faulty):
    """VOL-S2: Cinder says that the volume is free a moment before its device is forgotten here."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    faulty(method='DELETE', path='/attachments/', delay=1.0, after=True)
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
    answer = volumes.attach(server, volume)
    assert answer.status_code == 202, answer.text
    volumes.wait(volume, 'in-use')


def test_a_server_that_is_off(demo, volumes):
    server, volume = demo.booted()['id'], volumes.make()
    demo.act(server, 'os-stop', None, 'SHUTOFF')
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
    assert demo.show(server)['status'] == 'SHUTOFF'


def test_a_server_that_stands_still(demo, volumes):
    """A paused guest gets a volume; it lets go of it when it goes on."""
    server, volume = demo.booted()['id'], volumes.make()
    demo.act(server, 'pause', None, 'PAUSED')
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    assert volumes.detach(server, volume).status_code == 202
    until(lambda: last_action(demo, server)['message'] == 'Error')
    volumes.settled(server)
    volumes.wait(volume, 'in-use')
    demo.act(server, 'unpause', None, 'ACTIVE')
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')


def test_a_server_that_has_left_its_host(demo, volumes):
    """VOL-S6, 2.20: attach and detach touch the reservation only; who brings the server back connects it."""
    server, kept, lost = demo.booted()['id'], volumes.make(), volumes.make()
    demo.act(server, 'shelve', None, 'SHELVED_OFFLOADED')
    for volume in (kept, lost):
        assert volumes.attach(server, volume).status_code == 202
        volumes.settled(server)
        assert volumes.show(volume)['status'] == 'reserved'
    assert volumes.detach(server, lost).status_code == 202
    volumes.wait(lost, 'available')
    demo.act(server, 'unshelve', None, 'ACTIVE')
    volumes.wait(kept, 'in-use')
    assert [one['volumeId'] for one in volumes.of(server)] == [kept]


def test_twenty_at_once_to_one_server(demo, volumes):
    """VOL-F3, B 2160224: as if they had come one after another; then all leave at once."""
    server, many = demo.booted()['id'], [volumes.make() for _ in range(20)]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda volume: volumes.attach(server, volume, '2.60'), many))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    for volume in many:
        volumes.wait(volume, 'in-use', 60)
    names = {one['volumeId']: one['device'] for one in volumes.of(server)}
    assert sorted(names.values()) == [f'/dev/vd{chr(ord("b") + number)}' for number in range(20)]
    assert names == {answer.json()['volumeAttachment']['volumeId']: answer.json()['volumeAttachment']['device']
                     for answer in answers}
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda volume: volumes.detach(server, volume), many))
    assert {answer.status_code for answer in answers} == {202}
    for volume in many:
        volumes.wait(volume, 'available', 60)
    until(lambda: volumes.of(server) == [])


def test_one_volume_to_two_servers_at_once(demo, volumes):
    """VOL-F3: exactly one has it; the other was told so, and has nothing of it."""
    servers = [demo.booted(name)['id'] for name in ('one', 'two')]
    for _ in range(3):
        volume = volumes.make()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda server, volume=volume: volumes.attach(server, volume), servers))
        assert sorted(answer.status_code for answer in answers) == [202, 400], [
            answer.text for answer in answers]
        volumes.wait(volume, 'in-use')
        winner, = (server for server, answer in zip(servers, answers, strict=True)
                   if answer.status_code == 202)
        assert volume in [one['volumeId'] for one in volumes.of(winner)]
        assert sum(len(volumes.of(server)) for server in servers) == _ + 1


def test_the_same_volume_many_times(demo, volumes):
    """VOL-F3, B 1937375: one of them has it, once."""
    server, volume = demo.booted()['id'], volumes.make()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: volumes.attach(server, volume), range(8)))
    assert sorted(answer.status_code for answer in answers) == [202, *[400] * 7]
    volumes.wait(volume, 'in-use')
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: volumes.detach(server, volume), range(8)))
    assert {answer.status_code for answer in answers} <= {202, 404}
    volumes.wait(volume, 'available')
    volumes.settled(server)


def test_detached_before_it_was_attached(demo, volumes, faulty):
    """In the order of the requests, whatever takes how long."""
    server, volume = demo.booted()['id'], volumes.make()
    faulty(driver={'attach_volume': {'do': 'delay', 'seconds': 1}})
    assert volumes.attach(server, volume).status_code == 202
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
    volumes.settled(server)
    assert volumes.of(server) == []


def test_a_guest_that_does_not_let_go(demo, volumes, faulty):
    """VOL-S2: it keeps the volume, the server is as it was, and it can be tried again."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    faulty(driver={'detach_volume': {'do': 'fail', 'reason': 'device is busy'}})
    assert volumes.detach(server, volume).status_code == 202
    until(lambda: last_action(demo, server)['message'] == 'Error')
    assert demo.show(server)['status'] == 'ACTIVE' and len(volumes.of(server)) == 1
    assert volumes.show(volume)['status'] == 'in-use'
    faulty.clear()
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')


@pytest.mark.parametrize('fault', [
    {'driver': {'connect_volume': {'do': 'fail'}}},
    {'driver': {'connect_volume': {'do': 'fail', 'when': 'after'}}},
    {'driver': {'attach_volume': {'do': 'fail'}}},
    {'driver': {'attach_volume': {'do': 'fail', 'when': 'after'}}},
    {'method': 'PUT', 'path': 'attachments', 'status': 500, 'count': 0},
    {'method': 'PUT', 'path': 'attachments', 'status': 409, 'count': 0},
    {'method': 'PUT', 'path': 'attachments', 'status': 404, 'count': 0},
    {'method': 'POST', 'path': 'attachments/.*/action', 'status': 500, 'count': 0}], ids=str)
def test_what_cannot_be_attached_is_free_again(demo, volumes, faulty, fault):
    """VOL-F1: no device, no attachment; the server is as it was, and its action has failed."""
    server, volume = demo.booted()['id'], volumes.make()
    faulty(**fault)
    assert volumes.attach(server, volume).status_code == 202
    until(lambda: last_action(demo, server)['message'] == 'Error')
    faulty.clear()
    volumes.wait(volume, 'available')
    assert volumes.of(server) == [] and demo.show(server)['status'] == 'ACTIVE'
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')


@pytest.mark.parametrize('fault', [
    {'method': 'PUT', 'path': 'attachments', 'status': 503, 'count': 4},
    {'method': 'PUT', 'path': 'attachments', 'drop': True, 'after': True},
    {'method': 'POST', 'path': 'attachments/.*/action', 'drop': True, 'after': True},
    {'method': 'POST', 'path': 'attachments/.*/action', 'status': 504, 'after': True, 'count': 4},
    {'method': 'PUT', 'path': 'attachments', 'delay': 0.5, 'after': True}], ids=str)
def test_a_volume_service_that_comes_back_is_waited_for(demo, volumes, faulty, fault):
    server, volume = demo.booted()['id'], volumes.make()
    faulty(**fault)
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(server)
    assert last_action(demo, server)['message'] is None


@pytest.mark.parametrize('fault, status', [
    ({'status': 500, 'count': 0}, 503), ({'status': 409}, 400), ({'status': 404}, 404)], ids=str)
def test_reservations_that_are_refused(demo, volumes, faulty, fault, status):
    """Cinder's answer is the answer; nothing is left of the request."""
    server, volume = demo.booted()['id'], volumes.make()
    faulty(method='POST', path='attachments$', **fault)
    assert volumes.attach(server, volume).status_code == status
    faulty.clear()
    assert volumes.of(server) == []
    assert last_action(demo, server)['action'] == 'create'
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')


def test_a_reservation_that_is_forbidden(tmp_path_factory, supply):
    """Cinder's 403 is its word where it has not just been away: so in a cloud in which nobody had it fail."""
    with standalone('sqlite', tmp_path_factory, supply) as own:
        demo = User(own, 'demo')
        volumes = Volumes(demo)
        server, volume = demo.booted()['id'], volumes.make()
        fault = {'service': 'volume', 'method': 'POST', 'path': 'attachments$', 'status': 403}
        assert demo.http.post(own.deployment.url('sandbox') + '/faults', json=fault).status_code == 201
        assert volumes.attach(server, volume).status_code == 403
        assert volumes.of(server) == []
        assert last_action(demo, server)['action'] == 'create'


@pytest.mark.parametrize('fault', [{'status': 500, 'count': 2}, {'status': 503, 'count': 4},
                                   {'drop': True, 'after': True}], ids=str)
def test_attachments_that_cannot_be_deleted_at_first(demo, volumes, faulty, fault):
    """Once the guest has let go it is only finished."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    faulty(method='DELETE', path='attachments/', **fault)
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
    until(lambda: volumes.of(server) == [])


def test_a_volume_that_is_gone(demo, admin, volumes):
    """VOL-S2, B 1937084: an attachment that Cinder does not know is detached."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    attachment = volumes.of(server)[0]['attachment_id']
    assert admin.call('POST', f'/v3/volumes/{volume}/action', service='volume', body={
        'os-reset_status': {'status': 'available', 'attach_status': 'detached'}}).status_code == 202
    assert volumes.send('GET', f'/attachments/{attachment}').status_code == 404
    assert volumes.detach(server, volume).status_code == 202
    until(lambda: volumes.of(server) == [])


def test_deleted_while_volumes_come_and_go(demo, volumes, faulty):
    """VOL-F2: every volume is free when the server is gone."""
    server, many = demo.booted()['id'], [volumes.make() for _ in range(4)]
    faulty(driver={'attach_volume': {'do': 'delay', 'seconds': 0.5}})
    for volume in many:
        assert volumes.attach(server, volume).status_code == 202
    assert volumes.detach(server, many[0]).status_code == 202
    until(lambda: any(volumes.show(volume)['status'] != 'reserved' for volume in many), pause=0.02)
    demo.delete(server)
    for volume in many:
        volumes.wait(volume, 'available')


def test_volumes_that_go_with_their_server(demo, volumes):
    server, kept, gone = demo.booted()['id'], volumes.make(), volumes.make()
    assert volumes.attach(server, kept).status_code == 202
    assert volumes.attach(server, gone, delete_on_termination=True).status_code == 202
    for volume in (kept, gone):
        volumes.wait(volume, 'in-use')
    demo.delete(server)
    volumes.wait(kept, 'available')
    assert volumes.send('GET', f'/volumes/{gone}').status_code == 404


def test_a_server_boots_from_a_volume_of_a_type(demo, admin, volumes):
    """2.67: Cinder makes it of the type that was asked for."""
    kind = admin.call('POST', '/v3/types', {'volume_type': {'name': 'quick'}}, service='volume').json()
    disk = demo.on_volume()['block_device_mapping_v2'][0] | {'volume_type': 'quick'}
    server = demo.booted(imageRef='', block_device_mapping_v2=[disk])['id']
    made, = volumes.of(server)
    assert volumes.show(made['volumeId'])['volume_type'] == 'quick'
    demo.delete(server)
    assert admin.call('DELETE', f'/v3/types/{kind["volume_type"]["id"]}', service='volume').status_code == 202


def test_a_shared_volume_on_two_servers(demo, volumes):
    """MAT-S1, MAT-T: while Cinder reserves it for one it refuses the other; detaching one leaves the other."""
    one, two = (demo.booted(name)['id'] for name in ('one', 'two'))
    shared = volumes.make(volume_type='multiattach')
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = dict(zip((one, two), pool.map(lambda server: volumes.attach(server, shared), (one, two)),
                           strict=True))
    assert {answer.status_code for answer in answers.values()} <= {202, 400}
    volumes.wait(shared, 'in-use')
    for server in (server for server, answer in answers.items() if answer.status_code == 400):
        assert volumes.attach(server, shared).status_code == 202
    until(lambda: {each['server_id'] for each in volumes.show(shared)['attachments']} == {one, two})
    assert volumes.detach(one, shared).status_code == 202
    until(lambda: [each['server_id'] for each in volumes.show(shared)['attachments']] == [two])
    volumes.settled(one)
    assert volumes.of(one) == [] and len(volumes.of(two)) == 1
    assert volumes.show(shared)['status'] == 'in-use'


def test_one_of_two_that_share_a_volume_moves(admin):
    """MAT-T: of two servers on one host one is migrated while it runs; each keeps an attachment of its own."""
    volumes, source = Volumes(admin), 'compute1'
    mover, other = (admin.booted(name, host=source, networks='none')['id'] for name in ('mover', 'other'))
    shared = volumes.make(volume_type='multiattach')
    for server in (mover, other):
        assert volumes.attach(server, shared).status_code == 202
        volumes.wait(shared, 'in-use')
        volumes.settled(server)

    def attachments():
        return {each['server_id']: (each['attachment_id'], each['host_name'])
                for each in volumes.show(shared)['attachments']}
    before = attachments()
    assert admin.call('POST', f'/servers/{mover}/action', {
        'os-migrateLive': {'host': None, 'block_migration': 'auto'}}).status_code == 202
    ended(admin, mover, 'completed')
    after, dest = attachments(), host_of(admin, mover)
    assert dest != source == host_of(admin, other)
    assert after[other] == before[other] and after[mover][0] != before[mover][0]
    assert (after[mover][1], after[other][1]) == (dest, source)
    for server in (mover, other):
        assert volumes.detach(server, shared).status_code == 202
        until(lambda server=server: server not in attachments())
        volumes.settled(server)
        admin.delete(server)
    volumes.wait(shared, 'available')
    volumes.call('DELETE', f'/volumes/{shared}')


def test_a_shared_volume_that_was_to_go_with_its_server(demo, volumes):
    """MAT-F3: while another server has it, it stays; the server is deleted all the same."""
    one, two = (demo.booted(name)['id'] for name in ('one', 'two'))
    shared = volumes.make(volume_type='multiattach')
    for server in (one, two):
        assert volumes.attach(server, shared, delete_on_termination=True).status_code == 202
        volumes.wait(shared, 'in-use')
        volumes.settled(server)
    demo.delete(one)
    assert [each['server_id'] for each in volumes.show(shared)['attachments']] == [two]
    demo.delete(two)
    assert volumes.send('GET', f'/volumes/{shared}').status_code == 404


def test_volumes_of_a_server_that_is_evacuated(demo, admin, volumes):
    """VOL-S5: a new attachment before the old one goes; the volume is never free, and is the server's there."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(server)
    before, = volumes.of(server)
    with dead(admin, admin.show(server)['OS-EXT-SRV-ATTR:host']):
        assert admin.call('POST', f'/servers/{server}/action', {'evacuate': {}}).status_code == 200
        seen = set()

        def arrived():
            seen.add(volumes.show(volume)['status'])
            return demo.show(server)['status'] == 'SHUTOFF'
        until(arrived, 30)
    assert 'available' not in seen
    after, = volumes.of(server)
    assert after['attachment_id'] != before['attachment_id'] and after['device'] == before['device']
    demo.act(server, 'os-start', None, 'ACTIVE')
    assert volumes.show(volume)['status'] == 'in-use'
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')


def test_how_a_volume_is_connected_is_written_nowhere(cloud, demo, volumes):
    """VOL-C1: Cinder is asked whenever it is needed; no database has it."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    volumes.settled(server)
    told = volumes.call('GET', f'/attachments/{volumes.of(server)[0]["attachment_id"]}')['attachment']
    secret = told['connection_info']['device_path']
    for name in ('api', *cloud.deployment.cells):
        db = dbkit.Database(cloud.deployment.database(name))
        with db.read() as conn:
            for table in sa.inspect(conn).get_table_names():
                for row in conn.execute(sa.text(f'SELECT * FROM {table}')):
                    assert secret not in str(tuple(row)), (name, table)
        db.dispose()


def test_a_server_boots_from_a_shared_volume(demo, volumes):
    """MAT-S1, MAT-T: boot index 0, on hosts that can; another server has it beside."""
    shared = volumes.make(volume_type='multiattach', imageRef=demo.image)
    disk = {'source_type': 'volume', 'destination_type': 'volume', 'uuid': shared, 'boot_index': 0}
    first = demo.booted('first', imageRef='', block_device_mapping_v2=[disk])['id']
    second = demo.booted('second')['id']
    assert volumes.attach(second, shared).status_code == 202
    until(lambda: {each['server_id'] for each in volumes.show(shared)['attachments']} == {first, second})
    volumes.settled(second)
    demo.delete(first)
    assert [each['server_id'] for each in volumes.show(shared)['attachments']] == [second]


def test_a_volume_grows_while_a_guest_uses_it(demo, admin, volumes):
    """2.51: the host is told of the size that Cinder says."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    assert volumes.send('POST', f'/volumes/{volume}/action', {'os-extend': {'new_size': 3}}).status_code == 202
    assert admin.call('POST', '/os-server-external-events', {'events': [
        {'name': 'volume-extended', 'server_uuid': server, 'tag': volume}]}).status_code == 200
    until(lambda: last_action(demo, server)['action'] == 'extend_volume')
    volumes.settled(server)
    assert last_action(demo, server)['message'] is None


def migrating(admin, volumes, volume):
    """Have Cinder begin to migrate a volume; the id of the one that it made."""
    assert admin.call('POST', f'/v3/volumes/{volume}/action', service='volume', body={
        'os-migrate_volume': {'host': 'elsewhere'}}).status_code == 202
    every = admin.get('/v3/volumes/detail?all_tenants=1', service='volume',
                      headers={'OpenStack-API-Version': 'volume 3.59'})['volumes']
    return next(one['id'] for one in every if one['migration_status'] == f'target:{volume}')


def swap(user, server, old, new):
    return user.call('PUT', f'/servers/{server}/os-volume_attachments/{old}',
                     {'volumeAttachment': {'volumeId': new}}, version='2.1')


def test_block_storage_replaces_a_volume(demo, admin, volumes):
    """VOL-S7, B 1943431: the volume keeps its id, has the new attachment, and can be detached as before."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    before = volumes.of(server)[0]['attachment_id']
    new = migrating(admin, volumes, volume)
    assert swap(demo, server, volume, new).status_code == 403
    assert swap(admin, server, volume, new).status_code == 202
    until(lambda: volumes.of(server)[0]['attachment_id'] != before)
    volumes.settled(server)
    one, = volumes.of(server)
    assert (one['volumeId'], one['device']) == (volume, '/dev/vdb')
    assert volumes.show(volume)['status'] == 'in-use'
    assert volumes.send('GET', f'/volumes/{new}').status_code == 404
    assert swap(admin, server, volume, new).status_code == 400
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')


@pytest.mark.parametrize('fault', [
    {'driver': {'swap_volume': {'do': 'fail'}}}, {'driver': {'swap_volume': {'do': 'fail', 'when': 'after',
                                                                            'times': 1}}},
    {'method': 'PUT', 'path': 'attachments', 'status': 500, 'count': 0}], ids=str)
def test_a_replacement_that_fails(demo, admin, volumes, faulty, fault):
    """The guest has the old volume, Cinder knows that the migration has failed, and the new one is gone."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    before = volumes.of(server)
    new = migrating(admin, volumes, volume)
    faulty(**fault)
    assert swap(admin, server, volume, new).status_code == 202
    until(lambda: last_action(demo, server)['message'] == 'Error')
    faulty.clear()
    until(lambda: volumes.send('GET', f'/volumes/{new}').status_code == 404)
    volumes.settled(server)
    assert volumes.of(server) == before and volumes.show(volume)['status'] == 'in-use'


def test_operators_connect_a_volume_anew(cloud, demo, admin, volumes, tmp_path):
    """nova-manage volume_attachment refresh: conductor and host do it, the server keeps its volume."""
    server, volume = demo.booted()['id'], volumes.make()
    assert volumes.attach(server, volume).status_code == 202
    volumes.wait(volume, 'in-use')
    demo.act(server, 'os-stop', None, 'SHUTOFF')
    before, = volumes.of(server)
    connector = tmp_path / 'connector.json'
    connector.write_text(json.dumps({'host': admin.show(server)['OS-EXT-SRV-ATTR:host'], 'ip': '127.0.0.1'}))
    conf = nova_conf.new(config_files=[], **{'api_database.connection': cloud.deployment.database('api')})
    assert manage.run(['volume_attachment', 'refresh', server, volume, str(connector)], command.Env(conf)) == 0
    after, = volumes.of(server)
    assert after['attachment_id'] != before['attachment_id'] and volumes.show(volume)['status'] == 'in-use'
    assert {**after, 'attachment_id': None} == {**before, 'attachment_id': None}
    assert last_action(demo, server)['action'] == 'refresh_volume_attachment'
    demo.act(server, 'os-start', None, 'ACTIVE')
    assert volumes.detach(server, volume).status_code == 202
    volumes.wait(volume, 'available')
