"""os-volume_attachments from outside: what is refused, what is written before the answer, what is answered."""

import pytest

from nova import errors, objects
from nova.api import request
from nova.common import threads, uuids
from nova.objects import task as rows
from nova.tests.api import cloud as clouds

MOST = '2.104'


@pytest.fixture
def volumes(cloud):
    return cloud.clients.volume


@pytest.fixture
def server(cloud):
    cloud.host('host1')
    return cloud.server(host='host1', compute_id=uuids.generate(), root_device_name='/dev/vda',
                        availability_zone='nova')


@pytest.fixture
def volume(volumes):
    return volumes.add(project_id=clouds.PROJECT)


def attach(cloud, server, volume, version=MOST, headers=clouds.MEMBER, **more):
    return cloud.call('POST', f'/servers/{server.uuid}/os-volume_attachments', version, headers,
                      json={'volumeAttachment': {'volumeId': volume, **more}})


def detach(cloud, server, volume, version=MOST, headers=clouds.MEMBER):
    return cloud.call('DELETE', f'/servers/{server.uuid}/os-volume_attachments/{volume}', version, headers)


def shown(cloud, server, volume='', version=MOST, headers=clouds.READER):
    path = f'/servers/{server.uuid}/os-volume_attachments' + (f'/{volume}' if volume else '')
    return cloud.call('GET', path, version, headers)


def devices(cloud, server):
    return cloud.instance(server.uuid, prefetch=('block_devices',)).block_devices


def tasks(cloud, server):
    with cloud.db(1).read() as conn:
        return rows.of_instance(conn, server.uuid)


def message(answer):
    return next(iter(answer.json.values()))['message']


def put(cloud, server, volume, **values):
    """A device of the server's, attached long ago."""
    attachment = cloud.clients.volume.reserve(volume, server.uuid)
    device = objects.BlockDeviceMapping(**{
        'uuid': uuids.generate(), 'instance_uuid': server.uuid, 'source_type': 'volume',
        'destination_type': 'volume', 'volume_id': volume, 'device_name': '/dev/vdb',
        'attachment_id': attachment, **values})
    cloud.db(1).write(lambda conn: device.create(conn))
    return device


def test_everything_is_written_before_the_answer(cloud, server, volumes, volume):
    """VOL-S1, VOL-C2: device, name and reservation are there; no host was asked; the task is told to begin."""
    answer = attach(cloud, server, volume, '2.89')
    assert answer.status_code == 200
    assert answer.json == {'volumeAttachment': {
        'id': volume, 'volumeId': volume, 'serverId': server.uuid, 'device': '/dev/vdb', 'tag': None,
        'delete_on_termination': False}}
    device, = devices(cloud, server)
    attachment, = volumes.attachments(server.uuid)
    assert (attachment['id'], attachment['status']) == (device.attachment_id, 'reserved')
    task, = tasks(cloud, server)
    assert (task.flow, task.action, task.status, task.not_before) == (
        'attach_volume', 'attach_volume', rows.READY, None)
    assert cloud.woken == [('cell1', task.uuid)]


@pytest.mark.parametrize(('version', 'keys'), [
    ('2.1', {'id', 'device', 'serverId', 'volumeId'}),
    ('2.69', {'id', 'device', 'serverId', 'volumeId'}),
    ('2.70', {'id', 'device', 'serverId', 'volumeId', 'tag'}),
    ('2.79', {'id', 'device', 'serverId', 'volumeId', 'tag', 'delete_on_termination'}),
    ('2.100', {'id', 'device', 'serverId', 'volumeId', 'tag', 'delete_on_termination'}),
])
def test_the_answer_at_each_version(cloud, server, volume, version, keys):
    answer = attach(cloud, server, volume, version)
    assert (answer.status_code, set(answer.json['volumeAttachment'])) == (200, keys)


def test_from_2_101_the_answer_is_empty(cloud, server, volume):
    answer = attach(cloud, server, volume, '2.101')
    assert (answer.status_code, answer.content) == (202, b'')
    assert [device.volume_id for device in devices(cloud, server)] == [volume]


