"""Compute hosts with QEMU and libvirt: simulated ones of tools/guest, for which root is needed.

Services run beside them, in the network of this machine, and reach each one's libvirt by its socket.
"""

import os
import pathlib
import subprocess
import tempfile
import uuid
from typing import Any, Self

GUEST = pathlib.Path(__file__).parents[1] / 'guest'
IMAGE = GUEST.parents[1] / '.guest' / 'guest.qcow2'
"""The guest of the tests, once `build` has made it."""


def build() -> pathlib.Path:
    """Make the guest of the tests, unless it is there; its image."""
    _run([GUEST / 'build', IMAGE.parent], dict(os.environ))
    return IMAGE


def _run(words: list[str | pathlib.Path], env: dict[str, str]) -> None:
    """
    Raises:
        OSError: it failed; the text is what it said.
    """
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f'{words[0]} failed:\n{done.stdout}{done.stderr}')


class Hosts:
    """Hosts h1, h2 ...

    Args:
        directory: where everything of them is; sockets are below it, so its path is short.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory

    @classmethod
    def up(cls, names: list[str]) -> Self:
        """Start one host a name, which becomes its host name."""
        found = cls(pathlib.Path(tempfile.gettempdir()) / f'nova-{uuid.uuid4().hex[:4]}')
        found.run('up', str(len(names)))
        for number, name in enumerate(names):
            found.run('exec', f'h{number + 1}', 'hostname', name)
        return found

    def options(self, number: int) -> dict[str, Any]:
        """What nova-compute is told of a host, counted from 1: option to value."""
        here = self.directory / f'h{number}'
        return {'compute_driver': 'libvirt.LibvirtDriver', 'instances_path': str(here / 'instances'),
                'libvirt.virt_type': 'qemu', 'libvirt.cpu_mode': 'custom', 'libvirt.cpu_models': 'Nehalem',
                'libvirt.tb_cache_size': 48, 'libvirt.nfs_mount_point_base': str(self.directory / 'shares'),
                'libvirt.connection_uri': self.uri(number)}

    def uri(self, number: int) -> str:
        """Its libvirt, as it is reached from outside of the hosts."""
        return f'qemu+unix:///system?socket={self.directory}/h{number}/run/libvirt-sock'

    def moving(self, number: int) -> dict[str, Any]:
        """How hosts reach one another, in the same form: by the sockets, which lie below their addresses."""
        return {'my_ip': f'10.99.0.1{number}', 'libvirt.live_migration_uri':
                f'qemu+unix:///system?socket={self.directory}/at/%s/run/libvirt-sock'}

    def environment(self, number: int) -> dict[str, str]:
        """What nova-compute of a host finds in its environment: ``ip`` is that of the host's network."""
        return {'PATH': f'{self.directory}/h{number}/bin:{os.environ["PATH"]}'}

    def pid(self, number: int) -> str:
        """The first process of a host."""
        return (self.directory / f'h{number}' / 'init.pid').read_text().strip()

    def down(self) -> None:
        """End them with their guests."""
        self.run('down')

    def run(self, *words: str) -> None:
        """Run tools/guest/hosts."""
        _run([GUEST / 'hosts', *words], os.environ | {
            'NOVA_HOSTS': str(self.directory), 'NOVA_HOSTS_PREFIX': f'n{self.directory.name[5:]}'})
