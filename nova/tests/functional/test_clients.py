"""The public clients, unmodified, against a standalone cloud."""

import contextlib
import functools
import json

import novaclient.client
import openstack
import pytest

from nova.tests.fixtures import osc
from nova.tests.fixtures.waiting import until


@pytest.fixture(scope='module')
def cli(cloud):
    """Type an ``openstack`` command as a user; JSON where the command prints a document."""
    with contextlib.ExitStack() as stack:
        @functools.cache
        def client(user):
            return stack.enter_context(contextlib.closing(osc.Client(cloud.clouds_file, user)))

        def run(line, *more, user='demo', raw=False):
            code, out, err = client(user)([*line.split(), *more, *(() if raw else ('-f', 'json'))])
            assert code == 0, (line, out, err)
            return out if raw else json.loads(out)
        yield run


def test_a_servers_life(cli):
    made = cli('server create --image tiny --flavor m1.tiny --network private --wait cli')
    assert made['status'] == 'ACTIVE'
    assert [(row['Name'], row['Status']) for row in cli('server list')] == [('cli', 'ACTIVE')]
    shown = cli('server show cli')
    assert (shown['id'], shown['flavor']['name']) == (made['id'], 'm1.tiny')
    cli('server set --name renamed --property colour=blue cli', raw=True)
    assert cli('server show renamed')['properties'] == {'colour': 'blue'}
    for command, status in (('pause', 'PAUSED'), ('unpause', 'ACTIVE'), ('suspend', 'SUSPENDED'),
                            ('resume', 'ACTIVE'), ('stop', 'SHUTOFF'), ('start', 'ACTIVE')):
        cli(f'server {command} renamed', raw=True)
        until(lambda wanted=status: cli('server show renamed')['status'] == wanted)
    cli('server reboot renamed', raw=True)
    until(lambda: cli('server show renamed')['OS-EXT-STS:task_state'] is None)
    cli('server lock renamed', raw=True)
    cli('server unlock renamed', raw=True)
    events = cli('server event list renamed')
    assert {event['Action'] for event in events} >= {'create', 'pause', 'stop', 'start', 'reboot', 'lock'}
    detail = cli('server event show renamed', events[-1]['Request ID'])
    assert detail['action'] == 'create'
    cli('server delete renamed', raw=True)
    until(lambda: cli('server list') == [])


def test_flavors(cli):
    made = cli('flavor create --ram 128 --disk 1 --vcpus 1 --property hw:cpu_policy=shared cli.small',
               user='admin')
    assert made['properties'] == {'hw:cpu_policy': 'shared'}
    assert 'cli.small' in [row['Name'] for row in cli('flavor list')]
    cli('flavor set --property trait:CUSTOM_X=required cli.small', user='admin', raw=True)
    assert 'trait:CUSTOM_X' in cli('flavor show cli.small', user='admin')['properties']
    cli('flavor unset --property trait:CUSTOM_X cli.small', user='admin', raw=True)
    cli('flavor delete cli.small', user='admin', raw=True)


def test_keypairs(cli, tmp_path):
    private = tmp_path / 'key'
    cli('keypair create --private-key', str(private), 'mine')
    assert 'PRIVATE KEY' in private.read_text()
    assert [row['Name'] for row in cli('keypair list')] == ['mine']
    assert cli('keypair show mine')['name'] == 'mine'
    cli('keypair delete mine', raw=True)
    assert cli('keypair list') == []


def test_what_operators_look_at(cli):
    services = cli('compute service list', user='admin')
    assert {row['State'] for row in services} == {'up'}
    assert len([row for row in services if row['Binary'] == 'nova-compute']) == 4
    hypervisors = cli('hypervisor list', user='admin')
    assert len(hypervisors) == 4
    assert cli('hypervisor show', hypervisors[0]['Hypervisor Hostname'], user='admin')['state'] == 'up'
    assert [row['Zone Name'] for row in cli('availability zone list --compute')] == ['nova']
    cli('compute service set --disable --disable-reason testing compute4 nova-compute', user='admin', raw=True)
    disabled = [row for row in cli('compute service list --long', user='admin') if row['Host'] == 'compute4']
    assert disabled[0]['Disabled Reason'] == 'testing'
    cli('compute service set --enable compute4 nova-compute', user='admin', raw=True)


