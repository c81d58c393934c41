"""The traits that hosts have who can read an image's format and have the devices that it names."""

from collections.abc import Mapping

import os_traits

_STANDARD = frozenset(os_traits.get_traits())
_BUS = 'COMPUTE_STORAGE_BUS_'
BY_PROPERTY: Mapping[str, str] = {
    'hw_disk_bus': _BUS, 'hw_cdrom_bus': _BUS,
    'hw_vif_model': 'COMPUTE_NET_VIF_MODEL_', 'hw_video_model': 'COMPUTE_GRAPHICS_MODEL_'}
"""Image property to the beginning of the traits that say who has the device."""


def of_format(disk_format: str | None) -> str | None:
    """The trait of hosts whose driver reads a disk format; None where there is none, so hosts must judge."""
    return _known(f'COMPUTE_IMAGE_TYPE_{disk_format.upper()}') if disk_format else None


def of_property(name: str, value: object) -> str | None:
    """The trait of hosts that have what a property names; None where there is none, so hosts must judge."""
    if name not in BY_PROPERTY:
        return None
    return _known(BY_PROPERTY[name] + str(value).upper().replace('-', '_'))


def _known(trait: str) -> str | None:
    return trait if trait in _STANDARD else None