@pytest.mark.parametrize(('version', 'keys'), [
    ('2.1', {'id', 'device', 'serverId', 'volumeId'}),
    ('2.70', {'id', 'device', 'serverId', 'volumeId', 'tag'}),
    ('2.88', {'id', 'device', 'serverId', 'volumeId', 'tag', 'delete_on_termination'}),
    ('2.89', {'device', 'serverId', 'volumeId', 'tag', 'delete_on_termination', 'attachment_id', 'bdm_uuid'}),
])
def test_what_is_shown_at_each_version(cloud, server, volume, version, keys):
    device = put(cloud, server, volume, tag='data', delete_on_termination=True)
    one = shown(cloud, server, volume, version).json['volumeAttachment']
    assert set(one) == keys
    assert shown(cloud, server, '', version).json == {'volumeAttachments': [one]}
    assert one['volumeId'] == volume and one['device'] == '/dev/vdb'
    assert (one.get('tag', 'data'), one.get('delete_on_termination', True)) == ('data', True)
    assert one.get('bdm_uuid', device.uuid) == device.uuid


def test_a_volume_without_an_attachment_is_not_shown_from_2_89_on(cloud, server, volume):
    put(cloud, server, volume, attachment_id=None)
    assert shown(cloud, server, volume, '2.88').status_code == 200
    assert shown(cloud, server, volume, '2.89').status_code == 404
    assert shown(cloud, server, '', '2.89').json == {'volumeAttachments': []}


def test_lists_are_cut(cloud, server, volumes):
    for letter in 'bcd':
        put(cloud, server, volumes.add(project_id=clouds.PROJECT), device_name=f'/dev/vd{letter}')

    def names(query):
        answer = cloud.call('GET', f'/servers/{server.uuid}/os-volume_attachments?{query}', '2.75',
                            clouds.READER)
        return [one['device'] for one in answer.json['volumeAttachments']]
    assert names('limit=2') == ['/dev/vdb', '/dev/vdc']
    assert names('limit=2&offset=2') == ['/dev/vdd']
    assert names('offset=5') == []


def test_names_are_picked_one_after_the_other(cloud, server, volumes):
    """VOL-F3."""
    answers = [attach(cloud, server, volumes.add(project_id=clouds.PROJECT), '2.1', **more)
               for more in ({}, {'device': '/dev/vdd'}, {}, {}, {'device': None})]
    assert [answer.json['volumeAttachment']['device'] for answer in answers] == [
        '/dev/vdb', '/dev/vdd', '/dev/vdc', '/dev/vde', '/dev/vdf']
    assert [task.status for task in tasks(cloud, server)] == [rows.QUEUED] * 4 + [rows.READY]


@pytest.mark.parametrize(('root', 'name'), [
    ('/dev/sda', '/dev/sdb'), ('/dev/hda', '/dev/hdb'), ('odd', '/dev/vda'), (None, '/dev/vda')])
def test_a_name_is_like_the_root_disks(cloud, volume, root, name):
    server = cloud.server(host='host1', root_device_name=root)
    assert attach(cloud, server, volume, '2.1').json['volumeAttachment']['device'] == name


@pytest.mark.parametrize('name', ['/dev/vdb', '/dev/vda'])
def test_a_name_that_is_taken(cloud, server, volumes, volume, name):
    put(cloud, server, volumes.add(project_id=clouds.PROJECT))
    answer = attach(cloud, server, volume, device=name)
    assert answer.status_code == 409 and name in message(answer)
    assert tasks(cloud, server) == [] and volumes.volumes[volume]['status'] == 'available'


@pytest.mark.parametrize('name', ['vdb', '/dev/', '/dev/vdb/..', '/dev/vd b', '', 7, '/dev/' + 'a' * 300])
def test_names_that_are_none(cloud, server, volume, name):
    assert attach(cloud, server, volume, device=name).status_code == 400


@pytest.mark.parametrize('body', [
    {}, {'volumeAttachment': None}, {'volumeAttachment': {}}, {'volumeAttachment': {'volumeId': 'x'}},
    {'volumeAttachment': {'volumeId': None}}, {'volumeAttachment': {'volumeId': uuids.generate(), 'x': 1}}, []])
def test_bodies_that_are_none(cloud, server, body):
    answer = cloud.call('POST', f'/servers/{server.uuid}/os-volume_attachments', MOST, json=body)
    assert answer.status_code == 400


