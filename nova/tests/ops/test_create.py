"""POST /servers: what is refused, what is written down, what is answered (CEL-S1, QTA-S1, QTA-S2)."""

import base64
import json

import pytest

from nova import context, objects
from nova.common import uuids
from nova.objects import task as rows
from nova.tests.api import cloud as clouds


def request_of(cloud, uuid):
    with cloud.dbs.api.read() as conn:
        return objects.BuildRequest.get(conn, instance_uuid=uuid).instance


def spec_of(cloud, uuid):
    with cloud.dbs.api.read() as conn:
        return objects.RequestSpec.get(conn, instance_uuid=uuid)


def traces(cloud):
    """Everything that a request leaves in the API database."""
    with cloud.dbs.api.read() as conn:
        return [*objects.InstanceMapping.all(conn), *objects.BuildRequest.all(conn), *rows.open_tasks(conn)]


def test_it_is_written_down_before_anything_is_made(cloud, create):
    made = create(metadata={'a': 'b'}, tags=['x', 'y'], description='mine',
                  user_data=base64.b64encode(b'#!').decode())
    assert made.status_code == 202
    server = made.json['server']
    assert made.headers['location'] == server['links'][0]['href'] and server['id'] in made.headers['location']
    assert set(server) == {'id', 'links', 'OS-DCF:diskConfig', 'security_groups', 'adminPass'}
    assert len(server['adminPass']) == 12
    instance = request_of(cloud, server['id'])
    assert (instance.vm_state, instance.task_state, instance.hostname) == ('building', 'scheduling', 'web')
    assert (instance.metadata, instance.tags, instance.display_description) == ({'a': 'b'}, ['x', 'y'], 'mine')
    assert instance.vcpus == 2 and instance.block_devices[0].device_name == '/dev/vda'
    assert instance.root_device_name == '/dev/vda'
    with cloud.dbs.api.read() as conn:
        mapping = objects.InstanceMapping.get(conn, instance_uuid=server['id'])
        task = rows.get(conn, rows.open_tasks(conn)[0].uuid)
    assert (mapping.cell_id, mapping.vcpus, mapping.memory_mb) == (None, 2, 1024)
    assert task.flow == 'schedule' and cloud.woken == [(None, task.uuid)]
    assert server['adminPass'] not in str(task) + str(instance.to_wire())
    spec = spec_of(cloud, server['id'])
    assert spec.requested_networks[0].network_id == cloud.network_id and not spec.is_bfv


def test_addresses_are_kept_as_one_writes_them(cloud, create):
    made = create(accessIPv4='192.0.2.7', accessIPv6='0000:0000:0000:0000:0000:babe:220.12.22.2')
    instance = request_of(cloud, made.json['server']['id'])
    assert (instance.access_ip_v4, instance.access_ip_v6) == ('192.0.2.7', '::babe:dc0c:1602')


@pytest.mark.parametrize('link', [
    'http://nova.example/v2.1/{}', 'https://[::1]:8774/v2.1/projectid/flavors/{}', '/flavors/{}/',
    'http://nova.example/images/{}?a=/b#c'])
def test_links_to_a_flavor_and_an_image_are_taken_for_these(cloud, create, link):
    made = create(flavorRef=link.format('small'), imageRef=link.format(cloud.image_id))
    assert made.status_code == 202
    instance = request_of(cloud, made.json['server']['id'])
    assert (instance.flavorid, instance.image_ref) == ('small', cloud.image_id)


@pytest.mark.parametrize('wrong', [
    {'flavorRef': 'http://['}, {'flavorRef': '/'}, {'flavorRef': 'small/more'}, {'imageRef': 'http://h/images/'},
    {'imageRef': 'http://h/images/x'}, {'imageRef': '//'}])
def test_links_to_nothing_are_refused(cloud, create, wrong):
    assert create(**wrong).status_code == 400
    assert traces(cloud) == []


@pytest.mark.parametrize('properties', [
    {'cinder_encryption_key_id': 'b1ce1c1e-0000-4000-8000-000000000000'}, {'architecture': 'x64'},
    {'hw_architecture': 'x64'}, {'hw_disk_bus': 'nope'}, {'hw_vif_model': ''}, {'hw_cpu_policy': 'mine'},
    {'hw_numa_nodes': 'two'}, {'os_secure_boot': 'yes'}, {'hw_firmware_type': 'uefi '}])
