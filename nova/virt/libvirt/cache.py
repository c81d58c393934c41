"""Images that guests' disks are made of, once on a host: ``instances_path``/_base/IMAGE.FORMAT."""

import hashlib
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Protocol

from oslo_utils import imageutils

from nova import errors
from nova.common import clock, threads
from nova.objects import ImageMeta
from nova.virt.libvirt.commands import Commands
from nova.virt.signatures import Asked, Verifier

_FORMATS = {'ami': 'raw', 'aki': 'raw', 'ari': 'raw', 'iso': 'raw'}


class Images(Protocol):
    """What is asked of the image service."""

    def show(self, image_id: str) -> ImageMeta: ...

    def download(self, image_id: str) -> Iterator[bytes]: ...


class ImageCache:
    """The images of one host.

    Args:
        directory: theirs alone.
        force_raw: they are kept as raw files, whatever they came as.
    """

    def __init__(self, directory: pathlib.Path, commands: Commands, force_raw: bool) -> None:
        self.directory, self._commands, self._force_raw = directory, commands, force_raw
        self._lock = threads.lock()
        self._locks: dict[str, threads.Lock] = {}

    def fetch(self, images: Images, image_id: str, cancelled: Callable[[], None],
              signed: Asked | None = None) -> pathlib.Path:
        """The file of an image, brought here where it is not; its name ends with its format.

        Args:
            cancelled: called while it comes; raises to stop it.
            signed: makes what verifies its signature, where one is asked for. What came here unverified is
                brought again then.

        Raises:
            errors.image.ImageNotFound: there is no such image.
            errors.image.ImageUnusable: its data is not what the image says, or not what was signed.
        """
        with self._of(image_id):
            found = self.find(image_id)
            if found is not None and signed is None:
                os.utime(found)
                return found
            image = images.show(image_id)
            verifier = signed(image) if signed is not None else None
            if found is not None and verifier is not None and self._verified(image_id) == verifier.signature:
                os.utime(found)
                return found
            return self._bring(images, image, image_id, cancelled, verifier)

    def _verified(self, image_id: str) -> str | None:
        """The signature that the file of an image was found to have."""
        marker = self.directory / f'{image_id}.signed'
        return marker.read_text() if marker.exists() else None

    def find(self, image_id: str) -> pathlib.Path | None:
        """The file of an image that is here."""
        return next((file for kind in ('raw', 'qcow2')
                     if (file := self.directory / f'{image_id}.{kind}').exists()), None)

    def _of(self, image_id: str) -> threads.Lock:
        with self._lock:
            return self._locks.setdefault(image_id, threads.lock())

    def _bring(self, images: Images, image: ImageMeta, image_id: str, cancelled: Callable[[], None],
               verifier: Verifier | None) -> pathlib.Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        part = self.directory / f'{image_id}.part'
        digest = hashlib.md5(usedforsecurity=False)
        try:
            with part.open('wb') as stream:
                for piece in images.download(image_id):
                    cancelled()
                    digest.update(piece)
                    if verifier is not None:
                        verifier.update(piece)
                    stream.write(piece)
            if image.checksum and image.checksum != digest.hexdigest():
                raise errors.image.ImageUnusable(image=image_id, reason='its data does not have its checksum')
            if verifier is None:
                return self._keep(part, image_id, image.disk_format or 'raw')
            verifier.verify()
            kept = self._keep(part, image_id, image.disk_format or 'raw')
            (self.directory / f'{image_id}.signed').write_text(verifier.signature)
            return kept
        finally:
            part.unlink(missing_ok=True)

    def _keep(self, part: pathlib.Path, image_id: str, said: str) -> pathlib.Path:
        """Check what came, and put it in its place.

        What it is was said by its owner: a raw image is never looked at for another format, and a qcow2 that
        names files of the host would let its owner read them.
        """
        kind = _FORMATS.get(said, said)
        if kind not in ('raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx'):
            raise errors.image.ImageUnusable(image=image_id, reason=f'its format {said} cannot be used')
        if kind != 'raw':
            details = self.info(part, kind)
            if details.backing_file or (details.format_specific or {}).get('data', {}).get('data-file'):
                raise errors.image.ImageUnusable(image=image_id, reason='it names another file')
        if kind in ('raw', 'qcow2') and (kind == 'raw' or not self._force_raw):
            target = self.directory / f'{image_id}.{kind}'
            os.replace(part, target)
            return target
        target, converted = self.directory / f'{image_id}.raw', self.directory / f'{image_id}.converted'
        self._commands.run('qemu-img', 'convert', '-f', kind, '-O', 'raw', str(part), str(converted),
                           seconds=3600.0)
        os.replace(converted, target)
        return target

    def info(self, file: pathlib.Path, kind: str) -> imageutils.QemuImgInfo:
        """What qemu-img says about a file of a known format."""
        return imageutils.QemuImgInfo(self._commands.run(
            'qemu-img', 'info', '--force-share', '-f', kind, '--output=json', str(file)), format='json')

    def evict(self, used: set[pathlib.Path], seconds: float) -> list[pathlib.Path]:
        """Delete images that no disk uses and that nobody has asked for in so long; what was deleted."""
        gone = []
        oldest = clock.timestamp() - seconds
        for file in self.directory.glob('*') if self.directory.is_dir() else ():
            with self._of(file.stem):
                if file.suffix != '.signed' and file not in used and file.stat().st_mtime < oldest:
                    file.with_suffix('.signed').unlink(missing_ok=True)
                    file.unlink()
                    gone.append(file)
        return gone