def test_a_server_with_everything(cli, tmp_path):
    """What `openstack server create` can ask for in one go, and what it says when two servers want one port."""
    script = tmp_path / 'script.sh'
    script.write_text('#!/bin/sh\n')
    cli('keypair create --private-key', str(tmp_path / 'key'), 'everything')
    cli('port create --network private everything')
    cli('volume create --size 1 everything')
    until(lambda: cli('volume show everything')['status'] == 'available')
    cli('--os-compute-api-version 2.96 server create --image tiny --flavor m1.tiny --port everything '
        '--key-name everything --availability-zone nova --hint query=none --config-drive True --property a=b '
        '--description words --tag red --hostname box --block-device-mapping vdb=everything --user-data',
        str(script), 'everything')
    until(lambda: cli('server show everything')['status'] == 'ACTIVE')
    shown = cli('--os-compute-api-version 2.96 server show everything')
    assert {key: shown[key] for key in (
        'key_name', 'OS-EXT-AZ:availability_zone', 'pinned_availability_zone', 'config_drive', 'properties',
        'description', 'tags', 'OS-EXT-SRV-ATTR:hostname')} == {
            'key_name': 'everything', 'OS-EXT-AZ:availability_zone': 'nova', 'pinned_availability_zone': 'nova',
            'config_drive': 'True', 'properties': {'a': 'b'}, 'description': 'words', 'tags': ['red'],
            'OS-EXT-SRV-ATTR:hostname': 'box'}
    assert [row['Status'] for row in cli('volume list')] == ['in-use']
    cli('server delete --wait everything', raw=True)
    until(lambda: [row['Status'] for row in cli('volume list')] == ['available'])
    assert [row['Name'] for row in cli('port list')] == ['everything'], 'a port that was brought along stays'
    for what in ('port', 'volume', 'keypair'):
        cli(f'{what} delete everything', raw=True)


def test_servers_with_volumes_of_their_own(cli):
    """`--boot-from-volume`, and `--block-device` of every source; what is to go with the server goes."""
    cli('--os-compute-api-version 2.96 server create --image tiny --flavor m1.tiny --network private '
        '--boot-from-volume 2 --wait rooted')
    shown = cli('server show rooted')
    assert shown['image'].startswith('N/A')
    root, = cli('volume list')
    assert (root['Status'], root['Size']) == ('in-use', 2)
    assert cli('volume show', root['ID'])['bootable'] in (True, 'true')
    cli('server delete --wait rooted', raw=True)
    until(lambda: cli('volume show', root['ID'])['status'] == 'available')
    cli('volume snapshot create --volume', root['ID'], 'saved')
    until(lambda: cli('volume snapshot show saved')['status'] == 'available')
    saved, image = cli('volume snapshot show saved')['id'], cli('image show tiny')['id']
    cli('--os-compute-api-version 2.96 server create --flavor m1.tiny --network private --wait '
        f'--block-device uuid={saved},source_type=snapshot,destination_type=volume,boot_index=0,'
        'delete_on_termination=true,tag=root '
        '--block-device source_type=blank,destination_type=volume,volume_size=1,volume_type=__DEFAULT__,'
        'delete_on_termination=true '
        f'--block-device uuid={image},source_type=image,destination_type=volume,volume_size=1,'
        'delete_on_termination=true many')
    made = [row for row in cli('volume list') if row['ID'] != root['ID']]
    assert sorted((row['Size'], row['Status']) for row in made) == [(1, 'in-use'), (1, 'in-use'), (2, 'in-use')]
    cli('server delete --wait many', raw=True)
    until(lambda: [row['ID'] for row in cli('volume list')] == [root['ID']])
    cli('volume snapshot delete saved', raw=True)
    until(lambda: cli('volume snapshot list') == [])
    cli('volume delete', root['ID'], raw=True)
    until(lambda: cli('volume list') == [])


