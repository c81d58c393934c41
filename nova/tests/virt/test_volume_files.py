"""Files of a volume with snapshots are merged while no guest uses them: no content is lost (qemu-img)."""

import subprocess

import pytest

from nova import errors
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.volume_files import Files, Merge

pytestmark = pytest.mark.libvirt

SIZE = 1 << 20
BLOCK = SIZE // 4


def run(*words):
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@pytest.fixture(params=['raw', 'qcow2'])
def volume(request, tmp_path):
    """Its files, oldest first: the volume itself, then one a snapshot; each has a block of its own."""
    names = ['volume', 'volume.1', 'volume.2', 'volume.3']
    kind, share = request.param, tmp_path / 'share'
    share.mkdir()
    for number, name in enumerate(names):
        if number == 0:
            run('qemu-img', 'create', '-f', kind, share / name, SIZE)
        else:
            run('qemu-img', 'create', '-f', 'qcow2', '-F', kind, '-b', names[number - 1], share / name)
            kind = 'qcow2'
        run('qemu-io', '-f', kind, '-c', f'write -P {number + 1} {number * BLOCK} {BLOCK}', share / name)
    return share


def content(file, kind='qcow2'):
    """What each block has."""
    read = file.with_name('read')
    run('qemu-img', 'convert', '-f', kind, '-O', 'raw', file, read)
    data = read.read_bytes()
    return [data[block * BLOCK] for block in range(4)]


def merge(volume, **info):
    """As block storage asks; twice, since a step may be repeated."""
    wanted = Merge.asked(info)
    for _ in range(2):
        files = Files(Commands(), volume / 'volume.3')
        if not files.are(wanted):
            files.check(wanted)
            files.merge(wanted)
    assert Files(Commands(), volume / 'volume.3').are(wanted)


def test_the_newest_snapshot_goes(volume):
    """What is in use takes up one file; the others, and what is below them, are left as they are."""
    merge(volume, file_to_merge='volume.1', merge_target_file=None)
    (volume / 'volume.2').unlink()
    assert content(volume / 'volume.3') == [1, 2, 3, 4]
    assert content(volume / 'volume.1') == [1, 2, 0, 0]


def test_the_only_snapshot_goes(volume):
    merge(volume, file_to_merge=None, merge_target_file=None)
    for name in ('volume', 'volume.1', 'volume.2'):
        (volume / name).unlink()
    assert content(volume / 'volume.3') == [1, 2, 3, 4]


def test_an_older_snapshot_goes(volume):
    """Its file is written into the one below it, and the one above it finds that."""
    merge(volume, file_to_merge='volume.2', merge_target_file='volume.1')
    (volume / 'volume.2').unlink()
    assert content(volume / 'volume.3') == [1, 2, 3, 4]
    assert content(volume / 'volume.1') == [1, 2, 3, 0]


def test_the_oldest_snapshot_goes(volume):
    merge(volume, file_to_merge='volume.1', merge_target_file='volume')
    (volume / 'volume.1').unlink()
    assert content(volume / 'volume.3') == [1, 2, 3, 4]
    assert content(volume / 'volume.2') == [1, 2, 3, 0]


def test_a_directory_that_has_moved(volume):
    """Shares are mounted elsewhere on other hosts: files name one another without a directory."""
    merge(volume, file_to_merge='volume.1', merge_target_file='volume')
    merge(volume, file_to_merge='volume', merge_target_file=None)
    moved = volume.rename(volume.with_name('elsewhere'))
    assert content(moved / 'volume.3') == [1, 2, 3, 4]


@pytest.mark.parametrize('info', [
    {'file_to_merge': 'other'}, {'file_to_merge': 'volume.3'},
    {'file_to_merge': 'volume.2', 'merge_target_file': 'volume'},
    {'file_to_merge': 'volume.3', 'merge_target_file': 'volume.2'},
    {'file_to_merge': '../volume.2', 'merge_target_file': 'volume.1'}])
def test_files_that_are_not_where_they_would_have_to_be(volume, info):
    wanted, files = Merge.asked(info), Files(Commands(), volume / 'volume.3')
    with pytest.raises(errors.virt.DriverFailed, match='does not fit'):
        files.check(wanted)


def test_a_volume_without_snapshots(tmp_path):
    (tmp_path / 'volume').write_bytes(bytes(SIZE))
    with pytest.raises(errors.virt.DriverFailed, match='qemu-img'):
        Files(Commands(), tmp_path / 'volume')