def test_images_that_nothing_can_boot_are_refused(cloud, create, properties):
    answer = create(imageRef=cloud.clients.image.add(**properties))
    assert answer.status_code == 400, answer.text
    assert traces(cloud) == []


@pytest.mark.parametrize('properties', [
    {'architecture': 'AMD64'}, {'hw_disk_bus': 'SCSI'}, {'hw_vif_model': 'VirtualVmxnet3'}, {'mine': 'nope'},
    {'cinder_encryption_key_id': None}, {'hw_machine_type': 'pc-q35-9.0'}])
def test_images_that_say_what_is_known_boot(cloud, create, properties):
    assert create(imageRef=cloud.clients.image.add(**properties)).status_code == 202


def test_the_password_may_be_chosen_and_may_be_hidden(cloud, create):
    assert create(adminPass='secret').json['server']['adminPass'] == 'secret'
    cloud.conf.set_override('enable_instance_password', False, 'api')
    assert 'adminPass' not in create().json['server']


@pytest.mark.parametrize('wrong', [
    {'flavorRef': 'none-such'},
    {'imageRef': 'ee000000-0000-4000-8000-000000000000'},
    {'imageRef': ''},
    {'min_count': 3, 'max_count': 2},
    {'key_name': 'none-such'},
    {'user_data': 'bm8='[:3]},
    {'networks': [{'uuid': 'ee000000-0000-4000-8000-000000000000'}]},
    {'networks': [{'port': 'ee000000-0000-4000-8000-000000000000'}]},
    {'networks': None},
    {'security_groups': [{'name': 'none-such'}]},
    {'availability_zone': 'none-such'},
    {'availability_zone': 'a:b:c:d'},
    {'hostname': 'one', 'max_count': 2},
    {'block_device_mapping_v2': [{'source_type': 'volume', 'uuid': 'ee000000-0000-4000-8000-000000000000',
                                  'destination_type': 'volume', 'boot_index': -1}]},
    {'block_device_mapping_v2': [{'source_type': 'blank', 'destination_type': 'volume', 'boot_index': 0,
                                  'volume_size': 1}, {'source_type': 'blank', 'destination_type': 'volume',
                                                      'boot_index': 0, 'volume_size': 1}]},
    {'block_device_mapping_v2': [{'source_type': 'blank', 'destination_type': 'local', 'volume_size': 1}]},
])
def test_what_cannot_be_is_a_400_and_leaves_no_trace(cloud, create, wrong):
    answer = create(headers=clouds.ADMIN, **wrong)
    assert answer.status_code == 400, answer.json
    assert not traces(cloud) and not cloud.woken


def test_a_security_group_without_a_name_means_nothing(create):
    answer = create(security_groups=[{}, {'name': 'default'}, {'name': 'default'}])
    assert answer.status_code == 202
    assert answer.json['server']['security_groups'] == [{'name': 'default'}]


def test_an_unknown_group_is_a_400(cloud, create):
    assert create(hints={'group': uuids.generate()}).status_code == 400
    assert not traces(cloud)


@pytest.mark.parametrize(('image', 'flavor'), [
    ({'status': 'queued'}, {}), ({'min_ram': 2048}, {}), ({'min_disk': 11}, {}), ({'size': 11 * 2**30}, {}),
])
def test_an_image_that_does_not_fit(cloud, create, image, flavor):
    cloud.clients.image.images[cloud.image_id].update(image)
    assert create().status_code == 400


def test_networks_may_be_left_out_until_2_36(cloud, create):
    assert create(version='2.36', networks=None).status_code == 202
    assert create(version='2.37', networks='none').status_code == 202


def file(path='/etc/motd', contents=b'hi'):
    return {'path': path, 'contents': base64.b64encode(contents).decode()}


def test_files_wait_in_the_task_and_are_shown_nowhere(cloud, create):
    made = create(version='2.56', personality=[file()])
    assert made.status_code == 202, made.json
    with cloud.dbs.api.read() as conn:
        state = objects.Record.from_wire(rows.get(conn, rows.open_tasks(conn)[0].uuid).state)
    assert [(each.path, base64.b64decode(each.contents)) for each in state.files] == [('/etc/motd', b'hi')]
    assert file()['contents'] not in repr(state)
    assert file()['contents'] not in str(request_of(cloud, made.json['server']['id']).to_wire())


