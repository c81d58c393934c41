"""How shares are mounted on a libvirt host, without a host."""

import os
import pathlib
import stat

import pytest

from nova import conf as nova_conf
from nova import errors
from nova.virt.libvirt.mounts import Mounts

SERVER, SHARE = '5e9c7a52-6b0c-4f7c-9d0e-2d2f3c0f1a11', '1f0a3a7e-57a5-4f5e-8a7e-0c7a8b1d2e3f'
NFS = {'share_proto': 'NFS', 'export_location': '192.0.2.9:/share', 'access_to': '192.0.2.1', 'key': None}
CEPH = {'share_proto': 'CEPHFS', 'export_location': '192.0.2.9:6789:/volumes/share', 'access_to': 'nova-1',
        'key': 'AQB=='}


class Host:
    """Where commands mount nothing, but are remembered; `mounted` are the points that they say are."""

    def __init__(self):
        self.commands, self.mounted, self.keys, self.fails = [], set(), [], False

    def run(self, *command, seconds):
        if self.fails:
            raise errors.virt.DriverFailed(reason='mount has failed')
        self.commands.append(command)
        for option in ','.join(command).split(','):
            if option.startswith('secretfile='):
                file = pathlib.Path(option.partition('=')[2])
                self.keys.append((file.read_text(), stat.S_IMODE(os.stat(file).st_mode)))
        change = self.mounted.add if command[0] == 'mount' else self.mounted.discard
        change(pathlib.Path(command[-1]))


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def mounts(tmp_path, host):
    conf = nova_conf.new(config_files=[], **{
        'state_path': str(tmp_path), 'libvirt.nfs_mount_options': 'vers=4.2',
        'libvirt.ceph_mount_options': ['noatime']})
    return Mounts(conf, host, host.mounted.__contains__)


def test_a_share_of_nfs(tmp_path, host, mounts):
    point = tmp_path / 'mnt' / SERVER / SHARE
    for _ in range(2):
        mounts.mount(SERVER, SHARE, NFS)
    assert host.commands == [('mount', '-t', 'nfs', '-o', 'vers=4.2', '192.0.2.9:/share', str(point))]
    for _ in range(2):
        mounts.unmount(SERVER, SHARE, NFS)
    assert host.commands[1:] == [('umount', str(point))] and not point.parent.exists()


def test_a_share_of_ceph(tmp_path, host, mounts):
    """Nobody sees the key: it is in no command, and in a file of the host's own while it is mounted."""
    mounts.mount(SERVER, SHARE, CEPH)
    (_, _, kind, _, options, place, _), = host.commands
    name, file, more = options.split(',')
    assert (kind, name, more, place) == ('ceph', 'name=nova-1', 'noatime', CEPH['export_location'])
    assert host.keys == [('AQB==', 0o600)] and not os.path.exists(file.partition('=')[2])


def test_what_is_in_a_share_is_never_removed(tmp_path, host, mounts):
    point = mounts.point(SERVER, SHARE, NFS)
    point.mkdir(parents=True)
    (point / 'data').write_text('somebody\'s')
    mounts.unmount(SERVER, SHARE, NFS)
    assert (point / 'data').read_text() == 'somebody\'s'


def test_a_mount_that_fails(host, mounts):
    host.fails = True
    with pytest.raises(errors.virt.DriverFailed):
        mounts.mount(SERVER, SHARE, NFS)
