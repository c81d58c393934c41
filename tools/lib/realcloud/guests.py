"""The compute host with QEMU and libvirt of a real cloud."""

import hashlib
import pathlib
import subprocess
from typing import Any, Self

import guest_hosts

from realcloud import cinder
from realcloud.deployment import Deployment


def share(deployment: Deployment, export: str) -> pathlib.Path:
    """Where Cinder keeps the files of an export; hosts mount it under the same name."""
    name = hashlib.md5(f'127.0.0.1:{export}'.encode(), usedforsecurity=False).hexdigest()
    return deployment.state('cinder') / 'mount' / name


class Host:
    """The only compute host of a cloud."""

    def __init__(self, hosts: guest_hosts.Hosts) -> None:
        self._hosts = hosts

    @classmethod
    def up(cls, name: str) -> Self:
        """Start one whose host name is `name`."""
        return cls(guest_hosts.Hosts.up([name]))

    @classmethod
    def of(cls, deployment: Deployment) -> Self | None:
        """That of a cloud whose driver is libvirt."""
        instances = deployment.options.get('instances_path')
        return cls(guest_hosts.Hosts(pathlib.Path(instances).parents[1])) if instances else None

    @property
    def options(self) -> dict[str, Any]:
        """What nova-compute is told of it."""
        return self._hosts.options(1)

    def mount(self, deployment: Deployment) -> None:
        """Mount the shares of Cinder, here and on the host, where os-brick would mount them."""
        for export in cinder.BACKENDS.values():
            kept = share(deployment, export)
            mounted = self._hosts.directory / 'shares' / kept.name
            for directory in (kept, mounted):
                directory.mkdir(parents=True, exist_ok=True)
            for words in ([], ['nsenter', '-t', self._hosts.pid(1), '-m', '--']):
                subprocess.run([*words, 'mount', '--bind', kept, mounted], check=True)

    def down(self) -> None:
        """End it with its guests."""
        for mounted in self._hosts.directory.glob('shares/*'):
            if mounted.is_mount():
                subprocess.run(['umount', mounted], check=True)
        self._hosts.down()