def test_the_password_waits_in_the_task_hidden(cloud, create):
    made = create(adminPass='s3cret')
    assert made.json['server']['adminPass'] == 's3cret'
    with cloud.dbs.api.read() as conn:
        state = objects.Record.from_wire(rows.get(conn, rows.open_tasks(conn)[0].uuid).state)
    assert state.password != 's3cret' and cloud.clients.trust.reveal(state.password) == 's3cret'


@pytest.mark.parametrize(('wrong', 'status'), [
    ([{'path': '/etc/motd'}], 400), ([{'contents': 'aGk='}], 400), ([{'path': '/a', 'contents': 'no!'}], 400),
    ([file(f'/{n}') for n in range(3)], 403), ([file('/' + 'x' * 20)], 403), ([file(contents=b'x' * 41)], 403),
])
def test_files_that_cannot_be(cloud, create, wrong, status):
    for name, limit in (('injected_files', 2), ('injected_file_path_length', 20),
                        ('injected_file_content_bytes', 40)):
        cloud.conf.set_override(name, limit, 'quota')
    assert create(version='2.56', personality=wrong).status_code == status
    assert not traces(cloud)


def test_files_are_of_the_past(create):
    assert create(version='2.1', personality=[]).status_code == 202
    assert create(version='2.57', personality=[file()]).status_code == 400


def test_quota_is_exact(cloud, create):
    """QTA-S1: as many as fit of those asked for; none when that is less than the least."""
    cloud.conf.set_override('cores', 7, 'quota')
    answer = create(min_count=1, max_count=5, return_reservation_id=True)
    assert answer.status_code == 202 and answer.json['reservation_id'].startswith('r-')
    with cloud.dbs.api.read() as conn:
        found = objects.BuildRequest.all(conn)
        assert len(found) == len(objects.InstanceMapping.all(conn)) == 3
        assert len(rows.open_tasks(conn)) == 1
    assert sorted(request.instance.display_name for request in found) == ['web-1', 'web-2', 'web-3']
    assert {request.instance.reservation_id for request in found} == {answer.json['reservation_id']}
    over = create()
    assert over.status_code == 403 and 'cores' in over.json['forbidden']['message']


def test_too_much_metadata_is_over_quota(cloud, create):
    cloud.conf.set_override('metadata_items', 1, 'quota')
    assert create(metadata={'a': '1', 'b': '2'}).status_code == 403


def test_a_boot_volume(cloud, create):
    """It is not reserved here: the build's first step does that, its task being written down already.

    Servers of one request do not share it (MAT-F4, B 1747985).
    """
    volume = cloud.clients.volume.add(size=3, bootable=True, project_id=clouds.PROJECT)
    device = {'source_type': 'volume', 'destination_type': 'volume', 'uuid': volume, 'boot_index': 0}
    made = create(imageRef=None, block_device_mapping_v2=[device])
    assert made.status_code == 202, made.json
    instance = request_of(cloud, made.json['server']['id'])
    assert instance.is_volume_backed and instance.image_ref is None
    assert spec_of(cloud, instance.uuid).is_bfv
    assert create(imageRef=None, max_count=2, block_device_mapping_v2=[device]).status_code == 400
    cloud.clients.volume.volumes[volume]['status'] = 'in-use'
    assert create(imageRef=None, block_device_mapping_v2=[device]).status_code == 400


def disk(source='blank', boot_index=-1, **more):
    return {'source_type': source, 'destination_type': 'volume', 'boot_index': boot_index, **more}


def state_of(cloud):
    with cloud.dbs.api.read() as conn:
        task, = rows.open_tasks(conn)
        return objects.Record.from_wire(rows.get(conn, task.uuid).state)


def test_volumes_to_be_made(cloud, create):
    """Nothing is made yet; the task holds what makes them the user's, which nobody can read."""
    origin = cloud.clients.volume.add(size=4, bootable=True, project_id=clouds.PROJECT)
    snapshot = cloud.clients.volume.add_snapshot(origin, size=4)
    kind = {'id': uuids.generate(), 'name': 'fast'}
    cloud.clients.volume.kinds.append(kind)
    made = create(imageRef='', max_count=2, return_reservation_id=True, block_device_mapping_v2=[
        disk('image', 0, uuid=cloud.image_id, volume_size=3, delete_on_termination=True, tag='root'),
        disk('snapshot', uuid=snapshot, volume_type='fast'),
        disk(volume_size=1, volume_type=kind['id'])])
    assert made.status_code == 202, made.json
    with cloud.dbs.api.read() as conn:
        for one in objects.BuildRequest.all(conn):
            assert [(d.source_type, d.volume_size, d.volume_type, d.volume_id, d.delete_on_termination, d.tag)
                    for d in one.instance.block_devices] == [
                        ('image', 3, None, None, True, 'root'), ('snapshot', 4, 'fast', None, False, None),
                        ('blank', 1, 'fast', None, False, None)]
            assert one.instance.is_volume_backed and one.instance.image_ref is None
            assert spec_of(cloud, one.instance_uuid).is_bfv
    assert list(cloud.clients.volume.volumes) == [origin] and state_of(cloud).trust
    assert state_of(cloud).trust not in repr(state_of(cloud))