@pytest.mark.parametrize(('version', 'more', 'status'), [
    ('2.48', {'tag': 'data'}, 400), ('2.49', {'tag': 'data'}, 200), ('2.49', {'tag': 'a,b'}, 400),
    ('2.49', {'tag': ''}, 400), ('2.49', {'tag': 'a' * 61}, 400),
    ('2.78', {'delete_on_termination': True}, 400), ('2.79', {'delete_on_termination': True}, 200),
    ('2.79', {'delete_on_termination': 'perhaps'}, 400)])
def test_what_may_be_asked_for_at_which_version(cloud, server, volume, version, more, status):
    assert attach(cloud, server, volume, version, **more).status_code == status


def test_what_was_asked_for_is_kept(cloud, server, volume):
    assert attach(cloud, server, volume, '2.79', tag='data', delete_on_termination='true').status_code == 200
    device, = devices(cloud, server)
    assert (device.tag, device.delete_on_termination, device.volume_size) == ('data', True, 1)


def test_a_tag_needs_a_host_that_can(cloud, server, volume):
    cloud.clients.placement.capable.clear()
    assert attach(cloud, server, volume, tag='data').status_code == 400
    assert attach(cloud, server, volume).status_code == 202


@pytest.mark.parametrize(('vm_state', 'version', 'status'), [
    *((state, '2.1', 200) for state in ('active', 'paused', 'stopped', 'resized', 'soft-delete')),
    *((state, '2.19', 409) for state in ('shelved', 'shelved_offloaded')),
    *((state, '2.20', 200) for state in ('shelved', 'shelved_offloaded')),
    *((state, MOST, 409) for state in ('building', 'suspended', 'rescued', 'error'))])
def test_states(cloud, volumes, volume, vm_state, version, status):
    host = None if vm_state == 'shelved_offloaded' else 'host1'
    cloud.host('host1')
    server = cloud.server(vm_state=vm_state, host=host)
    assert attach(cloud, server, volume, version).status_code == status
    other = volumes.add(project_id=clouds.PROJECT)
    put(cloud, server, other, device_name='/dev/vdx')
    assert detach(cloud, server, other, version).status_code == (202 if status == 200 else 409)


def test_a_server_that_no_cell_has(cloud, volume):
    server = cloud.server(cell=None, vm_state='building', launched_at=None)
    assert attach(cloud, server, volume).status_code == 409


def test_a_locked_server(cloud, volume):
    server = cloud.server(host='host1', locked_by='owner')
    assert attach(cloud, server, volume).status_code == 409
    assert detach(cloud, server, volume).status_code == 409


def test_a_server_that_is_busy(cloud, server, volume):
    assert cloud.call('POST', f'/servers/{server.uuid}/action', MOST, json={'pause': None}).status_code == 202
    assert attach(cloud, server, volume).status_code == 409
    assert devices(cloud, server) == [] and cloud.clients.volume.volumes[volume]['status'] == 'available'


def test_while_a_volume_is_attached_nothing_else_begins(cloud, server, volume):
    assert attach(cloud, server, volume).status_code == 202
    assert cloud.call('POST', f'/servers/{server.uuid}/action', MOST, json={'pause': None}).status_code == 409


@pytest.mark.parametrize('status', ['creating', 'error', 'in-use', 'reserved', 'attaching', 'deleting'])
def test_the_volume_must_be_free(cloud, server, volumes, volume, status):
    volumes.volumes[volume]['status'] = status
    answer = attach(cloud, server, volume)
    assert answer.status_code == 400 and status in message(answer)
    assert devices(cloud, server) == [] and tasks(cloud, server) == []


def test_who_comes_second_is_refused_and_leaves_nothing(cloud, server, volumes, volume):
    """One volume and two servers at once: what Cinder refuses is a 400, and as if it had not been asked."""
    volumes.fail('reserve', errors.block.VolumeBusy(volume=volume, reason='its status is reserved'))
    waiting = volumes.add(project_id=clouds.PROJECT)
    answer = attach(cloud, server, volume)
    assert answer.status_code == 400
    assert devices(cloud, server) == [] and tasks(cloud, server) == []
    assert attach(cloud, server, waiting).status_code == 202