def test_volumes_of_a_server(cli):
    """`server add volume`, `remove volume`, `volume list` and `volume update`, at versions that differ."""
    cli('server create --image tiny --flavor m1.tiny --network private --wait holder')
    for name in ('old', 'new'):
        cli(f'volume create --size 1 {name}')
        until(lambda name=name: cli(f'volume show {name}')['status'] == 'available')
    added = cli('--os-compute-api-version 2.96 server add volume --tag data --device /dev/vdx holder old')
    assert (added['Device'], added['Tag']) == ('/dev/vdx', 'data')
    cli('--os-compute-api-version 2.101 server add volume --enable-delete-on-termination holder new', raw=True)
    until(lambda: {row['Status'] for row in cli('volume list')} == {'in-use'})
    listed = {row['Device']: row for row in cli('--os-compute-api-version 2.96 server volume list holder')}
    assert {device: row['Delete On Termination?'] for device, row in listed.items()} == {
        '/dev/vdx': False, '/dev/vdb': True}
    cli('--os-compute-api-version 2.96 server volume update --preserve-on-termination holder new', raw=True)
    listed = cli('--os-compute-api-version 2.96 server volume list holder')
    assert [row['Delete On Termination?'] for row in listed] == [False, False]
    cli('server remove volume holder old', raw=True)
    until(lambda: cli('volume show old')['status'] == 'available')
    cli('server delete --wait holder', raw=True)
    until(lambda: {row['Status'] for row in cli('volume list')} == {'available'})
    for name in ('old', 'new'):
        cli(f'volume delete {name}', raw=True)
    until(lambda: cli('volume list') == [])


def test_placement_through_osc(cli):
    providers = cli('resource provider list', user='admin')
    assert sorted(row['name'] for row in providers) == [f'compute{n}' for n in range(1, 5)]
    inventory = cli('resource provider inventory list', providers[0]['uuid'], user='admin')
    assert {row['resource_class'] for row in inventory} == {'VCPU', 'MEMORY_MB', 'DISK_GB'}


def test_volumes_by_novaclient(cloud):
    """Its library, which others are built on: a server on a volume gets another one, and loses it."""
    connection = openstack.connection.Connection(config=openstack.config.OpenStackConfig(
        config_files=[str(cloud.clouds_file)]).get_one('demo'))
    nova = novaclient.client.Client('2.89', session=connection.session)
    image, network = connection.image.find_image('tiny').id, connection.network.find_network('private').id
    made = nova.servers.create('holder', None, nova.flavors.find(name='m1.tiny'), nics=[{'net-id': network}],
                               block_device_mapping_v2=[{
                                   'uuid': image, 'source_type': 'image', 'destination_type': 'volume',
                                   'volume_size': 1, 'boot_index': 0, 'delete_on_termination': True}])
    until(lambda: nova.servers.get(made).status == 'ACTIVE')
    volume = connection.create_volume(size=1, wait=True).id
    nova.volumes.create_server_volume(made.id, volume, tag='data', delete_on_termination=False)
    until(lambda: connection.get_volume(volume).status == 'in-use')
    found = {one.volumeId: one for one in nova.volumes.get_server_volumes(made.id)}
    assert len(found) == 2 and (found[volume].device, found[volume].tag) == ('/dev/vdb', 'data')
    nova.volumes.update_server_volume(made.id, volume, volume, delete_on_termination=True)
    assert nova.volumes.get_server_volume(made.id, volume).delete_on_termination is True
    nova.volumes.delete_server_volume(made.id, volume)
    until(lambda: connection.get_volume(volume).status == 'available')
    nova.servers.delete(made)
    until(lambda: not nova.servers.list())
    until(lambda: [one.id for one in connection.list_volumes()] == [volume])
    connection.delete_volume(volume, wait=True)
    connection.close()


def test_openstacksdk(cloud):
    connection = openstack.connection.Connection(config=openstack.config.OpenStackConfig(
        config_files=[str(cloud.clouds_file)]).get_one('demo'))
    server = connection.create_server('sdk', image='tiny', flavor='m1.tiny', network='private', wait=True)
    assert server.status == 'ACTIVE'
    assert [found.name for found in connection.compute.servers()] == ['sdk']
    volume = connection.create_volume(size=1, wait=True)
    attachment = connection.attach_volume(server, volume, wait=True)
    assert (attachment.volume_id, attachment.device) == (volume.id, '/dev/vdb')
    assert [one.volume_id for one in connection.compute.volume_attachments(server)] == [volume.id]
    changed = connection.compute.update_volume_attachment(server, volume.id, delete_on_termination=True)
    assert changed is not None
    connection.detach_volume(server, connection.get_volume(volume.id), wait=True)
    connection.delete_volume(volume.id, wait=True)
    connection.delete_server(server.id, wait=True)
    connection.close()