def test_ports_are_asked_for_on_the_users_word(cloud, create):
    assert create().status_code == 202
    state = state_of(cloud)
    assert cloud.clients.trust.trusted(context.RequestContext('user', 'project'), state.trust).auth_token


@pytest.mark.parametrize(('device', 'words'), [
    (disk(), 'size'), (disk('image', uuid='ee000000-0000-4000-8000-000000000000', volume_size=1), 'image'),
    (disk('snapshot', uuid='ee000000-0000-4000-8000-000000000000'), 'snapshot'),
    (disk('volume', uuid='ee000000-0000-4000-8000-000000000000'), 'volume'),
    (disk(volume_size=1, volume_type='none-such'), 'none-such'),
    (disk(volume_size=1, boot_index=0), 'Boot sequence'), (disk(volume_size=0), ''),
])
def test_volumes_that_cannot_be_made(cloud, create, device, words):
    root = {'source_type': 'image', 'destination_type': 'local', 'uuid': cloud.image_id, 'boot_index': 0}
    made = create(block_device_mapping_v2=[root, device])
    assert made.status_code == 400, made.json
    assert words in made.json['badRequest']['message'] and not traces(cloud)


def test_a_type_needs_2_67(cloud, create):
    device = disk(volume_size=1, volume_type='__DEFAULT__')
    assert create(version='2.66', block_device_mapping_v2=[device]).status_code == 400
    assert create(version='2.67', block_device_mapping_v2=[device]).status_code == 202


@pytest.mark.parametrize('image', [{'min_disk': 4}, {'size': 4 * 2**30}])
def test_a_boot_volume_has_room_for_its_image(cloud, create, image):
    cloud.clients.image.images[cloud.image_id].update(image)
    device = disk('image', 0, uuid=cloud.image_id, volume_size=3)
    made = create(imageRef='', block_device_mapping_v2=[device])
    assert made.status_code == 400 and 'minimum size' in made.json['badRequest']['message']
    assert create(imageRef='', block_device_mapping_v2=[{**device, 'volume_size': 4}]).status_code == 202


def test_the_first_syntax_makes_a_volume_of_a_snapshot(cloud, create):
    origin = cloud.clients.volume.add(size=4, bootable=True, project_id=clouds.PROJECT, volume_image_metadata={
        'image_id': cloud.image_id, 'min_ram': '2048'})
    snapshot = cloud.clients.volume.add_snapshot(origin, size=4)
    device = {'device_name': 'vda', 'snapshot_id': snapshot, 'delete_on_termination': '1'}
    small = create(version='2.1', imageRef='', block_device_mapping=[device])
    assert small.status_code == 400, 'what the snapshot was made of wants more memory'
    cloud.clients.volume.volumes[origin]['volume_image_metadata']['min_ram'] = '0'
    made = create(version='2.1', imageRef='', block_device_mapping=[device])
    root = request_of(cloud, made.json['server']['id']).root_device
    assert (root.snapshot_id, root.volume_size, root.boot_index, root.delete_on_termination) == (
        snapshot, 4, 0, True)


def test_volumes_stay_in_their_zone(cloud, create):
    cloud.conf.set_override('cross_az_attach', False, 'cinder')
    cloud.host('host1', zone='east')
    east, west = (cloud.clients.volume.add(availability_zone=zone, project_id=clouds.PROJECT)
                  for zone in ('east', 'west'))
    made = create(block_device_mapping_v2=[disk('volume', uuid=east)])
    assert spec_of(cloud, made.json['server']['id']).availability_zone == 'east'
    apart = [disk('volume', uuid=east), disk('volume', uuid=west)]
    assert create(block_device_mapping_v2=apart).status_code == 400
    assert create(block_device_mapping_v2=apart[1:], availability_zone='east').status_code == 400


