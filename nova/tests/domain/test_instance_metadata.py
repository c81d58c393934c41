"""What guests are told: both trees at every version, and the same on a config drive."""

import base64
import dataclasses
import datetime
import json
from typing import Any

import pytest

from nova import objects
from nova.domain.instance_metadata import ec2, network, openstack, tree
from nova.domain.instance_metadata.subject import Subject
from nova.objects.network_model import IP, VIF, Network, NetworkInfo, Subnet

UUID = '0123abcd-0000-4000-8000-00000000cafe'


def vif(**values: Any) -> VIF:
    subnet = Subnet(id='s', cidr='10.0.0.0/24', version=4, gateway='10.0.0.1', dns=['10.0.0.2'],
                    dhcp_server=None,
                    ipv6_address_mode=None, routes=[{'cidr': '192.0.2.0/24', 'gateway': '10.0.0.9'}],
                    ips=[IP(address='10.0.0.5', version=4, type='fixed', floating_ips=[
                        IP(address='203.0.113.7', version=4, type='floating', floating_ips=[])])])
    six = Subnet(id='t', cidr='fd00::/64', version=6, gateway='fd00::1', dns=['10.0.0.2'], dhcp_server=None,
                 ipv6_address_mode='slaac', routes=[], ips=[IP(address='fd00::5', version=6, type='fixed',
                                                                floating_ips=[])])
    return VIF(**{'id': 'port-1', 'address': 'fa:16:3e:00:00:01', 'type': 'ovs', 'vnic_type': 'normal',
                  'devname': 'tapport-1', 'ovs_interfaceid': None, 'details': {}, 'profile': {}, 'active': True,
                  'made_by_us': True, 'delegate_create': True, 'tag': 'front',
                  'security_groups': ['default', 'web'],
                  'network': Network(id='n', label='private', bridge='br-int', mtu=1450, physical_network=None,
                                     tunneled=True, project_id='p', subnets=[subnet, six]), **values})


def instance(**values: Any) -> Any:
    flavor = objects.Flavor(flavorid='1', name='m1.tiny', memory_mb=64, vcpus=1, root_gb=1)
    disks = [
        objects.BlockDeviceMapping(uuid=f'{UUID[:-1]}0', source_type='image', destination_type='local',
                                   boot_index=0,
                                   device_name='/dev/vda'),
        objects.BlockDeviceMapping(uuid=f'{UUID[:-1]}1', source_type='blank', destination_type='local',
                                   device_name='/dev/vdb'),
        objects.BlockDeviceMapping(uuid=f'{UUID[:-1]}2', source_type='blank', destination_type='local',
                                   guest_format='swap',
                                   device_name='/dev/vdc'),
        objects.BlockDeviceMapping(uuid=f'{UUID[:-1]}3', source_type='volume', destination_type='volume',
                                   tag='data',
                                   volume_id='vol-1', device_name='/dev/vdd')]
    return objects.Instance.new(**{
        'uuid': UUID, 'project_id': 'p', 'user_id': 'u', 'display_name': 'Web One', 'hostname': 'web-one',
        'image_ref': 'a1b2c3d4-0000-4000-8000-000000000001', 'flavor': flavor, 'reservation_id': 'r-1',
        'key_name': 'mine', 'keypair': objects.KeyPair(user_id='u', name='mine', type='ssh',
                                                       public_key='ssh-rsa AAA'),
        'user_data': base64.b64encode(b'#!/bin/sh\n').decode(), 'metadata': {'role': 'web'},
        'block_devices': disks,
        'network_info': NetworkInfo(vifs=[vif()]), 'root_device_name': '/dev/vda',
        'launched_at': datetime.datetime(2026, 1, 1), **values})


def subject(**values: Any) -> Subject:
    return Subject(**{'instance': instance(), 'zone': 'zone-1', 'domain': 'novalocal', 'seed': b'seed',
                      'vendordata': {'org': 'us'}, 'vendordata_dynamic': {'join': {'token': 't'}}, **values})


def read(path: str, of: Subject | None = None) -> str:
    return tree.find(of or subject(), path).decode()


def test_the_root_lists_the_versions() -> None:
    assert read('/').split('\n') == [*ec2.VERSIONS, 'latest']
    assert read('/openstack').split('\n') == [*openstack.VERSIONS, 'latest']


@pytest.mark.parametrize(('path', 'said'), [
    ('meta-data/instance-id', 'i-0123abcd000040008'), ('meta-data/ami-id', 'ami-a1b2c3d4000040008'),
    ('meta-data/hostname', 'web-one.novalocal'), ('meta-data/local-ipv4', '10.0.0.5'),
    ('meta-data/public-ipv4', '203.0.113.7'), ('meta-data/instance-type', 'm1.tiny'),
    ('meta-data/placement', 'availability-zone'), ('meta-data/placement/availability-zone', 'zone-1'),
    ('meta-data/public-keys', '0=mine'), ('meta-data/public-keys/', '0=mine'),
    ('meta-data/public-keys/0', 'openssh-key'),
    ('meta-data/public-keys/0/openssh-key', 'ssh-rsa AAA'), ('meta-data/security-groups', 'default\nweb'),
    ('meta-data/block-device-mapping', 'ami\nebs0\nephemeral0\nroot\nswap'),
    ('meta-data/block-device-mapping/ebs0', '/dev/vdd'), ('user-data', '#!/bin/sh\n'),
    ('', 'meta-data/\nuser-data')])
def test_ec2(path: str, said: str) -> None:
    assert read(f'/latest/{path}') == read(f'/2009-04-04/{path}') == said


