"""Hosts with QEMU and libvirt of a real cloud: Cinder's files are mounted there."""

import hashlib
import pathlib
import subprocess

from realcloud import cinder
from realcloud.deployment import Deployment


def share(deployment: Deployment, export: str) -> pathlib.Path:
    """Where Cinder keeps the files of an export; hosts mount it under the same name."""
    name = hashlib.md5(f'127.0.0.1:{export}'.encode(), usedforsecurity=False).hexdigest()
    return deployment.state('cinder') / 'mount' / name


def mount(deployment: Deployment) -> None:
    """Mount the shares, here and on each host, where os-brick would mount them."""
    if not (hosts := deployment.guest_hosts):
        return
    places = [[], *(['nsenter', '-t', hosts.pid(number), '-m', '--']
                    for number in map(deployment.number_of, deployment.hosts))]
    for export in cinder.BACKENDS.values():
        kept = share(deployment, export)
        mounted = hosts.directory / 'shares' / kept.name
        for directory in (kept, mounted):
            directory.mkdir(parents=True, exist_ok=True)
        for words in places:
            subprocess.run([*words, 'mount', '--bind', kept, mounted], check=True)


def unmount(deployment: Deployment) -> None:
    """Unmount them here; the hosts' mounts go with the hosts.

    The kernel is asked: a directory that is mounted within its own file system looks like any other.
    """
    if hosts := deployment.guest_hosts:
        known = {line.split()[1] for line in pathlib.Path('/proc/self/mounts').read_text().splitlines()}
        for mounted in hosts.directory.glob('shares/*'):
            if str(mounted.resolve()) in known:
                subprocess.run(['umount', mounted], check=True)
