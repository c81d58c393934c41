"""What a server needs to know of its image.

Properties that the system understands are typed fields; the others are kept as they are, so that nothing an
image says is lost on the way to the driver.
"""

from collections.abc import Mapping
from typing import Any, Self

from oslo_utils import strutils

from nova import errors
from nova.objects import base
from nova.objects.base import fields
from nova.objects.image_values import VALUES

_TEXTS = (
    'hw_architecture', 'hw_boot_menu', 'hw_cdrom_bus', 'hw_cpu_policy', 'hw_cpu_thread_policy', 'hw_disk_bus',
    'hw_disk_type', 'hw_emulator_threads_policy', 'hw_firmware_type', 'hw_input_bus', 'hw_locked_memory',
    'hw_machine_type', 'hw_maxphysaddr_mode', 'hw_mem_page_size', 'hw_pci_numa_affinity_policy',
    'hw_pointer_model', 'hw_qemu_guest_agent', 'hw_rescue_bus', 'hw_rescue_device', 'hw_rng_model',
    'hw_scsi_model', 'hw_sound_model', 'hw_tpm_model', 'hw_tpm_version', 'hw_usb_model', 'hw_video_model',
    'hw_vif_model', 'hw_viommu_model', 'hw_watchdog_action', 'img_config_drive', 'img_hide_hypervisor_id',
    'img_hv_requested_version', 'img_hv_type', 'img_mkfs_options', 'img_signature',
    'img_signature_certificate_uuid', 'img_signature_hash_method', 'img_signature_key_type', 'hw_vm_mode',
    'hw_vif_multiqueue_enabled', 'os_admin_user', 'os_command_line', 'os_distro', 'os_secure_boot', 'os_type',
    'os_version', 'root_device_name', 'os_shutdown_timeout', 'hw_ephemeral_encryption_format', 'kernel_id',
    'ramdisk_id', 'hw_mem_encryption_model',
)
_NUMBERS = ('hw_cpu_cores', 'hw_cpu_max_cores', 'hw_cpu_max_sockets', 'hw_cpu_max_threads', 'hw_cpu_sockets',
            'hw_cpu_threads', 'hw_numa_nodes', 'hw_maxphysaddr_bits', 'hw_serial_port_count', 'hw_video_ram')
_TRUTHS = ('auto_disk_config', 'hw_mem_encryption', 'os_require_quiesce', 'os_skip_agent_inject_files_at_boot',
           'os_skip_agent_inject_ssh', 'img_use_agent', 'hw_ephemeral_encryption', 'hw_virtio_packed_ring')
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

    fields = {
        **{name: fields.maybe(fields.StringField) for name in _TEXTS},
        **{name: fields.maybe(fields.IntegerField) for name in _NUMBERS},
        **{name: fields.maybe(fields.BooleanField) for name in _TRUTHS},
        'traits_required': fields.ListOfStringsField(default=[]),
        'block_device_mapping': fields.maybe(fields.JsonField),
        'mappings': fields.maybe(fields.JsonField),
        'rest': fields.JsonField(default={}),
    }

    @classmethod
    def from_image(cls, properties: Mapping[str, Any]) -> Self:
        """Sort an image's properties.

        Raises:
            ImagePropertyInvalid: a known one with a value it cannot have.
        """
        known: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for given, value in properties.items():
            name = _LEGACY.get(given, given)
            if name.startswith('trait:'):
                if value != 'required':
                    raise errors.image.ImagePropertyInvalid(name=name, reason="it can only be 'required'")
                known.setdefault('traits_required', []).append(name.removeprefix('trait:'))
            elif name in cls.fields and name not in ('rest', 'traits_required'):
                known[name] = _typed(name, value)
            else:
                rest[name] = value
        return cls(**known, rest=rest)

    def to_image(self) -> dict[str, Any]:
        """The properties as an image carries them: flat, set ones only."""
        known = {name: getattr(self, name) for name in self.fields
                 if name not in ('rest', 'traits_required') and getattr(self, name) is not None}
        return {**self.rest, **known, **{f'trait:{name}': 'required' for name in self.traits_required}}


def _typed(name: str, value: Any) -> Any:
    try:
        if value is None:
            return None
        if name in _NUMBERS:
            return int(value)
        if name in _TRUTHS:
            return strutils.bool_from_string(value, strict=True)
        if name in VALUES and str(value).lower() not in VALUES[name]:
            raise ValueError(f"'{value}' is none of {', '.join(sorted(VALUES[name]))}")
        return value if name in ('block_device_mapping', 'mappings') else str(value)
    except ValueError as error:
        raise errors.image.ImagePropertyInvalid(name=name, reason=str(error)) from error


class ImageMeta(base.Record):
    """An image as the image service shows it, or as a volume says about the image it was made of."""

    fields = {
        'id': fields.maybe(fields.StringField),
        'name': fields.maybe(fields.StringField),
        'status': fields.maybe(fields.StringField),
        'visibility': fields.maybe(fields.StringField),
        'protected': fields.BooleanField(default=False),
        'owner': fields.maybe(fields.StringField),
        'checksum': fields.maybe(fields.StringField),
        'size': fields.maybe(fields.IntegerField),
        'virtual_size': fields.maybe(fields.IntegerField),
        'container_format': fields.maybe(fields.StringField),
        'disk_format': fields.maybe(fields.StringField),
        'min_ram': fields.IntegerField(default=0),
        'min_disk': fields.IntegerField(default=0),
        'tags': fields.ListOfStringsField(default=[]),
        'direct_url': fields.maybe(fields.StringField),
        'locations': fields.JsonField(default=[]),
        'created_at': fields.maybe(fields.TimeField),
        'updated_at': fields.maybe(fields.TimeField),
        'properties': fields.ObjectField('ImageProperties'),
    }

    @classmethod
    def from_image(cls, image: Mapping[str, Any]) -> Self:
        """From an image of the Image API v2, whose properties lie beside its attributes.

        Raises:
            ImagePropertyInvalid: a known property with a value it cannot have.
        """
        known = {name: image[name] for name in cls.fields
                 if name != 'properties' and image.get(name) is not None}
        own = {name: value for name, value in image.items()
               if name not in cls.fields and name not in _NOT_PROPERTIES}
        nested = image.get('properties') or {}
        return cls(**known, properties=ImageProperties.from_image({**own, **nested}))

    @classmethod
    def from_volume(cls, volume: Mapping[str, Any]) -> Self:
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
