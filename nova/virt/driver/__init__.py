"""What a hypervisor driver can do: the sum of a few small protocols, and flags for what is optional.

Every method that is about a guest gets the handle of the step, `handles.Host`: the server's record, the
clients, the host's journal of it (`nova.virt.driver.kept`), progress and cancelling. Errors are those of
`nova.errors`; any other means that the driver itself is broken.
"""

import dataclasses
from typing import Protocol

from nova.virt.driver import block, claims, console, events, inventory, move, net, power, share


@dataclasses.dataclass(frozen=True, slots=True)
class Capabilities:
    """What a driver supports; each flag that is true is a trait of its nodes."""

    accelerators: bool = False
    attach_interface: bool = False
    attach_interface_with_tag: bool = False
    attach_volume_with_tag: bool = False
    device_tagging: bool = False
    extend_volume: bool = False
    multiattach: bool = False
    rescue_volume_backed: bool = False
    same_host_cold_migrate: bool = False
    secure_boot: bool = False
    trusted_certs: bool = False
    virtio_fs: bool = False
    image_types: tuple[str, ...] = ()
    """Disk formats that the driver boots from: ``raw``, ``qcow2`` ..."""

    def traits(self) -> set[str]:
        flags = {trait for flag, trait in _TRAITS.items() if getattr(self, flag)}
        return flags | {f'COMPUTE_IMAGE_TYPE_{kind.upper()}' for kind in self.image_types}


_TRAITS = {
    'accelerators': 'COMPUTE_ACCELERATORS',
    'attach_interface': 'COMPUTE_NET_ATTACH_INTERFACE',
    'attach_interface_with_tag': 'COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG',
    'attach_volume_with_tag': 'COMPUTE_VOLUME_ATTACH_WITH_TAG',
    'device_tagging': 'COMPUTE_DEVICE_TAGGING',
    'extend_volume': 'COMPUTE_VOLUME_EXTEND',
    'multiattach': 'COMPUTE_VOLUME_MULTI_ATTACH',
    'rescue_volume_backed': 'COMPUTE_RESCUE_BFV',
    'same_host_cold_migrate': 'COMPUTE_SAME_HOST_COLD_MIGRATE',
    'secure_boot': 'COMPUTE_SECURITY_UEFI_SECURE_BOOT',
    'trusted_certs': 'COMPUTE_TRUSTED_CERTS',
    'virtio_fs': 'COMPUTE_STORAGE_VIRTIO_FS',
}


class Driver(power.PowerDriver, block.BlockDriver, share.ShareDriver, net.NetDriver, console.ConsoleDriver,
             move.MoveDriver, inventory.InventoryDriver, claims.ClaimsDriver, events.EventsDriver, Protocol):
    """A hypervisor driver."""

    capabilities: Capabilities