def test_who_waits_behind_a_refused_one_has_his_turn(cloud, server, volumes, volume):
    other = volumes.add(project_id=clouds.PROJECT)
    behind = []

    def meanwhile(name, args):
        if name == 'reserve' and not behind:
            behind.append(None)
            assert attach(cloud, server, other).status_code == 202
            raise errors.block.VolumeBusy(volume=volume, reason='others were first')
    volumes.before(meanwhile)
    assert attach(cloud, server, volume).status_code == 400
    task, = tasks(cloud, server)
    assert (task.status, task.exclusive) == (rows.READY, 'main')
    assert cloud.woken == [('cell1', task.uuid)]
    assert [device.volume_id for device in devices(cloud, server)] == [other]


def test_a_reservation_that_may_still_come_is_looked_for(cloud, server, volumes, volume):
    """Cinder answers too late: a 503, nothing is left, and somebody looks after a while."""
    volumes.fail('reserve', errors.block.VolumeServiceAway(), late=True)
    assert attach(cloud, server, volume).status_code == 503
    assert devices(cloud, server) == []
    task, = tasks(cloud, server)
    assert (task.flow, task.status) == ('remove_late', rows.READY) and task.not_before is not None


def test_a_server_that_is_deleted_meanwhile(cloud, server, volumes, volume):
    """VOL-F2: who reserves for a server whose device is gone takes the reservation back."""
    def meanwhile(name, args):
        if name == 'reserve':
            device, = devices(cloud, server)
            cloud.db(1).write(lambda conn: objects.BlockDeviceMapping.drop(conn, device.uuid))
    volumes.before(meanwhile)
    assert attach(cloud, server, volume).status_code == 409
    assert volumes.attachments(server.uuid) == []


def test_a_request_that_dies_leaves_a_task_that_does_it(cloud, server, volumes, volume):
    """VOL-S1: until it begins by itself it is its request's."""
    class Died(BaseException):
        pass
    volumes.fail('reserve', Died())
    with pytest.raises(Died):
        attach(cloud, server, volume)
    task, = tasks(cloud, server)
    assert task.status == rows.READY and task.not_before is not None and cloud.woken == []
    device, = devices(cloud, server)
    assert device.attachment_id is None


def test_volumes_of_others(cloud, server, volumes, volume):
    theirs = volumes.add(project_id=clouds.OTHER)
    assert attach(cloud, server, theirs).status_code == 404
    assert attach(cloud, server, uuids.generate()).status_code == 404
    assert attach(cloud, server, volume, headers=clouds.STRANGER).status_code == 404
    assert attach(cloud, server, volume, headers=clouds.READER).status_code == 403
    assert detach(cloud, server, volume, headers=clouds.READER).status_code == 403
    assert shown(cloud, server, headers=clouds.STRANGER).status_code == 404


def test_the_same_volume_twice(cloud, server, volume):
    """VOL-F3."""
    assert attach(cloud, server, volume).status_code == 202
    answer = attach(cloud, server, volume)
    assert answer.status_code == 400 and len(devices(cloud, server)) == 1


def test_a_server_has_only_so_many_disks(cloud, server, volumes, volume):
    cloud.conf.set_override('max_disk_devices_to_attach', 1, 'compute')
    put(cloud, server, volumes.add(project_id=clouds.PROJECT))
    assert attach(cloud, server, volume).status_code == 403


def test_zones(cloud, server, volumes):
    cloud.conf.set_override('cross_az_attach', False, 'cinder')
    near, far = (volumes.add(project_id=clouds.PROJECT, availability_zone=zone) for zone in ('nova', 'far'))
    assert attach(cloud, server, far).status_code == 400
    assert attach(cloud, server, near).status_code == 202


# Shared volumes

@pytest.fixture
def shared(volumes):
    return volumes.add(project_id=clouds.PROJECT, multiattach=True)


def test_shared_volumes_need_2_60(cloud, server, shared):
    """MAT-S1, MAT-F2."""
    assert attach(cloud, server, shared, '2.59').status_code == 400
    assert attach(cloud, server, shared, '2.60').status_code == 200


def test_a_shared_volume_that_is_in_use(cloud, server, volumes, shared):
    """MAT-S1: a second server gets it; the same one does not get it twice."""
    first = cloud.server(host='host1', compute_id=uuids.generate())
    attachment = volumes.reserve(shared, first.uuid)
    volumes.connect(attachment, {'host': 'host1'})
    volumes.complete(attachment)
    assert attach(cloud, server, shared).status_code == 202
    assert attach(cloud, server, shared).status_code == 400


