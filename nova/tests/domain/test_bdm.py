"""Block devices, from a request to the list a server gets."""

import pytest

from nova import errors
from nova.domain import bdm

IMAGE, VOLUME, SECOND = (f'cc000000-0000-4000-8000-00000000000{i}' for i in range(3))


def made(legacy=None, modern=None, image=IMAGE, swap=0, ephemeral=0, **options):
    return bdm.complete(bdm.parse(legacy, modern), image, swap, ephemeral, legacy=bool(legacy), **options)


def shape(devices):
    return [(d.source_type, d.destination_type, d.boot_index, d.volume_size) for d in devices]


def test_an_image_alone_is_the_root_disk():
    assert shape(made()) == [('image', 'local', 0, None)]


def test_flavor_gives_what_the_user_left_out():
    assert shape(made(swap=512, ephemeral=10)) == [
        ('image', 'local', 0, None), ('blank', 'local', None, 10), ('blank', 'local', None, 512)]


def test_a_volume_boots_instead_of_an_image():
    devices = made(modern=[{'source_type': 'volume', 'uuid': VOLUME, 'boot_index': '0',
                            'delete_on_termination': 'True'}], image=None)
    assert shape(devices) == [('volume', 'volume', 0, None)]
    assert devices[0].volume_id == VOLUME and devices[0].delete_on_termination
    assert bdm.volume_backed(devices)


def test_a_second_disk_does_not_boot():
    devices = made(modern=[{'source_type': 'volume', 'destination_type': 'volume', 'uuid': VOLUME,
                            'boot_index': -1}])
    assert shape(devices) == [('image', 'local', 0, None), ('volume', 'volume', None, None)]
    assert not bdm.volume_backed(devices)


def test_the_first_syntax_boots_its_first_volume_when_there_is_no_image():
    devices = made(legacy=[{'device_name': 'vda', 'volume_id': VOLUME}], image=None)
    assert shape(devices) == [('volume', 'volume', 0, None)]
    assert devices[0].device_name == '/dev/vda'


def test_what_the_user_boots_from_takes_the_images_place():
    modern = [{'source_type': 'image', 'destination_type': 'volume', 'uuid': IMAGE, 'boot_index': 0,
               'volume_size': 3}]
    devices = made(modern=modern)
    assert shape(devices) == [('image', 'volume', 0, 3)]
    assert bdm.volume_backed(devices) and bdm.is_made(devices[0])


def test_a_snapshot_says_its_size_later():
    modern = [{'source_type': 'snapshot', 'destination_type': 'volume', 'uuid': SECOND, 'boot_index': 0}]
    assert shape(made(modern=modern, image=None)) == [('snapshot', 'volume', 0, None)]
    legacy = [{'snapshot_id': SECOND, 'device_name': 'vda', 'delete_on_termination': '1', 'volume_size': '2'}]
    device, = made(legacy=legacy, image=None)
    assert (device.boot_index, device.snapshot_id, device.volume_size) == (0, SECOND, 2)
    assert bdm.is_made(device) and device.delete_on_termination


def test_own_root_image_entry_is_not_doubled():
    modern = [{'source_type': 'image', 'destination_type': 'local', 'uuid': IMAGE, 'boot_index': 0}]
    assert shape(made(modern=modern)) == [('image', 'local', 0, None)]


@pytest.mark.parametrize('modern', [
    [{'source_type': 'volume'}],
    [{'source_type': 'blank', 'uuid': VOLUME}],
    [{'source_type': 'volume', 'destination_type': 'local', 'uuid': VOLUME}],
    [{'source_type': 'image', 'destination_type': 'local', 'uuid': IMAGE, 'boot_index': 1}],
    [{'source_type': 'volume', 'uuid': VOLUME, 'boot_index': 2}],
    [{'source_type': 'blank', 'guest_format': 'swap', 'volume_size': 513}],
    [{'source_type': 'blank', 'volume_size': 11}],
    [{'source_type': 'blank', 'guest_format': 'swap'}, {'source_type': 'blank', 'guest_format': 'swap'}],
    [{'source_type': 'blank', 'destination_type': 'volume'}],
    [{'source_type': 'image', 'destination_type': 'volume', 'uuid': IMAGE, 'boot_index': 0}],
    [{'source_type': 'snapshot', 'destination_type': 'local', 'uuid': SECOND}],
    [{'source_type': 'volume', 'uuid': VOLUME, 'boot_index': 0},
     {'source_type': 'volume', 'uuid': SECOND, 'boot_index': 0}],
    [{'source_type': 'volume', 'uuid': VOLUME, 'disk_bus': 'parallel'}],
])
def test_what_cannot_be_is_refused(modern):
    with pytest.raises(errors.block.BlockDeviceInvalid):
        made(modern=modern, swap=512, ephemeral=10)


def test_nothing_to_boot_from_is_refused():
    with pytest.raises(errors.block.BlockDeviceInvalid, match='Boot sequence'):
        made(modern=[{'source_type': 'volume', 'uuid': VOLUME}], image=None)


def test_the_two_syntaxes_do_not_mix():
    with pytest.raises(errors.Invalid, match='different block_device_mapping syntaxes'):
        bdm.parse([{'volume_id': VOLUME}], [{'source_type': 'volume', 'uuid': SECOND}])


def test_local_disks_are_counted():
    with pytest.raises(errors.block.BlockDeviceInvalid, match='more local devices'):
        made(ephemeral=10, local_limit=1)
    assert len(made(ephemeral=10, local_limit=2)) == 2


def test_names_are_unique_and_the_users_choice_is_kept():
    devices = made(modern=[{'source_type': 'volume', 'uuid': VOLUME, 'device_name': '/dev/vdb'},
                           {'source_type': 'volume', 'uuid': SECOND}], swap=512, ephemeral=10)
    assert bdm.name_devices(devices) == '/dev/vda'
    assert [d.device_name for d in devices] == ['/dev/vda', '/dev/vdb', '/dev/vdd', '/dev/vdc', '/dev/vde']
    assert bdm.next_name(['/dev/vda']) == '/dev/vdb'


def test_same_name_twice_is_refused():
    devices = made(modern=[{'source_type': 'volume', 'uuid': VOLUME, 'device_name': 'vdb'},
                           {'source_type': 'volume', 'uuid': SECOND, 'device_name': '/dev/vdb'}])
    with pytest.raises(errors.block.BlockDeviceInvalid):
        bdm.name_devices(devices)


def test_letters_count_like_kernels_do():
    assert [bdm.letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ['a', 'z', 'aa', 'az', 'ba', 'zz', 'aaa']
