"""What a guest's config drive holds: the same as the metadata service would say, made when the guest is."""

import secrets
from collections.abc import Sequence

from nova.domain.instance_metadata import tree
from nova.domain.instance_metadata.subject import Subject
from nova.task import handles

SEED_BYTES = 512


def wanted(h: handles.Host) -> bool:
    """Whether the guest is to have one: its user, its image or this host asks for it."""
    image = h.instance.image_meta
    asked = image is not None and image.properties.img_config_drive == 'mandatory'
    return bool(h.instance.config_drive or asked or h.conf.force_config_drive)


def contents(h: handles.Host, files: Sequence[tuple[str, bytes]] = (), password: str | None = None
             ) -> list[tuple[str, bytes]]:
    """Path and contents of every file of the drive.

    Args:
        files: what the user has put into the guest.
        password: the administrator's, where the guest is to set it itself.
    """
    instance, conf = h.instance, h.conf
    zone = instance.availability_zone or conf.default_availability_zone
    subject = Subject(instance, zone, conf.api.dhcp_domain, secrets.token_bytes(SEED_BYTES), password,
                      tuple(files))
    return tree.config_drive(subject)
