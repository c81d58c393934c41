"""Domains as libvirt gets them: compared with files that people have read (nova/tests/virt/golden).

``NOVA_GOLDEN=write`` writes them anew, to be read before they are committed.
"""

import os
import pathlib

import pytest
from lxml import etree

from nova import conf as nova_conf
from nova import errors, objects
from nova.domain import cpusets, pci
from nova.virt import mdevs
from nova.virt.driver.claims import Cell, Claim, Interface
from nova.virt.driver.inventory import HostDevice, offered
from nova.virt.libvirt import describe, node_devices, spec, vif, volumes, xml
from nova.virt.libvirt.paths import Paths

GOLDEN = pathlib.Path(__file__).parent / 'golden'
UUID = '5e9c7a52-6b0c-4f7c-9d0e-2d2f3c0f1a11'
VOLUME = '1f0a3a7e-57a5-4f5e-8a7e-0c7a8b1d2e3f'
PORT = '7c9e6679-7425-40de-944b-e07fc1f90ae7'


def subject(extra=None, properties=None, claim=Claim(), options=None, devices=(), vifs=(), drive=False, vcpus=1,
            connections=None, rescue=False, serial_port=None, filesystems=(), **values):
    flavor = objects.Flavor(flavorid='1', name='small', vcpus=vcpus, memory_mb=512, root_gb=1,
                            extra_specs=extra or {})
    image = objects.ImageMeta(id='image', properties=objects.ImageProperties.from_image(properties or {}))
    instance = objects.Instance.new(
        uuid=UUID, project_id='project', user_id='user', display_name='web & co', image_ref='image',
        flavor=flavor, image_meta=image, block_devices=list(devices),
        network_info=objects.NetworkInfo(vifs=list(vifs)), **values)
    instance.id = 10
    conf = nova_conf.new(config_files=[], **{'libvirt.virt_type': 'qemu', **(options or {})})
    return describe.Subject(instance, conf, Paths(pathlib.Path('/var/instances'), UUID), connections or {},
                            claim, 'qcow2', rescue, drive, serial_port, tuple(filesystems))


def port(**values):
    network = objects.Network(id='6f9b2e3a-0000-4000-8000-000000000000', bridge='br100', mtu=1450)
    return objects.VIF(**{'id': PORT, 'address': 'fa:16:3e:01:02:03', 'network': network, 'type': 'bridge',
                          **values})


def device_port(number, vnic_type='direct', **values):
    kind = 'hostdev_physical' if vnic_type == 'direct-physical' else 'hw_veb'
    return port(id=f'{PORT[:-1]}{number}', vnic_type=vnic_type, type=kind, details={'vlan': '101'}, **values)


def a_volume(**values):
    return objects.BlockDeviceMapping(uuid=UUID, volume_id=VOLUME, source_type='volume', volume_size=1,
                                      destination_type='volume', device_name='/dev/vdc', **values)


def local(**values):
    return objects.BlockDeviceMapping(uuid=UUID, source_type='blank', destination_type='local', volume_size=1,
                                      **values)


FILE = {VOLUME: {'driver_volume_type': 'local', 'device_info': {'path': '/vol/1', 'type': 'file'}}}
BLOCK = {VOLUME: {'driver_volume_type': 'iscsi', 'multiattach': True,
                  'device_info': {'path': '/dev/sdx', 'type': 'block'}}}
RBD = {VOLUME: {'driver_volume_type': 'rbd', 'name': 'pool/volume-1', 'hosts': ['10.0.0.1', '10.0.0.2'],
                'ports': ['6789', '6789'], 'auth_username': 'cinder', 'secret_uuid': UUID,
                'device_info': {'type': 'network'}}}
NFS = {VOLUME: {'driver_volume_type': 'nfs', 'export': 'e', 'name': 'volume-1', 'format': 'qcow2',
                'access_mode': 'ro', 'qos_specs': {'total_iops_sec': '100'},
                'device_info': {'path': '/shares/x/volume-1', 'type': 'file'}}}
LUKS = {VOLUME: {'driver_volume_type': 'iscsi', 'encrypted': True, 'discard': True, 'secret': UUID,
                 'device_info': {'path': '/dev/dm-1', 'type': 'block'}}}
PINNED = Claim(cells=(Cell(0, 1, (0, 1), 256, {0: 4, 1: 5}, 2048), Cell(1, 0, (2, 3), 256, {2: 0, 3: 1}, 2048)),
               devices=('0000:81:00.1',))

