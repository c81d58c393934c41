"""The files of a volume that has snapshots: each holds what was written since the one below it was left."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping

from nova import errors
from nova.virt.libvirt.commands import Commands

_SECONDS = 3600.0


@dataclasses.dataclass(frozen=True)
class Merge:
    """What block storage wants to be done with two files that are neighbours.

    Attributes:
        base: name of what is below the file in use afterwards, which takes up everything between; None when it
            takes up everything. Only where there is no `target`.
        merged: name of the file that is written into `target`, and is not needed afterwards.
        target: name of the file below it.
    """

    base: str | None = None
    merged: str | None = None
    target: str | None = None

    @classmethod
    def asked(cls, snapshot: Mapping[str, object]) -> 'Merge':
        """As ``delete_info`` of os-assisted-volume-snapshots says it."""
        file, target = snapshot.get('file_to_merge'), snapshot.get('merge_target_file')
        if target is None:
            return cls(base=None if file is None else str(file))
        return cls(merged=str(file), target=str(target))


class Files:
    """
    Args:
        now: the file that the guest uses.

    Raises:
        errors.virt.DriverFailed: it has no snapshots, or cannot be read.
    """

    def __init__(self, commands: Commands, now: pathlib.Path) -> None:
        self._commands, self._now = commands, now
        told = json.loads(commands.run('qemu-img', 'info', '-U', '-f', 'qcow2', '--backing-chain',
                                       '--output=json', str(now)))
        self._formats = {pathlib.Path(one['filename']).name: str(one['format']) for one in told}
        self._names = list(self._formats)

    def are(self, merge: Merge) -> bool:
        """Whether that is done."""
        if merge.target is None:
            return self._names[1:2] == ([merge.base] if merge.base else [])
        return merge.target in self._names and merge.merged not in self._names

    def check(self, merge: Merge) -> None:
        """
        Raises:
            errors.virt.DriverFailed: files that are named are not where they would have to be.
        """
        below = self._names[1:]
        if merge.target is None:
            fits = merge.base is None or merge.base in below
        else:
            wanted = [str(merge.merged), merge.target]
            fits = any(below[at:at + 2] == wanted for at in range(len(below)))
        if not fits:
            raise errors.virt.DriverFailed(reason=f'{merge} does not fit the files {", ".join(self._names)}')

    def merge(self, merge: Merge) -> None:
        """Do it, while no guest uses them; whoever was killed on the way does it again."""
        if merge.target is None:
            self._rebase(self._now.name, merge.base)
        else:
            self._commands.run('qemu-img', 'commit', '-q', '-f', 'qcow2', '-d', '-b', self._path(merge.target),
                               self._path(str(merge.merged)), seconds=_SECONDS)
            above = self._names[self._names.index(str(merge.merged)) - 1]
            self._rebase(above, merge.target, '-u')

    def _rebase(self, name: str, base: str | None, *how: str) -> None:
        """By its name alone, since a share is mounted elsewhere on other hosts."""
        kind = ['-F', self._formats[base]] if base else []
        self._commands.run('qemu-img', 'rebase', '-q', '-f', 'qcow2', *how, '-b', base or '', *kind,
                           self._path(name), seconds=_SECONDS)

    def _path(self, name: str) -> str:
        return str(self._now.with_name(name))
