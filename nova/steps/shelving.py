"""What a server's own notes say of it while it is shelved: since when, where it was, and its image.

The words are those by which operators know them in a server's system metadata.
"""

import datetime
import logging

from nova import errors, objects
from nova.common import clock
from nova.task.handles import Conductor

LOG = logging.getLogger(__name__)

AT, IMAGE, HOST = 'shelved_at', 'shelved_image_id', 'shelved_host'


def note(h: Conductor, image_id: str | None) -> None:
    """Note since when the server is shelved, by the clock of its cell's database."""
    instance = h.instance
    said = {AT: clock.isotime(h.db.now()) or '', HOST: instance.host or ''}
    if image_id:
        said[IMAGE] = image_id
    instance.system_metadata = {**(instance.system_metadata or {}), **said}


def image_of(instance: objects.Instance) -> str | None:
    """The image that has its disk; None where it boots from a volume, or is not shelved."""
    return (instance.system_metadata or {}).get(IMAGE)


def since(instance: objects.Instance) -> datetime.datetime | None:
    """When it was shelved."""
    said = (instance.system_metadata or {}).get(AT)
    return clock.parse(said) if said else None


def forget(instance: objects.Instance) -> None:
    """Clear what the record says of shelving."""
    instance.system_metadata = {key: value for key, value in (instance.system_metadata or {}).items()
                                if key not in (AT, IMAGE, HOST)}


def drop_image(h: Conductor, instance: objects.Instance) -> None:
    """Delete the image that had the disk; one that its owner has protected stays."""
    image = image_of(instance)
    if image is not None:
        try:
            h.clients.image.delete(image)
        except (errors.Forbidden, errors.Conflict) as error:
            LOG.warning('Image %s of server %s cannot be deleted: %s', image, instance.uuid, error)