def test_ec2_grows_with_its_versions() -> None:
    assert 'public-ipv4' not in read('/1.0/meta-data').split('\n')
    assert 'public-ipv4' in read('/2007-01-19/meta-data').split('\n')
    assert 'placement/' not in read('/2007-12-15/meta-data').split('\n')
    assert 'placement/' in read('/2008-02-01/meta-data').split('\n')


@pytest.mark.parametrize('path',
                         ['/2000-01-01', '/latest/nothing', '/latest/meta-data/hostname/more',
                          '/openstack/1999',
                                  '/openstack/latest/vendor', '/openstack/latest/user_data/x',
                                  '/openstack/content/0000'])
def test_what_is_not_there(path: str) -> None:
    with pytest.raises(tree.NoSuchPath):
        tree.find(subject(), path)


def test_openstack_grows_with_its_versions() -> None:
    assert read('/openstack/2012-08-10').split('\n') == ['meta_data.json', 'user_data']
    assert read('/openstack/2013-04-04').split('\n') == ['meta_data.json', 'password', 'user_data']
    assert 'network_data.json' in read('/openstack/2015-10-15').split('\n')
    assert read('/openstack/latest').split('\n') == [
        'meta_data.json', 'network_data.json', 'password', 'user_data', 'vendor_data.json', 'vendor_data2.json']


def test_meta_data() -> None:
    said = json.loads(read('/openstack/latest/meta_data.json'))
    assert said['uuid'] == UUID and said['name'] == 'Web One' and said['hostname'] == 'web-one.novalocal'
    assert said['meta'] == {'role': 'web'} and said['public_keys'] == {'mine': 'ssh-rsa AAA'}
    assert said['keys'] == [{'name': 'mine', 'type': 'ssh', 'data': 'ssh-rsa AAA'}]
    assert base64.b64decode(said['random_seed']) == b'seed' and said['project_id'] == 'p'
    nic, disk = said['devices']
    assert (nic['type'], nic['mac'], nic['tags']) == ('nic', 'fa:16:3e:00:00:01', ['front'])
    assert (disk['type'], disk['serial'], disk['tags'], disk['path']) == ('disk', 'vol-1', ['data'], '/dev/vdd')
    assert 'random_seed' not in json.loads(read('/openstack/2012-08-10/meta_data.json'))
    assert 'devices' not in json.loads(read('/openstack/2015-10-15/meta_data.json'))


def test_devices_are_where_the_driver_put_them() -> None:
    where = [{'id': 'port-1', 'bus': 'pci', 'address': '0000:00:02.0'}]
    one = subject(instance=instance(device_metadata=where))
    nic, disk = json.loads(read('/openstack/latest/meta_data.json', one))['devices']
    assert (nic['bus'], nic['address'], disk['bus']) == ('pci', '0000:00:02.0', 'none')


def test_a_name_that_has_a_domain_keeps_it() -> None:
    one = subject(instance=instance(hostname='web.example.org'))
    assert read('/latest/meta-data/hostname', one) == 'web.example.org'


def test_vendordata() -> None:
    assert json.loads(read('/openstack/latest/vendor_data.json')) == {'org': 'us'}
    assert json.loads(read('/openstack/latest/vendor_data2.json')) == {
        'static': {'org': 'us'}, 'join': {'token': 't'}}


def test_network_data() -> None:
    said = network.document(subject())
    assert said['links'] == [{'id': 'tapport-1', 'vif_id': 'port-1', 'type': 'ovs', 'mtu': 1450,
                              'ethernet_mac_address': 'fa:16:3e:00:00:01'}]
    four, six = said['networks']
    assert (four['type'], four['ip_address'], four['netmask']) == ('ipv4', '10.0.0.5', '255.255.255.0')
    assert four['routes'] == [
        {'network': '0.0.0.0', 'netmask': '0.0.0.0', 'gateway': '10.0.0.1'},
        {'network': '192.0.2.0', 'netmask': '255.255.255.0', 'gateway': '10.0.0.9'}]
    assert (six['type'], six['netmask'],
            six['routes'][0]['network']) == ('ipv6_slaac', 'ffff:ffff:ffff:ffff::', '::')
    assert said['services'] == [{'type': 'dns', 'address': '10.0.0.2'}]


def test_a_server_with_nothing() -> None:
    bare = subject(instance=instance(key_name=None, keypair=None, user_data=None, network_info=None,
                                     metadata={},
                                     block_devices=[], image_ref=None, hostname=None))
    assert read('/latest/meta-data/local-ipv4', bare) == ''
    assert 'public-keys/' not in read('/latest/meta-data', bare)
    assert json.loads(read('/openstack/latest/network_data.json', bare)) == {
        'links': [], 'networks': [], 'services': []}


def test_a_config_drive_says_the_same() -> None:
    one = subject(files=(('/etc/motd', b'hello'),), password='secret')
    drive = dict(tree.config_drive(one))
    assert drive['openstack/latest/user_data'] == b'#!/bin/sh\n' == drive['ec2/latest/user-data']
    said = json.loads(drive['openstack/latest/meta_data.json'])
    assert said['admin_pass'] == 'secret'
    assert said['files'] == [{'content_path': '/content/0000', 'path': '/etc/motd'}]
    assert drive['openstack/content/0000'] == b'hello'
    assert json.loads(drive['ec2/2009-04-04/meta-data.json'])['instance-id'] == 'i-0123abcd000040008'
    assert {path.split('/')[1] for path in drive if path.startswith('openstack/')} == {
        *openstack.VERSIONS, 'latest', 'content'}


def test_secrets_are_not_shown() -> None:
    assert 'secret' not in repr(dataclasses.replace(subject(), password='secret', files=(('/a', b'secret'),)))
