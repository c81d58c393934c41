"""A hypervisor in memory, strict about what a real one is strict about, with faults on demand.

With a state directory its guests are files, so that they outlive the agent like real ones:
``guests/UUID.json``.
"""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oslo_config import cfg

from nova.states import Power
from nova.virt import claiming, driver
from nova.virt.driver import inventory
from nova.virt.driver.inventory import HostCell, HostDevice
from nova.virt.fake import faults as fake_faults
from nova.virt.fake import pretended
from nova.virt.fake.devices import FakeDevices
from nova.virt.fake.fabric import Fabric
from nova.virt.fake.looks import FakeLooks
from nova.virt.fake.move import FakeCold, FakeLive
from nova.virt.fake.power import FakePower
from nova.virt.fake.shares import FakeShares
from nova.virt.fake.things import Guest

__all__ = ['FakeDriver', 'Guest', 'Size']


_TRAITS = (
    'COMPUTE_ARCH_X86_64', 'COMPUTE_MEM_BACKING_FILE', 'HW_CPU_X86_SSE',
    *(f'COMPUTE_STORAGE_BUS_{bus}' for bus in ('VIRTIO', 'SCSI', 'SATA', 'IDE', 'USB')),
    *(f'COMPUTE_NET_VIF_MODEL_{model}' for model in ('VIRTIO', 'E1000', 'E1000E', 'RTL8139')),
    *(f'COMPUTE_GRAPHICS_MODEL_{model}' for model in ('VIRTIO', 'VGA', 'CIRRUS', 'QXL', 'NONE')))


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """What the host pretends to have."""

    vcpus: int = 64
    memory_mb: int = 256 * 1024
    local_gb: int = 4096


class FakeDriver(FakePower, FakeDevices, FakeShares, FakeLooks, FakeCold, FakeLive):
    """See `nova.virt.driver.Driver`; `nova.virt.fake.guests.Guests` for the first arguments."""

    capabilities = driver.Capabilities(
        attach_interface=True, attach_interface_with_tag=True, attach_volume_with_tag=True, device_tagging=True,
        extend_volume=True, multiattach=True, rescue_volume_backed=True, same_host_cold_migrate=True,
        trusted_certs=True, virtio_fs=True,
        image_types=('raw', 'qcow2', 'iso', 'vmdk', 'vhd', 'vdi', 'ami', 'ari', 'aki'))

    def __init__(self, host: str, state_dir: pathlib.Path | str | None = None,
                 faults: fake_faults.Faults | None = None, size: Size | None = None,
                 fabric: Fabric | None = None, cpu: str = 'Fake', cells: Sequence[HostCell] = (),
                 devices: Sequence[HostDevice] = (), aliases: Sequence[str] = (),
                 mdevs: Sequence[HostDevice] = ()) -> None:
        super().__init__(host, state_dir, faults, fabric, cpu)
        self.size = size or Size()
        self.cells = tuple(cells) or (HostCell(0, self.size.memory_mb, frozenset(range(self.size.vcpus))),)
        self.devices, self.mdevs = tuple(devices), tuple(mdevs)
        self.claims = claiming.Claims(host, lambda: host, lambda: self.cells, lambda: self.devices, aliases,
                                      lambda: self.mdevs)

    @classmethod
    def build(cls, conf: cfg.ConfigOpts, host: str, state_dir: pathlib.Path | None) -> 'FakeDriver':
        """For the loader: the size, cells and devices are those of ``[fake]``; it reaches the hosts with state
        directories beside its own."""
        return cls(host, state_dir, size=Size(conf.fake.vcpus, conf.fake.memory_mb, conf.fake.local_gb),
                   fabric=Fabric(state_dir.parent) if state_dir is not None else None,
                   cells=pretended.cells(conf), devices=pretended.devices(conf), aliases=conf.pci.alias,
                   mdevs=pretended.mdevs_of(conf))

    def nodes(self) -> list[str]:
        return [self.host]

    def resources(self, node: str) -> inventory.Resources:
        with self._lock:
            found = list(self._guests.values())
        used = sum(guest.vcpus for guest in found)
        return inventory.Resources(
            vcpus=self.size.vcpus, memory_mb=self.size.memory_mb, local_gb=self.size.local_gb,
            hypervisor_type='fake', hypervisor_version=1000000,
            vcpus_used=used,
            memory_mb_used=sum(guest.memory_mb for guest in found),
            local_gb_used=sum(guest.disk_gb for guest in found),
            running_vms=sum(guest.power == Power.RUNNING for guest in found),
            cpu_info={'arch': 'x86_64', 'model': self.cpu, 'vendor': 'Fake', 'features': [],
                      'topology': {'sockets': 1, 'cores': self.size.vcpus, 'threads': 1}},
            supported_instances=[('x86_64', 'fake', 'hvm')],
            inventory=inventory.dedicated(sum(len(cell.dedicated) for cell in self.cells)),
            traits=set(_TRAITS), cells=self.cells, devices=self.devices, mdevs=self.mdevs,
            metrics={'cpu.percent': min(1.0, used / self.size.vcpus)})

    def tidy(self) -> None:
        """Nothing is kept that guests do not use."""

    def host_uptime(self) -> str:
        return '00:00:00 up 1 day, 0:00, 0 users, load average: 0.00, 0.00, 0.00'


if TYPE_CHECKING:
    _DRIVER: type[driver.Driver] = FakeDriver