def test_a_shared_volume_needs_a_host_that_can(cloud, server, volumes, shared):
    """MAT-F1: told before anything is reserved."""
    cloud.clients.placement.capable.clear()
    assert attach(cloud, server, shared).status_code == 400
    assert devices(cloud, server) == [] and volumes.attachments(server.uuid) == []


def test_a_shared_volume_for_an_offloaded_server(cloud, shared):
    """MAT-F2."""
    assert attach(cloud, cloud.server(vm_state='shelved_offloaded'), shared).status_code == 400


# Detaching

def test_detach_is_a_task(cloud, server, volume):
    put(cloud, server, volume)
    assert detach(cloud, server, volume).status_code == 202
    task, = tasks(cloud, server)
    assert (task.flow, task.action, task.status) == ('detach_volume', 'detach_volume', rows.READY)
    assert cloud.woken == [('cell1', task.uuid)]


def test_what_is_not_attached_is_not_detached(cloud, server, volume):
    assert detach(cloud, server, volume).status_code == 404
    assert detach(cloud, server, 'nonsense').status_code == 404


def test_a_volume_that_the_caller_does_not_see(cloud, server, volumes):
    theirs = volumes.add(project_id=clouds.OTHER)
    put(cloud, server, theirs)
    assert detach(cloud, server, theirs).status_code == 404


def test_the_root_disk_stays(cloud, server, volume):
    put(cloud, server, volume, device_name='/dev/vda', boot_index=0)
    answer = detach(cloud, server, volume)
    assert answer.status_code == 400 and 'root' in message(answer)


def test_detach_needs_a_host_that_is_up(cloud, volume):
    """VOL-S2, B 1909120."""
    server = cloud.server(host='nowhere')
    put(cloud, server, volume)
    assert detach(cloud, server, volume).status_code == 409
    offloaded = cloud.server(vm_state='shelved_offloaded')
    other = cloud.clients.volume.add(project_id=clouds.PROJECT)
    put(cloud, offloaded, other)
    assert detach(cloud, offloaded, other).status_code == 202


# Changing and replacing

SERVICE = {'X-Auth-Token': f'cinder:{clouds.PROJECT}', 'X-Roles': 'service'}


def update(cloud, server, volume, body, version=MOST, headers=clouds.MEMBER):
    return cloud.call('PUT', f'/servers/{server.uuid}/os-volume_attachments/{volume}', version, headers,
                      json={'volumeAttachment': body})


def test_whether_a_volume_goes_with_the_server_can_be_changed(cloud, server, volume):
    """2.85: nothing else is touched, and no task begins; what is repeated unchanged is accepted."""
    put(cloud, server, volume, tag='data')
    for value in (True, 'false', '1'):
        assert update(cloud, server, volume, {
            'volumeId': volume, 'id': volume, 'serverId': server.uuid, 'device': '/dev/vdb', 'tag': 'data',
            'delete_on_termination': value}, '2.85').status_code == 202
        device, = devices(cloud, server)
        assert device.delete_on_termination is (value != 'false')
    assert update(cloud, server, volume, {'volumeId': volume}).status_code == 202
    assert tasks(cloud, server) == []


@pytest.mark.parametrize('body', [
    {'device': '/dev/vdc'}, {'tag': 'other'}, {'serverId': uuids.generate()}, {'id': uuids.generate()},
    {'delete_on_termination': 'perhaps'}, {'device': 'vdb'}, {'attachment_id': uuids.generate()}])
def test_the_rest_cannot_be_changed(cloud, server, volume, body):
    put(cloud, server, volume, tag='data')
    assert update(cloud, server, volume, {'volumeId': volume, **body}).status_code == 400


def test_changes_of_what_is_not_there(cloud, server, volume):
    body = {'volumeId': volume, 'delete_on_termination': True}
    assert update(cloud, server, volume, body).status_code == 404
    assert update(cloud, server, volume, {'delete_on_termination': True}).status_code == 400
    put(cloud, server, volume)
    assert update(cloud, server, volume, body, headers=clouds.STRANGER).status_code == 404
    assert update(cloud, server, volume, body, headers=clouds.READER).status_code == 403
    assert update(cloud, server, volume, body, '2.84').status_code == 400