def test_as_many_as_get_their_ports(cloud, create):
    """The quota of ports lowers max_count, and refuses what is below min_count."""
    cloud.clients.network.api.room = 5
    two = [{'uuid': cloud.network_id}] * 2
    made = create(min_count=1, max_count=4, networks=two, return_reservation_id=True)
    assert made.status_code == 202, made.json
    with cloud.dbs.api.read() as conn:
        assert len(objects.BuildRequest.all(conn)) == 2
    assert create(min_count=3, max_count=4, networks=two).status_code == 403
    assert create(min_count=3, max_count=4, networks='none').status_code == 202


def test_a_shared_volume_needs_2_60(cloud, create):
    volume = cloud.clients.volume.add(multiattach=True, project_id=clouds.PROJECT)
    device = {'source_type': 'volume', 'destination_type': 'volume', 'uuid': volume, 'boot_index': -1}
    assert create(version='2.59', block_device_mapping_v2=[device]).status_code == 400
    answer = create(version='2.60', block_device_mapping_v2=[device])
    assert answer.status_code == 202
    with cloud.dbs.api.read() as conn:
        spec = objects.RequestSpec.find(conn, instance_uuid=answer.json['server']['id'])
    assert spec.requested_resources == [{'suffix': '', 'required': ['COMPUTE_VOLUME_MULTI_ATTACH']}], 'MAT-F1'


def test_a_flavor_without_a_disk_is_for_boot_volumes(cloud, create):
    cloud.flavor(flavorid='diskless', root_gb=0)
    assert create(flavorRef='diskless').status_code == 403
    assert create(flavorRef='diskless', headers=clouds.ADMIN).status_code == 202


def test_a_private_flavor_does_not_exist_for_others(cloud, create):
    cloud.flavor(flavorid='private', is_public=False)
    assert create(flavorRef='private').status_code == 400


def test_hosts_are_chosen_by_administrators(cloud, create):
    cloud.host('host1', zone='east')
    assert create(availability_zone='east:host1').status_code == 403
    assert create(host='host1').status_code == 403
    forced = create(availability_zone='east:host1', headers=clouds.ADMIN)
    spec = spec_of(cloud, forced.json['server']['id'])
    assert (spec.force_hosts, spec.availability_zone, spec.requested_destination) == (['host1'], 'east', None)
    wanted = create(host='host1', headers=clouds.ADMIN)
    spec = spec_of(cloud, wanted.json['server']['id'])
    assert (spec.force_hosts, spec.requested_destination.host) == ([], 'host1')
    assert create(host='none-such', headers=clouds.ADMIN).status_code == 400
    assert create(host='host1', availability_zone='east:host1', headers=clouds.ADMIN).status_code == 400
    assert create(availability_zone='east').status_code == 202


def test_a_group_gets_its_member(cloud, create):
    group = objects.InstanceGroup(uuid=uuids.generate(), user_id='alice', project_id=clouds.PROJECT, name='g',
                                  policy='anti-affinity')
    cloud.dbs.api.write(group.create)
    made = create(hints={'group': group.uuid, 'custom': 'x'})
    uuid = made.json['server']['id']
    with cloud.dbs.api.read() as conn:
        assert objects.InstanceGroup.get(conn, uuid=group.uuid).members == [uuid]
    assert spec_of(cloud, uuid).scheduler_hints == {'group': [group.uuid], 'custom': ['x']}
    cloud.conf.set_override('server_group_members', 1, 'quota')
    assert create(hints={'group': group.uuid}).status_code == 403


def test_a_key_goes_along(cloud, create):
    key = objects.KeyPair(user_id='alice', name='mine', public_key='ssh-rsa AAAA')
    cloud.dbs.api.write(lambda conn: key.create(conn))
    made = create(key_name='mine')
    assert request_of(cloud, made.json['server']['id']).keypair.public_key == 'ssh-rsa AAAA'


# Images that bring disks along -------------------------------------------------------------------

NEWER = {'source_type': 'snapshot', 'destination_type': 'volume', 'boot_index': 0, 'device_name': '/dev/vda',
         'device_type': 'disk', 'disk_bus': 'virtio', 'guest_format': None, 'no_device': None, 'image_id': None,
         'volume_id': None, 'volume_type': None, 'volume_size': 5, 'delete_on_termination': False}
OLDER = {'device_name': 'vda', 'delete_on_termination': True}


@pytest.fixture
def snapshot(cloud):
    origin = cloud.clients.volume.add(size=4, bootable=True, project_id=clouds.PROJECT)
    return cloud.clients.volume.add_snapshot(origin, size=4)


