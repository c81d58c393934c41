"""A compute host with QEMU and libvirt: a simulated one of tools/guest, for which root is needed."""

import hashlib
import os
import pathlib
import subprocess
import uuid
from typing import Any, Self

from realcloud import cinder
from realcloud.deployment import Deployment

TOOLS = pathlib.Path(__file__).parents[2] / 'guest'


def share(deployment: Deployment, export: str) -> pathlib.Path:
    """Where Cinder keeps the files of an export; hosts mount it under the same name."""
    name = hashlib.md5(f'127.0.0.1:{export}'.encode(), usedforsecurity=False).hexdigest()
    return deployment.state('cinder') / 'mount' / name


class Host:
    """The only compute host of a cloud.

    Args:
        directory: where everything of it is; sockets are below it, so its path is short.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self._directory = directory

    @classmethod
    def up(cls, name: str) -> Self:
        """Start one whose host name is `name`."""
        found = cls(pathlib.Path(f'/tmp/nova-{uuid.uuid4().hex[:4]}'))
        found._run('up', '1')
        found._run('exec', 'h1', 'hostname', name)
        return found

    @classmethod
    def of(cls, deployment: Deployment) -> Self | None:
        """That of a cloud whose driver is libvirt."""
        instances = deployment.options.get('instances_path')
        return cls(pathlib.Path(instances).parents[1]) if instances else None

    @property
    def options(self) -> dict[str, Any]:
        """What nova-compute is told of it."""
        return {'compute_driver': 'libvirt.LibvirtDriver',
                'instances_path': str(self._directory / 'h1' / 'instances'),
                'libvirt.virt_type': 'qemu', 'libvirt.cpu_mode': 'custom', 'libvirt.cpu_models': 'Nehalem',
                'libvirt.tb_cache_size': 48, 'libvirt.nfs_mount_point_base': str(self._directory / 'shares'),
                'libvirt.connection_uri':
                    f'qemu+unix:///system?socket={self._directory}/h1/run/libvirt-sock'}

    def mount(self, deployment: Deployment) -> None:
        """Mount the shares of Cinder, here and on the host, where os-brick would mount them."""
        pid = (self._directory / 'h1' / 'init.pid').read_text().strip()
        for export in cinder.BACKENDS.values():
            kept = share(deployment, export)
            mounted = self._directory / 'shares' / kept.name
            for directory in (kept, mounted):
                directory.mkdir(parents=True, exist_ok=True)
            for words in ([], ['nsenter', '-t', pid, '-m', '--']):
                subprocess.run([*words, 'mount', '--bind', kept, mounted], check=True)

    def down(self) -> None:
        """End it with its guests."""
        for mounted in self._directory.glob('shares/*'):
            if mounted.is_mount():
                subprocess.run(['umount', mounted], check=True)
        self._run('down')

    def _run(self, *words: str) -> None:
        env = os.environ | {'NOVA_HOSTS': str(self._directory),
                            'NOVA_HOSTS_PREFIX': f'n{self._directory.name[5:]}'}
        subprocess.run([TOOLS / 'hosts', *words], check=True, env=env, capture_output=True)