CASES = {
    'plain': {},
    'everything': {
        'vcpus': 4, 'claim': PINNED, 'drive': True, 'vifs': [port()], 'connections': FILE,
        'devices': [local(), local(guest_format='swap'), a_volume()],
        'extra': {'quota:cpu_shares': '2048', 'quota:disk_read_iops_sec': '100', 'hw:cpu_cores': '2',
                  'hw:tpm_version': '2.0', 'hw:tpm_model': 'tpm-crb'},
        'properties': {'hw_machine_type': 'q35', 'hw_firmware_type': 'uefi', 'os_secure_boot': 'required',
                       'hw_qemu_guest_agent': 'yes', 'hw_watchdog_action': 'reset', 'hw_video_model': 'virtio',
                       'os_type': 'windows', 'img_hide_hypervisor_id': 'true'},
        'system_metadata': {'vtpm_secret_uuid': VOLUME},
        'options': {'libvirt.swtpm_enabled': True, 'spice.enabled': True, 'libvirt.num_pcie_ports': 2,
                    'libvirt.hw_disk_discard': 'unmap'}},
    'tpm-of-before': {'extra': {'hw:tpm_version': '1.2'}, 'options': {'libvirt.swtpm_enabled': True}},
    'from-a-volume': {'devices': [a_volume(boot_index=0)], 'connections': BLOCK},
    'volume-on-the-network': {'devices': [a_volume()], 'connections': RBD},
    'volume-on-a-share': {'devices': [a_volume()], 'connections': NFS},
    'shares': {'filesystems': [spec.Filesystem(tag='data', path='/var/lib/nova/mnt/x/y')]},
    'encrypted-volume': {'devices': [a_volume(boot_index=0)], 'connections': LUKS},
    'scsi': {'properties': {'hw_disk_bus': 'scsi', 'hw_scsi_model': 'virtio-scsi'}, 'devices': [a_volume()],
             'connections': BLOCK},
    'open-vswitch': {'vifs': [port(type='ovs', details={'bridge_name': 'br-int'}, ovs_interfaceid=PORT)]},
    'devices-as-ports': {
        'vifs': [device_port('1', 'direct'), device_port('2', 'macvtap'), device_port('3', 'direct-physical')],
        'claim': Claim(ports={device_port('1').id: Interface('0000:05:02.0', 'ens1v0'),
                              device_port('2').id: Interface('0000:05:02.1', 'ens1v1'),
                              device_port('3').id: Interface('0000:06:00.0', 'ens2')})},
    'mediated-devices': {'claim': Claim(devices=(VOLUME, '0000:81:00.1'))},
    'serial': {'serial_port': 10007, 'options': {'serial_console.enabled': True}},
    'rescue': {'rescue': True, 'drive': True, 'options': {'config_drive_format': 'vfat'}},
    'cpu-model': {'options': {'libvirt.cpu_mode': 'custom', 'libvirt.cpu_models': ['Nehalem'],
                              'libvirt.cpu_model_extra_flags': ['+pcid', '-vmx'], 'libvirt.tb_cache_size': 64,
                              'vnc.enabled': False, 'libvirt.mem_stats_period_seconds': 0}},
}


@pytest.mark.parametrize('name', CASES)
def test_domain(name):
    made = xml.text(xml.domain(describe.guest(subject(**CASES[name]))))
    file = GOLDEN / f'{name}.xml'
    if os.environ.get('NOVA_GOLDEN') == 'write':
        file.write_text(made, encoding='utf-8')
    assert made == file.read_text(encoding='utf-8')


def test_disks_have_names_of_their_own():
    """ATT: a wished name is taken where it fits the bus and is free."""
    devices = [a_volume(), local(device_name='/dev/vdc'), local(device_name='/dev/sda')]
    of = subject(devices=devices, connections=FILE, drive=True)
    targets = [disk.target for disk in describe.guest(of).disks]
    assert targets == ['vda', 'vdc', 'vdb', 'vdd', 'hda']


def test_a_volume_that_is_not_connected():
    with pytest.raises(errors.virt.DriverFailed, match='not connected'):
        describe.guest(subject(devices=[a_volume()]))