def image_of(cloud, devices, **more):
    """A snapshot of a volume-backed server: an image without data."""
    return cloud.clients.image.add(data=b'', block_device_mapping=devices, **more)


def disks_of(cloud, made):
    assert made.status_code == 202, made.json
    return request_of(cloud, made.json['server']['id']).block_devices


@pytest.mark.parametrize('text', [True, False])
@pytest.mark.parametrize(('newer', 'size'), [(True, 5), (False, 4)])
def test_an_image_that_names_snapshots_boots_from_them(cloud, create, snapshot, newer, size, text):
    devices = [{**(NEWER if newer else OLDER), 'snapshot_id': snapshot}]
    image = image_of(cloud, json.dumps(devices) if text else devices, root_device_name='/dev/vda',
                     **({'bdm_v2': 'True'} if newer else {}))
    root = {'source_type': 'image', 'destination_type': 'local', 'uuid': image, 'boot_index': 0}
    for more in ({}, {'block_device_mapping_v2': [root]}):
        device, = disks_of(cloud, create(imageRef=image, **more))
        assert (device.snapshot_id, device.boot_index, device.volume_size, device.device_name) == (
            snapshot, 0, size, '/dev/vda')
    as_volume = {**root, 'destination_type': 'volume', 'volume_size': 9}
    device, = disks_of(cloud, create(imageRef='', block_device_mapping_v2=[as_volume]))
    assert (device.snapshot_id, device.image_id) == (snapshot, None)


def test_what_a_request_says_of_a_device_wins_over_its_image(cloud, create, snapshot):
    image = image_of(cloud, [{**NEWER, 'snapshot_id': snapshot}, {
        **NEWER, 'snapshot_id': snapshot, 'boot_index': None, 'device_name': '/dev/vdb'}], bdm_v2='true')
    root, second = disks_of(cloud, create(imageRef=image, block_device_mapping_v2=[
        {**disk(volume_size=1), 'device_name': '/dev/vdb'}]))
    found = sorted([root, second], key=lambda device: device.device_name)
    assert [(device.source_type, device.boot_index) for device in found] == [('snapshot', 0), ('blank', None)]


def test_mappings_of_an_image_name_the_flavors_disks(cloud, create):
    cloud.flavor(flavorid='disks', name='disks', vcpus=1, memory_mb=64, root_gb=1, ephemeral_gb=2, swap=3)
    image = cloud.clients.image.add(mappings=json.dumps([
        {'virtual': 'ami', 'device': 'vda'}, {'virtual': 'ephemeral0', 'device': 'vdc'},
        {'virtual': 'swap', 'device': 'vdb'}]))
    found = {device.device_name: device.volume_size
             for device in disks_of(cloud, create(imageRef=image, flavorRef='disks'))}
    assert found == {'/dev/vda': None, '/dev/vdb': 3, '/dev/vdc': 2}
    assert len(disks_of(cloud, create(imageRef=image))) == 1


@pytest.mark.parametrize('wrong', ['{', '"text"', [1], [{'source_type': 'snapshot', 'boot_index': 0}]])
def test_an_image_that_makes_no_sense_is_refused(cloud, create, wrong):
    made = create(imageRef=image_of(cloud, wrong, bdm_v2='true'))
    assert made.status_code == 400, made.json


def test_a_snapshot_that_an_image_names_is_looked_at_as_the_user(cloud, create):
    gone = image_of(cloud, [{**NEWER, 'snapshot_id': uuids.generate()}], bdm_v2='true')
    assert create(imageRef=gone).status_code == 400


def test_a_local_root_disk_is_made_of_image_ref(cloud, create):
    root = {'source_type': 'image', 'destination_type': 'local', 'uuid': cloud.image_id, 'boot_index': 0}
    assert create(imageRef='', block_device_mapping_v2=[root]).status_code == 400
    assert create(block_device_mapping_v2=[root]).status_code == 202


def test_the_name_of_the_root_disk_is_taken(cloud, create):
    """Another device of that name does not move the root disk to the next one."""
    volume = cloud.clients.volume.add(project_id=clouds.PROJECT)
    device = {**disk('volume', uuid=volume), 'device_name': '/dev/vda'}
    assert create(block_device_mapping_v2=[device]).status_code == 400
    assert create(block_device_mapping_v2=[{**device, 'device_name': '/dev/vdb'}]).status_code == 202
