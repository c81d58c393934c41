"""Where a guest's files are."""

import pathlib

NETWORKED = frozenset({
    'nfs', 'nfs4', 'ceph', 'fuse.ceph', 'fuse.glusterfs', 'glusterfs', 'lustre', 'gpfs', 'cifs', 'smb3',
    'ocfs2', 'gfs2', 'beegfs', 'afs', '9p'})
"""Types of file systems that several hosts may have in use."""


def is_networked(path: pathlib.Path, mounts: str | None = None) -> bool:
    """Whether a directory is on a file system that other hosts may see, too.

    Args:
        mounts: what ``/proc/mounts`` says; None reads it.
    """
    text = pathlib.Path('/proc/mounts').read_text(encoding='utf-8') if mounts is None else mounts
    above = [str(path), *map(str, path.parents)]
    kinds = {where: kind for _, where, kind, *_ in map(str.split, text.splitlines())}
    return next((kinds[each] for each in above if each in kinds), '') in NETWORKED


class Paths:
    """Below ``instances_path``.

    Attributes:
        home: the guest's own directory.
        kept: what a move has kept aside of it.
    """

    def __init__(self, instances: pathlib.Path, uuid: str) -> None:
        self.home = instances / uuid
        self.kept = instances / f'{uuid}_resize'
        self.leaving = instances / f'{uuid}_gone'

    @property
    def root(self) -> pathlib.Path:
        return self.home / 'disk'

    @property
    def swap(self) -> pathlib.Path:
        return self.home / 'disk.swap'

    def ephemeral(self, number: int) -> pathlib.Path:
        return self.home / f'disk.eph{number}'

    @property
    def config(self) -> pathlib.Path:
        """The config drive."""
        return self.home / 'disk.config'

    @property
    def tpm(self) -> pathlib.Path:
        """What the emulated TPM has of a guest that has not been started since it moved."""
        return self.home / 'disk.tpm'

    @property
    def rescue(self) -> pathlib.Path:
        """The root disk of a guest that is being rescued."""
        return self.home / 'disk.rescue'

    @property
    def console(self) -> pathlib.Path:
        """What the serial console has said."""
        return self.home / 'console.log'
