"""What a server needs to know of its image.

Properties that the system understands are typed fields; the others are kept as they are, so that nothing an
image says is lost on the way to the driver.
"""

import datetime
from typing import Self

from oslo_utils import strutils

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.objects import base, fields
from nova.objects.image_values import VALUES

_LEGACY = {'architecture': 'hw_architecture', 'vm_mode': 'hw_vm_mode', 'hypervisor_type': 'img_hv_type',
           'hypervisor_version_requires': 'img_hv_requested_version', 'mkfs_options': 'img_mkfs_options'}
"""Older names of properties."""


class ImageProperties(base.Record):
    """Known properties, None where the image says nothing; `rest` holds the unknown ones as text.

    Attributes:
        traits_required: traits that the image demands (``trait:X=required``).
        block_device_mapping: JSON list that images of volume-backed servers carry, as dicts.
        mappings: older device mappings.
    """

    auto_disk_config: bool | None = None
    hw_architecture: str | None = None
    hw_boot_menu: str | None = None
    hw_cdrom_bus: str | None = None
    hw_cpu_cores: int | None = None
    hw_cpu_max_cores: int | None = None
    hw_cpu_max_sockets: int | None = None
    hw_cpu_max_threads: int | None = None
    hw_cpu_policy: str | None = None
    hw_cpu_sockets: int | None = None
    hw_cpu_thread_policy: str | None = None
    hw_cpu_threads: int | None = None
    hw_disk_bus: str | None = None
    hw_disk_type: str | None = None
    hw_emulator_threads_policy: str | None = None
    hw_ephemeral_encryption: bool | None = None
    hw_ephemeral_encryption_format: str | None = None
    hw_firmware_type: str | None = None
    hw_input_bus: str | None = None
    hw_locked_memory: str | None = None
    hw_machine_type: str | None = None
    hw_maxphysaddr_bits: int | None = None
    hw_maxphysaddr_mode: str | None = None
    hw_mem_encryption: bool | None = None
    hw_mem_encryption_model: str | None = None
    hw_mem_page_size: str | None = None
    hw_numa_nodes: int | None = None
    hw_pci_numa_affinity_policy: str | None = None
    hw_pointer_model: str | None = None
    hw_qemu_guest_agent: str | None = None
    hw_rescue_bus: str | None = None
    hw_rescue_device: str | None = None
    hw_rng_model: str | None = None
    hw_scsi_model: str | None = None
    hw_serial_port_count: int | None = None
    hw_sound_model: str | None = None
    hw_tpm_model: str | None = None
    hw_tpm_version: str | None = None
    hw_usb_model: str | None = None
    hw_video_model: str | None = None
    hw_video_ram: int | None = None
    hw_vif_model: str | None = None
    hw_vif_multiqueue_enabled: str | None = None
    hw_viommu_model: str | None = None
    hw_virtio_packed_ring: bool | None = None
    hw_vm_mode: str | None = None
    hw_watchdog_action: str | None = None
    img_config_drive: str | None = None
    img_hide_hypervisor_id: str | None = None
    img_hv_requested_version: str | None = None
    img_hv_type: str | None = None
    img_mkfs_options: str | None = None
    img_signature: str | None = None
    img_signature_certificate_uuid: str | None = None
    img_signature_hash_method: str | None = None
    img_signature_key_type: str | None = None
    img_use_agent: bool | None = None
    kernel_id: str | None = None
    os_admin_user: str | None = None
    os_command_line: str | None = None
    os_distro: str | None = None
    os_require_quiesce: bool | None = None
    os_secure_boot: str | None = None
    os_shutdown_timeout: str | None = None
    os_skip_agent_inject_files_at_boot: bool | None = None
    os_skip_agent_inject_ssh: bool | None = None
    os_type: str | None = None
    os_version: str | None = None
    ramdisk_id: str | None = None
    root_device_name: str | None = None
    traits_required: list[str] = []
    block_device_mapping: fields.Json | None = None
    mappings: fields.Json | None = None
    rest: fields.Json = {}

    @classmethod
    def from_image(cls, properties: JsonObject) -> Self:
        """Sort an image's properties.

        Raises:
            ImagePropertyInvalid: a known one with a value it cannot have.
        """
        known: JsonObject = {}
        rest: JsonObject = {}
        for given, value in properties.items():
            name = _LEGACY.get(given, given)
            if name.startswith('trait:'):
                if value != 'required':
                    raise errors.image.ImagePropertyInvalid(name=name, reason="it can only be 'required'")
                known.setdefault('traits_required', []).append(name.removeprefix('trait:'))
            elif name in cls.fields and name not in ('rest', 'traits_required'):
                known[name] = _typed(cls.fields[name], value)
            else:
                rest[name] = value
        return cls(**known, rest=rest)

    def to_image(self) -> JsonObject:
        """The properties as an image carries them: flat, set ones only."""
        known = {name: getattr(self, name) for name in self.fields
                 if name not in ('rest', 'traits_required') and getattr(self, name) is not None}
        return {**self.rest, **known, **{f'trait:{name}': 'required' for name in self.traits_required}}


