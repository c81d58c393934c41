"""Config drives: an iso9660 or vfat image labelled config-2."""

import os
import pathlib
import shutil
import tempfile
from collections.abc import Sequence

from nova.virt.libvirt.commands import Commands

_VFAT_BYTES = 64 * 1024 * 1024


def write(commands: Commands, target: pathlib.Path, files: Sequence[tuple[str, bytes]], kind: str) -> None:
    """Write a drive with these files; `kind` is iso9660 or vfat."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix='.config-') as name:
        top = pathlib.Path(name)
        os.chmod(top, 0o700)
        for path, contents in files:
            file = top / 'files' / path.lstrip('/')
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(contents)
        made = top / 'drive'
        (_vfat if kind == 'vfat' else _iso)(commands, made, top / 'files')
        os.replace(made, target)
    os.chmod(target, 0o600)


def _iso(commands: Commands, made: pathlib.Path, files: pathlib.Path) -> None:
    program = next((name for name in ('genisoimage', 'mkisofs', 'xorrisofs') if shutil.which(name)),
                   'genisoimage')
    commands.run(program, '-quiet', '-J', '-r', '-ldots', '-allow-lowercase', '-allow-multidot', '-l',
                 '-publisher', 'OpenStack Compute', '-V', 'config-2', '-o', str(made), str(files))


def _vfat(commands: Commands, made: pathlib.Path, files: pathlib.Path) -> None:
    with made.open('wb') as stream:
        stream.truncate(_VFAT_BYTES)
    env = {**os.environ, 'MTOOLS_SKIP_CHECK': '1'}
    commands.run('mformat', '-i', str(made), '-v', 'CONFIG-2', '-F', '::', env=env)
    commands.run('mcopy', '-s', '-i', str(made), *map(str, sorted(files.iterdir())), '::', env=env)