@pytest.mark.parametrize('kind', ['hostdev', 'unbound', None])
def test_an_interface_of_an_unknown_kind(kind):
    with pytest.raises(errors.virt.Unsupported):
        describe.guest(subject(vifs=[port(type=kind)]))


@pytest.mark.parametrize(('vnic_type', 'kind', 'devname'), [
    ('direct', 'ovs', 'ens1v0'), ('macvtap', 'hw_veb', None), ('direct', 'unbound', None)])
def test_a_device_that_cannot_be_the_interface(vnic_type, kind, devname):
    with pytest.raises(errors.virt.Unsupported, match=vnic_type):
        vif.describe(port(vnic_type=vnic_type, type=kind), 'virtio', device=Interface('0000:05:02.0', devname))


PCI_DEVICES = """<devices>
<device><name>pci_0000_05_00_0</name><capability type='pci'><domain>0</domain><bus>5</bus>
<slot>0</slot><function>0</function><product id='0x1572'/><vendor id='0x8086'/><numa node='1'/>
<capability type='virt_functions' maxCount='64'/></capability></device>
<device><name>pci_0000_05_02_1</name><capability type='pci'><domain>0</domain><bus>5</bus><slot>2</slot>
<function>1</function><product id='0x154c'/><vendor id='0x8086'/><capability type='phys_function'>
<address domain='0x0000' bus='0x05' slot='0x00' function='0x0'/></capability></capability></device>
<device><name>pci_0000_81_00_0</name><capability type='pci'><domain>0</domain><bus>129</bus><slot>0</slot>
<function>0</function><product id='0x1eb8'/><vendor id='0x10de'/></capability></device></devices>"""
INTERFACES = """<devices><device><name>net_ens1</name><parent>pci_0000_05_00_0</parent><capability type='net'>
<interface>ens1</interface><address>52:54:00:00:00:01</address></capability></device>
<device><name>net_ens1v1</name><parent>pci_0000_05_02_1</parent><capability type='net'>
<interface>ens1v1</interface><address>52:54:00:00:00:02</address></capability></device></devices>"""


def test_devices_of_the_host():
    """A card, a function of it, and something else, as libvirt describes them."""
    found = node_devices.described(list(etree.fromstring(PCI_DEVICES)), list(etree.fromstring(INTERFACES)))
    assert found == [
        HostDevice('0000:05:00.0', '8086', '1572', 1, type=pci.CARD, devnames=('ens1',),
                   mac='52:54:00:00:00:01'),
        HostDevice('0000:05:02.1', '8086', '154c', type=pci.FUNCTION, card='0000:05:00.0',
                   devnames=('ens1v1', 'ens1'), mac='52:54:00:00:00:02'),
        HostDevice('0000:81:00.0', '10de', '1eb8')]
    card, function, gpu = found
    nic = pci.device_specs(['{"devname": "ens1", "physical_network": "a"}'])
    assert [device.address for device in offered(found, nic)] == [function.address]
    assert [device.address for device in offered([card, gpu], nic)] == [card.address]


GRAPHICS = """<devices><device><name>pci_0000_84_00_0</name><capability type='pci'><domain>0</domain>
<bus>132</bus><slot>0</slot><function>0</function><numa node='1'/><capability type='mdev_types'>
<type id='nvidia-35'><availableInstances>2</availableInstances></type>
<type id='nvidia-36'><availableInstances>0</availableInstances></type></capability></capability></device>
</devices>"""


def test_mediated_devices_of_the_host():
    """What is made of a card is counted: ours, known by its uuid, and others'."""
    ours = mdevs.ident('0000:84:00.0', 'nvidia-35', 0)
    made = [etree.fromstring(f"<device><name>mdev_{ident.replace('-', '_')}_0000_84_00_0</name>"
                             "<parent>pci_0000_84_00_0</parent><capability type='mdev'><type id='nvidia-35'/>"
                             "</capability></device>") for ident in (ours, UUID)]
    card, = node_devices.mdev_cards(list(etree.fromstring(GRAPHICS)), made)
    assert card == mdevs.Card('0000:84:00.0', {'nvidia-35': 4, 'nvidia-36': 0}, {'nvidia-35': 1}, 1)
    conf = nova_conf.new(config_files=[], **{'devices.enabled_mdev_types': ['nvidia-35']})
    devices = mdevs.offered(conf, [card])
    assert [device.address for device in devices][0] == ours and len(devices) == 3
    assert etree.tostring(node_devices.new_mdev(devices[0])).decode() == (
        '<device><parent>pci_0000_84_00_0</parent><capability type="mdev"><type id="nvidia-35"/>'
        f'<uuid>{ours}</uuid></capability></device>')