def _typed(field: fields.Field, value: object) -> object:
    allowed = VALUES.get(field.name)
    try:
        if value is None or field.kind == 'json':
            return value
        if field.kind == 'number':
            return int(str(value))
        if field.kind == 'truth':
            return strutils.bool_from_string(value, strict=True)
        if allowed and str(value).lower() not in allowed:
            raise ValueError(f"'{value}' is none of {', '.join(sorted(allowed))}")
        return str(value)
    except ValueError as error:
        raise errors.image.ImagePropertyInvalid(name=field.name, reason=str(error)) from error


class ImageMeta(base.Record):
    """An image as the image service shows it, or as a volume says about the image it was made of."""

    id: str | None = None
    name: str | None = None
    status: str | None = None
    visibility: str | None = None
    protected: bool = False
    owner: str | None = None
    checksum: str | None = None
    size: int | None = None
    virtual_size: int | None = None
    container_format: str | None = None
    disk_format: str | None = None
    min_ram: int = 0
    min_disk: int = 0
    tags: list[str] = []
    direct_url: str | None = None
    locations: fields.Json = []
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    properties: ImageProperties

    @classmethod
    def from_image(cls, image: JsonObject) -> Self:
        """From an image of the Image API v2, whose properties lie beside its attributes.

        Raises:
            ImagePropertyInvalid: a known property with a value it cannot have.
        """
        known: JsonObject = {name: image[name] for name in cls.fields
                 if name != 'properties' and image.get(name) is not None}
        own = {name: value for name, value in image.items()
               if name not in cls.fields and name not in _NOT_PROPERTIES}
        nested = image.get('properties') or {}
        return cls(**known, properties=ImageProperties.from_image({**own, **nested}))

    @classmethod
    def from_volume(cls, volume: JsonObject) -> Self:
        """From the ``volume_image_metadata`` of a bootable volume; size and limits are the volume's."""
        meta = dict(volume.get('volume_image_metadata') or {})
        taken = {name: meta.pop(name, None) for name in (
            'image_id', 'image_name', 'checksum', 'container_format', 'disk_format', 'size', 'min_ram',
            'min_disk')}
        return cls.from_image({
            **meta, 'status': 'active', 'min_ram': int(taken['min_ram'] or 0),
            'min_disk': int(taken['min_disk'] or 0), 'checksum': taken['checksum'],
            'container_format': taken['container_format'], 'disk_format': taken['disk_format'],
            'size': int(volume.get('size') or 0) * 1024 ** 3})


_NOT_PROPERTIES = frozenset({'self', 'file', 'schema', 'os_hash_algo', 'os_hash_value', 'os_hidden', 'stores',
                             'members'})
"""Attributes of an image that say nothing about a server."""
