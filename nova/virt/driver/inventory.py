"""What a host has to offer."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

from nova.common.jsonutil import JsonObject
from nova.domain import pci


@dataclasses.dataclass(slots=True)
class Child:
    """A provider below the node: a NUMA cell, a device."""

    name: str
    inventory: dict[str, JsonObject]
    traits: set[str] = dataclasses.field(default_factory=set)
    parent: str | None = None
    """Name of another child; None is the node."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostCell:
    """A NUMA cell of a host.

    Attributes:
        cpus: those that guests have.
        dedicated: those of them that are given to one guest alone.
        siblings: CPUs that are threads of one core.
        pages: size in KiB of pages that are set aside, to how many there are.
    """

    node: int
    memory_mb: int
    cpus: frozenset[int] = frozenset()
    dedicated: frozenset[int] = frozenset()
    siblings: tuple[frozenset[int], ...] = ()
    pages: Mapping[int, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class HostDevice:
    """A device that guests may have.

    Attributes:
        node: the NUMA cell that it is near to.
        resource_class, traits: what Placement knows it by (`nova.domain.pci`).
        type: see `pci.PCI`.
        card: address of the card that it is a function of.
        devnames: names as a network interface, its own first, then its card's; `mac` is its address.
        physical_network: what it is connected to, where it is for ports.
    """

    address: str
    vendor_id: str
    product_id: str
    node: int | None = None
    resource_class: str = ''
    traits: frozenset[str] = frozenset()
    type: str = pci.PCI
    card: str | None = None
    devnames: tuple[str, ...] = ()
    mac: str | None = None
    physical_network: str | None = None

    def described(self, specs: Sequence[pci.Kind]) -> 'HostDevice':
        """The device with its class and traits: the first of ``[pci] device_spec`` that names it says them."""
        found = next((spec for spec in specs if spec.names(self)), pci.Kind())
        named, traits = found.described_as(self.type)
        return dataclasses.replace(
            self, traits=traits, resource_class=named or pci.class_of(self.vendor_id, self.product_id),
            physical_network=found.physical_network)

    @property
    def profile(self) -> JsonObject:
        """What ``binding:profile`` of the port that it becomes says."""
        return pci.profile(self, self.type, self.physical_network, self.mac)


def offered(devices: Sequence[HostDevice], specs: Sequence[pci.Kind]) -> list[HostDevice]:
    """The devices that guests may have, of all that there are: those that ``device_spec`` names.

    A card is offered whole or by its functions, never both: who has the card has its functions, too.
    """
    named = [device for device in devices if any(spec.names(device) for spec in specs)]
    return undivided([device.described(specs) for device in named])


def undivided(devices: Sequence[HostDevice]) -> list[HostDevice]:
    """Devices without the cards whose functions are among them."""
    divided = {device.card for device in devices}
    return [device for device in devices if device.address not in divided]


@dataclasses.dataclass(slots=True)
class Resources:
    """A node: its size, its hypervisor, and what else Placement should know.

    `inventory` has resource classes beyond VCPU, MEMORY_MB and DISK_GB, in Placement's form; `traits` are those
    of the hardware, since those of the driver follow from its capabilities. `cells`, `devices` and `mdevs` are
    all that there are: what guests have claimed of them is the agent's to subtract. `metrics` is what the host
    measures of itself, by name.
    """

    vcpus: int
    memory_mb: int
    local_gb: int
    hypervisor_type: str
    hypervisor_version: int
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0
    running_vms: int = 0
    cpu_info: JsonObject = dataclasses.field(default_factory=dict)
    supported_instances: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    inventory: dict[str, JsonObject] = dataclasses.field(default_factory=dict)
    traits: set[str] = dataclasses.field(default_factory=set)
    children: list[Child] = dataclasses.field(default_factory=list)
    cells: Sequence[HostCell] = ()
    devices: Sequence[HostDevice] = ()
    mdevs: Sequence[HostDevice] = ()
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)


def whole(count: int) -> JsonObject:
    """Inventory of things that one guest alone has at a time, in Placement's form."""
    return {'total': count, 'reserved': 0, 'min_unit': 1, 'max_unit': count, 'step_size': 1,
            'allocation_ratio': 1.0}


def dedicated(cpus: int) -> dict[str, JsonObject]:
    """Inventory of CPUs that are given to one guest alone; nothing where there are none."""
    return {'PCPU': whole(cpus)} if cpus else {}


class InventoryDriver(Protocol):
    def nodes(self) -> list[str]:
        """Names of the nodes that this service manages: mostly one, the host's."""

    def resources(self, node: str) -> Resources:
        """What a node has and what is used of it, as the hypervisor sees it."""

    def tidy(self) -> None:
        """Delete what no guest of this host uses any more, such as images that disks were made of."""

    def host_uptime(self) -> str:
        """As ``uptime`` prints it."""