def test_a_locked_server_keeps_its_volumes_as_they_are(cloud, volume):
    server = cloud.server(host='host1', locked_by='owner')
    put(cloud, server, volume)
    assert update(cloud, server, volume, {'volumeId': volume, 'delete_on_termination': True}).status_code == 409


@pytest.fixture
def migration(cloud, server, volumes):
    """(old, new): a volume of the server's that block storage migrates."""
    old = volumes.add(project_id=clouds.PROJECT)
    device = put(cloud, server, old)
    volumes.connect(device.attachment_id, {'host': 'host1'})
    volumes.complete(device.attachment_id)
    volumes.volumes[old]['migration_status'] = 'migrating'
    return old, volumes.add(project_id=clouds.PROJECT, migration_status=f'target:{old}')


@pytest.mark.parametrize('version', ['2.1', '2.84', '2.85', MOST])
def test_block_storage_replaces_a_volume(cloud, server, volumes, migration, version):
    """VOL-S7, B 1943431: the new one is reserved before the answer."""
    old, new = migration
    assert update(cloud, server, old, {'volumeId': new}, version, SERVICE).status_code == 202
    task, = tasks(cloud, server)
    assert (task.flow, task.action, task.not_before) == ('swap_volume', 'swap_volume', None)
    assert cloud.woken == [('cell1', task.uuid)]
    assert volumes.volumes[new]['status'] == 'reserved'


def test_users_do_not_replace_volumes(cloud, server, migration):
    """B 2112187."""
    old, new = migration
    assert update(cloud, server, old, {'volumeId': new}).status_code == 403
    assert update(cloud, server, old, {'volumeId': old}, '2.84').status_code == 403


@pytest.mark.parametrize(('change', 'status'), [
    ({'old': {'migration_status': None}}, 409), ({'old': {'migration_status': 'success'}}, 409),
    ({'new': {'migration_status': None}}, 409), ({'new': {'migration_status': 'target:other'}}, 409),
    ({'new': {'status': 'error'}}, 400), ({'old': {'size': 2}}, 400)], ids=str)
def test_what_is_no_migration_is_refused(cloud, server, volumes, migration, change, status):
    old, new = migration
    volumes.volumes[old].update(change.get('old', {}))
    volumes.volumes[new].update(change.get('new', {}))
    assert update(cloud, server, old, {'volumeId': new}, headers=SERVICE).status_code == status
    assert tasks(cloud, server) == []


def test_replacing_what_is_not_there(cloud, server, volumes, migration):
    old, new = migration
    assert update(cloud, server, old, {'volumeId': uuids.generate()}, headers=SERVICE).status_code == 400
    assert update(cloud, server, uuids.generate(), {'volumeId': new}, '2.84', SERVICE).status_code == 404
    assert update(cloud, server, new, {'volumeId': old}, '2.84', SERVICE).status_code == 404


@pytest.mark.parametrize(('vm_state', 'status'), [
    ('active', 202), ('paused', 202), ('resized', 202), ('stopped', 409), ('shelved', 409), ('error', 409)])
def test_states_in_which_a_volume_is_replaced(cloud, server, migration, vm_state, status):
    old, new = migration
    cloud.db(1).write(lambda conn: _in_state(conn, server.uuid, vm_state))
    assert update(cloud, server, old, {'volumeId': new}, headers=SERVICE).status_code == status


def _in_state(conn, uuid, vm_state):
    instance = objects.Instance.get(conn, (), uuid=uuid)
    instance.vm_state = vm_state
    instance.save(conn)


@pytest.mark.parametrize(('mode', 'status'), [('rw', 400), ('ro', 202)])
def test_a_volume_with_two_writers_is_not_replaced(cloud, server, volumes, migration, mode, status):
    """MAT-F2; a volume that others only read is."""
    old, new = migration
    volumes.volumes[old]['multiattach'] = True
    other = cloud.server(host='host1')
    volumes.held[put(cloud, other, old).attachment_id].mode = mode
    assert update(cloud, server, old, {'volumeId': new}, headers=SERVICE).status_code == status


def test_a_new_volume_that_cannot_be_reserved(cloud, server, volumes, migration):
    old, new = migration
    volumes.fail('reserve', errors.block.VolumeBusy(volume=new, reason='no'))
    assert update(cloud, server, old, {'volumeId': new}, headers=SERVICE).status_code == 400
    assert tasks(cloud, server) == []


