"""Local disks: files of the guest's own directory, put there whole or not at all."""

import os
import pathlib

from oslo_config import cfg

from nova import errors
from nova.common.units import Gi
from nova.virt.libvirt.cache import ImageCache
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.paths import Paths


class Disks:
    """Makes, grows and converts disks, as ``[libvirt] images_type`` says."""

    def __init__(self, conf: cfg.ConfigOpts, commands: Commands, cache: ImageCache) -> None:
        self._commands, self.cache = commands, cache
        kind = conf.libvirt.images_type
        self.format = 'qcow2' if kind == 'qcow2' or (kind == 'default' and conf.use_cow_images) else 'raw'

    def create(self, path: pathlib.Path, base: pathlib.Path, gb: int) -> None:
        """A disk of an image, grown to `gb`; 0 leaves its size. One that is there is left as it is.

        Raises:
            errors.image.ImageUnusable: the image is larger than that.
        """
        if path.exists():
            return
        size = self.cache.info(base, _kind(base)).virtual_size
        if gb and size > gb * Gi:
            raise errors.image.ImageUnusable(
                image=base.stem, reason=f'it has {size} bytes, more than the {gb} GB of the disk')
        new = path.with_name(f'{path.name}.new')
        new.unlink(missing_ok=True)
        if self.format == 'qcow2':
            self._commands.run('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', _kind(base), '-b', str(base),
                               str(new), *([f'{gb}G'] if gb else []))
        else:
            self._commands.run('qemu-img', 'convert', '-q', '-f', _kind(base), '-O', 'raw', str(base), str(new),
                               seconds=3600.0)
            if gb:
                os.truncate(new, gb * Gi)
        os.replace(new, path)

    def blank(self, path: pathlib.Path, size: int) -> None:
        """An empty disk of `size` bytes. One that is there is left as it is."""
        if path.exists():
            return
        new = path.with_name(f'{path.name}.new')
        self._commands.run('qemu-img', 'create', '-q', '-f', self.format, str(new), str(size))
        os.replace(new, path)

    def size(self, path: pathlib.Path) -> int:
        """Bytes that a guest sees of a disk."""
        return int(self.cache.info(path, self.format).virtual_size)

    def grow(self, path: pathlib.Path, gb: int) -> None:
        """Make a disk at least `gb` large."""
        if path.exists() and self.size(path) < gb * Gi:
            self._commands.run('qemu-img', 'resize', '-q', '-f', self.format, str(path), f'{gb}G')

    def adopt(self, paths: Paths) -> None:
        """Make disks that came from another host, ``NAME.came`` and qcow2, what disks are here. Repeatable.

        What a file is follows from its name: a guest can write anything into a raw disk.
        """
        for file in paths.home.glob('disk*.came'):
            target = file.with_suffix('')
            if self.format == 'qcow2':
                os.replace(file, target)
                continue
            new = target.with_name(f'{target.name}.new')
            self._commands.run('qemu-img', 'convert', '-q', '-f', 'qcow2', '-O', self.format, str(file),
                               str(new), seconds=7200.0)
            os.replace(new, target)
            file.unlink()

    def base_of(self, path: pathlib.Path) -> pathlib.Path | None:
        """The image that a disk lies over."""
        found = self.cache.info(path, self.format).backing_file
        return pathlib.Path(found) if found else None

    def flatten(self, source: pathlib.Path, target: pathlib.Path) -> None:
        """Write a copy of a disk that needs no image beside it."""
        new = target.with_name(f'{target.name}.new')
        self._commands.run('qemu-img', 'convert', '-q', '-U', '-f', self.format, '-O', self.format, str(source),
                           str(new), seconds=7200.0)
        os.replace(new, target)

    def export(self, source: pathlib.Path, target: pathlib.Path, kind: str, compress: bool = False,
               snapshot: str | None = None) -> None:
        """Write a copy of a disk in another format, of its state at an internal snapshot where one is named."""
        options = ['-c'] if compress and kind == 'qcow2' else []
        options += ['-l', f'snapshot.name={snapshot}'] if snapshot else []
        self._commands.run('qemu-img', 'convert', '-q', '-U', '-f', self.format, '-O', kind, *options,
                           str(source), str(target), seconds=7200.0)


def _kind(base: pathlib.Path) -> str:
    return base.suffix.removeprefix('.')
