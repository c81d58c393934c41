"""What of a host one guest has to itself."""

import dataclasses
from typing import Protocol

from nova.common.jsonutil import JsonObject
from nova.task.handles import Host


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """A NUMA cell of a guest.

    Attributes:
        id: its number in the guest.
        node: the host's cell that it is on.
        cpus: the guest's CPUs in it.
        pinned: CPU of the guest to CPU of the host; empty where they float.
        page_kb: size of the pages of its memory; None is the usual one.
    """

    id: int
    node: int
    cpus: tuple[int, ...]
    memory_mb: int
    pinned: dict[int, int] = dataclasses.field(default_factory=dict)
    page_kb: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Interface:
    """A device that is a port: its address, and its name as a network interface of the host, if it has one."""

    address: str
    devname: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed: NUMA cells with pinned CPUs and pages, PCI devices by their addresses, mediated ones by
    their uuids; `ports` are those that are ports, by the port's id."""

    cells: tuple[Cell, ...] = ()
    devices: tuple[str, ...] = ()
    ports: dict[str, Interface] = dataclasses.field(default_factory=dict)

    @property
    def addresses(self) -> set[str]:
        """All devices."""
        return {*self.devices, *(port.address for port in self.ports.values())}

    @property
    def pci(self) -> tuple[str, ...]:
        """PCI devices that are no ports."""
        return tuple(address for address in self.devices if ':' in address)

    @property
    def mdevs(self) -> tuple[str, ...]:
        """Uuids of mediated devices."""
        return tuple(address for address in self.devices if ':' not in address)


class ClaimsDriver(Protocol):
    """A claim is kept in the host's journal, so it is there after a crash, and nobody else gets the same."""

    def claim(self, h: Host) -> Claim:
        """Claim what the server's flavor and image ask for; `spawn` and the moves' `migrate_in` and
        `prepare_live_migration` do so themselves. Repeatable: what is claimed already is answered.

        Raises:
            errors.task.Refused: this host has not enough left; another might.
        """

    def port_profiles(self, h: Host) -> dict[str, JsonObject]:
        """`claim`, and what ``binding:profile`` of each port that is a device says, by the port's id.

        Raises:
            errors.task.Refused: see `claim`.
        """

    def unclaim(self, h: Host) -> None:
        """Give back what was claimed; `destroy` does so itself. Repeatable."""