def leaving(cloud, server, volume):
    """A detachment that has given the volume back, and has not forgotten the device yet."""
    device = put(cloud, server, volume)
    assert detach(cloud, server, volume).status_code == 202
    cloud.clients.volume.detach(device.attachment_id)
    return device


def forget_soon(cloud, device):
    def end():
        threads.sleep(0.3)
        cloud.db(1).write(lambda conn: objects.BlockDeviceMapping.drop(conn, device.uuid))
    threads.start('the end of the detachment', end)


def test_a_volume_that_is_back_is_attached_as_soon_as_its_device_is_gone(cloud, server, volume):
    """VOL-S2: the detachment ends in a moment, and the request waits for it rather than be refused."""
    device = leaving(cloud, server, volume)
    forget_soon(cloud, device)
    assert attach(cloud, server, volume).status_code == 202
    new, = devices(cloud, server)
    assert new.uuid != device.uuid and new.attachment_id
    assert [(task.flow, task.status) for task in tasks(cloud, server)] == [
        ('attach_volume', rows.QUEUED), ('detach_volume', rows.READY)]


def test_a_shared_volume_is_back_while_others_use_it(cloud, server, volumes, shared):
    """MAT-S1."""
    attachment = volumes.reserve(shared, cloud.server(host='host1').uuid)
    volumes.connect(attachment, {'host': 'host1'})
    volumes.complete(attachment)
    forget_soon(cloud, leaving(cloud, server, shared))
    assert attach(cloud, server, shared).status_code == 202


def test_a_volume_that_was_reset_is_another_servers_still(cloud, server, volumes, volume):
    """MAT-S1, B 1908075: an operator has had Cinder forget an attachment that a guest uses."""
    other = cloud.server(host='host1')
    device = put(cloud, other, volume)
    volumes.detach(device.attachment_id)
    assert volumes.volumes[volume]['status'] == 'available'
    answer = attach(cloud, server, volume)
    assert answer.status_code == 400 and f'already attached to instance {other.uuid}' in message(answer)
    assert devices(cloud, server) == [] and tasks(cloud, server) == []
    assert detach(cloud, other, volume).status_code == 202
    forget_soon(cloud, device)
    assert attach(cloud, server, volume).status_code == 202


def test_a_shared_volume_that_was_reset_is_free_for_all(cloud, server, volumes, shared):
    volumes.detach(put(cloud, cloud.server(host='host1'), shared).attachment_id)
    assert attach(cloud, server, shared).status_code == 202


@pytest.mark.parametrize('how', ['detached', 'deleted'])
def test_what_another_server_is_losing_is_waited_for(cloud, server, volumes, volume, how):
    """Cinder has it back a moment before its device, or its server, is gone."""
    other = cloud.server(host='host1')
    if how == 'detached':
        device = leaving(cloud, other, volume)
    else:
        device = put(cloud, other, volume)
        assert cloud.call('DELETE', f'/servers/{other.uuid}', MOST, clouds.MEMBER).status_code == 204
        volumes.detach(device.attachment_id)
    forget_soon(cloud, device)
    assert attach(cloud, server, volume).status_code == 202
    assert [each.volume_id for each in devices(cloud, server)] == [volume]


def test_a_detachment_that_does_not_end_is_waited_for_no_longer_than_a_moment(
        cloud, server, volume, monkeypatch):
    monkeypatch.setattr(request, 'PATIENCE', 0.2)
    leaving(cloud, server, volume)
    answer = attach(cloud, server, volume)
    assert answer.status_code == 409 and 'still being detached' in message(answer)
    assert len(tasks(cloud, server)) == 1


def test_what_is_no_detachment_of_it_is_not_waited_for(cloud, server, volumes, volume):
    """Somebody else has deleted the attachment, and another volume is being detached."""
    volumes.detach(put(cloud, server, volume).attachment_id)
    other = volumes.add(project_id=clouds.PROJECT)
    put(cloud, server, other, device_name='/dev/vdc')
    assert detach(cloud, server, other).status_code == 202
    answer = attach(cloud, server, volume)
    assert answer.status_code == 400 and 'already attached' in message(answer)