def test_a_tap_that_is_there():
    assert vif.describe(port(type='tap'), 'virtio') == spec.Nic(
        mac='fa:16:3e:01:02:03', kind='ethernet', target='tap7c9e6679-74', mtu=1450, alias=f'ua-{PORT}')


@pytest.mark.parametrize(('text', 'cpus'), [
    ('0-3,^2', {0, 1, 3}), ('', set()), (' 1 , 3-4', {1, 3, 4}), ('^1,0-2', {0, 2})])
def test_sets_of_cpus(text, cpus):
    assert cpusets.parse(text) == cpus


@pytest.mark.parametrize('text', ['a', '1-', '-1', '1-2-3', '1..2'])
def test_sets_of_cpus_that_are_none(text):
    with pytest.raises(errors.Invalid):
        cpusets.parse(text)


def test_connection_data_is_flat_or_nested():
    assert volumes.data_of({'driver_volume_type': 'x', 'data': {'a': 1}}) == {'a': 1}
    assert volumes.data_of({'driver_volume_type': 'x', 'a': 1, 'device_info': {}}) == {
        'driver_volume_type': 'x', 'a': 1}


def test_the_destinations_domain_has_its_paths():
    tree = etree.fromstring('<domain><devices><disk><source file="/here/U/disk"/></disk><serial><log '
                            'file="/here/U/console.log"/></serial><graphics listen="1.1.1.1"><listen '
                            'address="1.1.1.1"/></graphics></devices></domain>')
    there = xml.text(xml.moved(tree, {'/here/U/': '/there/U/'}, '2.2.2.2'))
    assert '/here' not in there and '1.1.1.1' not in there and there.count('/there/U/') == 2


def test_the_destinations_domain_has_its_cpus():
    """LM: what is claimed there is not what was claimed here."""
    tree = xml.domain(describe.guest(subject(vcpus=4, claim=PINNED)))
    xml.pin(tree, {'0': '8', '1': '9', '2': '12', '3': '13'}, {'0': 2, '1': 3})
    assert [each.get('cpuset') for each in tree.find('cputune')] == ['8', '9', '12', '13', '8,9,12,13']
    assert [each.get('nodeset') for each in tree.find('numatune')] == ['2,3', '2', '3']
    plain = xml.domain(describe.guest(subject()))
    before = xml.text(plain)
    xml.pin(plain, {}, {})
    assert xml.text(plain) == before


def test_the_destinations_domain_has_its_keys():
    """VOL-S3: a volume that was swapped is opened by a key of another name there."""
    tree = xml.domain(describe.guest(subject(devices=[a_volume()], connections=LUKS)))
    there = xml.moved(tree, {}, secrets={UUID: VOLUME})
    assert [each.get('uuid') for each in there.iter('secret')] == [VOLUME]


def test_a_snapshot_of_an_encrypted_disk_is_encrypted():
    tree = xml.domain(describe.guest(subject(devices=[a_volume()], connections=LUKS)))
    made, = xml.snapshot('vdc', '/vol/new', tree).findall('./disks/disk/source')
    assert made.find('./encryption/secret').get('uuid') == UUID


def test_a_snapshot_leaves_other_disks_alone():
    tree = etree.fromstring('<domain><devices><disk><target dev="vda"/></disk><disk><target dev="vdb"/></disk>'
                            '</devices></domain>')
    made = xml.snapshot('vdb', '/vol/new', tree)
    assert [(disk.get('name'), disk.get('snapshot')) for disk in made.iter('disk')] == [
        ('vda', 'no'), ('vdb', 'external')]


def test_a_disk_is_found_by_what_it_lies_over():
    """After a snapshot the guest writes to a new file; whoever looks for the old one finds the disk."""
    tree = etree.fromstring(
        '<domain><devices><disk><source file="/new"/><backingStore><source file="/old"/><backingStore/>'
        '</backingStore></disk><disk><source file="/other"/></disk></devices></domain>')
    assert xml.source(xml.find_source(tree, '/old')) == xml.source(xml.find_source(tree, '/new')) == '/new'
    assert xml.source(xml.find_source(tree, '/other')) == '/other' and xml.find_source(tree, '/none') is None
