"""What an image has to be so that a server can be made of it, or made anew: checks that answer 4xx."""

from collections.abc import Sequence

from nova import errors, objects
from nova.common import units
from nova.common.jsonutil import JsonObject
from nova.domain import bdm, tpm
from nova.task.handles import Request


def named(req: Request, image_ref: str) -> objects.ImageMeta | None:
    """The image that a request names; None where it names none."""
    if not image_ref:
        return None
    try:
        found: objects.ImageMeta = req.clients.image.show(image_ref, req.context)
    except (errors.image.ImageNotFound, errors.image.ImageForbidden) as error:
        raise errors.Invalid(error.message) from error
    return found


def check(image: objects.ImageMeta, flavor: objects.Flavor,
          devices: Sequence[objects.BlockDeviceMapping]) -> None:
    """Check that the image can be used, and fits the flavor."""
    if image.status != 'active':
        raise errors.image.ImageNotActive(image=image.id)
    if flavor.memory_mb < (image.min_ram or 0):
        raise errors.image.FlavorMemoryTooSmall()
    tpm.of_parts(flavor, image)
    root = bdm.boot_device(devices)
    if root is not None and bdm.is_volume(root):
        _check_root_volume(image, root)
        return
    if image.properties.rest.get('cinder_encryption_key_id'):
        raise errors.Invalid(f'Image {image.id} is of an encrypted volume: a server can only boot from a '
                             'volume that is made of it.')
    if flavor.root_gb:
        room = flavor.root_gb
        if (image.size or 0) > room * units.Gi:
            raise errors.image.FlavorDiskTooSmall(disk=room * units.Gi, image=image.size)
        if (image.min_disk or 0) > room:
            raise errors.image.FlavorDiskTooSmall(disk=room * units.Gi, image=image.min_disk * units.Gi)


def _check_root_volume(image: objects.ImageMeta, root: objects.BlockDeviceMapping) -> None:
    """A volume that is there holds its image; one to be made has to have room for it."""
    least = (image.min_disk or 0) * units.Gi
    if root.source_type == 'image':
        least = max(least, image.size or 0)
    if root.volume_size and root.volume_size * units.Gi < least:
        raise errors.block.VolumeTooSmall(size=root.volume_size * units.Gi, least=least)


def check_disk_config(server: JsonObject, image: objects.ImageMeta) -> None:
    """Check that the disk of the image may be resized, if that is asked for."""
    wanted = server.get('OS-DCF:diskConfig')
    if wanted == 'AUTO' and image.properties.auto_disk_config is False:
        raise errors.Invalid(f'Requested image {image.id} has automatic disk resize disabled.')
