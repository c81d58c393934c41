"""What of shares is mounted on a host."""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable, Iterator, Mapping

from oslo_config import cfg

from nova.virt.libvirt.commands import Commands

SECONDS = 120.0
"""Within which storage has to answer."""


def _is_mounted(point: pathlib.Path) -> bool:
    """Whether something is mounted at a path; storage that is away is not asked."""
    mounts = pathlib.Path('/proc/self/mounts').read_text(encoding='utf-8')
    return str(point) in {line.split()[1].replace('\\040', ' ') for line in mounts.splitlines()}


class Mounts:
    """Shares of NFS and CephFS, each mounted for one guest.

    Args:
        is_mount: whether something is mounted at a path.
    """

    def __init__(self, conf: cfg.ConfigOpts, commands: Commands,
                 is_mount: Callable[[pathlib.Path], bool] = _is_mounted) -> None:
        self._conf, self._commands, self._is_mount = conf, commands, is_mount

    def point(self, server: str, share_id: str, share: Mapping[str, object]) -> pathlib.Path:
        """Where a share is mounted for a server."""
        conf = self._conf.libvirt
        ceph = share['share_proto'] == 'CEPHFS'
        base = conf.ceph_mount_point_base if ceph else conf.nfs_mount_point_base
        return pathlib.Path(base) / server / share_id

    def mount(self, server: str, share_id: str, share: Mapping[str, object]) -> None:
        """Mount a share, unless it is.

        Raises:
            errors.virt.DriverFailed: it cannot be mounted.
        """
        point = self.point(server, share_id, share)
        if self._is_mount(point):
            return
        point.mkdir(parents=True, exist_ok=True)
        with self._how(share) as (kind, options):
            chosen = ['-o', ','.join(options)] if options else []
            self._commands.run('mount', '-t', kind, *chosen, str(share['export_location']), str(point),
                               seconds=SECONDS)

    @contextlib.contextmanager
    def _how(self, share: Mapping[str, object]) -> Iterator[tuple[str, list[str]]]:
        """Type of the file system, and options; a key is in a file that nobody else reads, and soon gone."""
        conf = self._conf.libvirt
        if share['share_proto'] != 'CEPHFS':
            yield 'nfs', [conf.nfs_mount_options] if conf.nfs_mount_options else []
            return
        with tempfile.NamedTemporaryFile('w', encoding='ascii', prefix='nova-') as file:
            file.write(str(share['key']))
            file.flush()
            yield 'ceph', [f'name={share["access_to"]}', f'secretfile={file.name}', *conf.ceph_mount_options]

    def unmount(self, server: str, share_id: str, share: Mapping[str, object]) -> None:
        """Unmount a share, if it is mounted.

        Raises:
            errors.virt.DriverFailed: somebody uses it.
        """
        point = self.point(server, share_id, share)
        if self._is_mount(point):
            self._commands.run('umount', str(point), seconds=SECONDS)
        for each in (point, point.parent):
            try:
                each.rmdir()
            except OSError:
                return
