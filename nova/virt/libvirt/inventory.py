"""What a host has to offer."""

import os
import pathlib

import libvirt
import os_traits
from lxml import etree

from nova.domain import tpm
from nova.virt.driver import inventory
from nova.virt.libvirt import claims
from nova.virt.libvirt.guests import Guests
from nova.virt.libvirt.session import translated

_BUSES = {'virtio': 'VIRTIO', 'scsi': 'SCSI', 'sata': 'SATA', 'ide': 'IDE', 'usb': 'USB', 'fdc': 'FDC'}
_VIDEO = {'vga': 'VGA', 'cirrus': 'CIRRUS', 'qxl': 'QXL', 'virtio': 'VIRTIO', 'bochs': 'BOCHS', 'none': 'NONE'}
_VIFS = ('E1000', 'E1000E', 'NE2K_PCI', 'PCNET', 'RTL8139', 'VIRTIO', 'VMXNET3')
_FLAGS = {'pni': 'SSE3', 'sse4.1': 'SSE41', 'sse4.2': 'SSE42', 'sha-ni': 'SHA', 'aes': 'AESNI',
          'pclmuldq': 'CLMUL', 'pclmulqdq': 'CLMUL', 'tbm': 'TBM', 'abm': 'ABM'}
"""Names of CPU features whose traits are called something else."""


class LibvirtInventory(Guests):
    """See `nova.virt.driver.inventory`."""

    @translated
    def nodes(self) -> list[str]:
        return [self.session.node()]

    @translated
    def resources(self, node: str) -> inventory.Resources:
        conn = self.session.conn
        capabilities = etree.fromstring(conn.getCapabilities())
        offered = etree.fromstring(
            conn.getDomainCapabilities(None, 'x86_64', None, self.conf.libvirt.virt_type))
        shared, dedicated = claims.cpus(self.conf, capabilities)
        running = conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        used = [domain.info() for domain in running]
        disk = os.statvfs(self.instances)
        return inventory.Resources(
            vcpus=len(shared), memory_mb=_memory_mb(), local_gb=disk.f_blocks * disk.f_frsize >> 30,
            hypervisor_type='QEMU', hypervisor_version=conn.getVersion(),
            vcpus_used=sum(info[3] for info in used), memory_mb_used=sum(info[1] for info in used) >> 10,
            local_gb_used=(disk.f_blocks - disk.f_bavail) * disk.f_frsize >> 30, running_vms=len(running),
            cpu_info=_cpu_info(capabilities), supported_instances=_supported(capabilities),
            inventory=inventory.dedicated(len(dedicated)),
            traits=_traits(offered, self.conf.libvirt.swtpm_enabled),
            cells=claims.cells(self.conf, capabilities), devices=claims.devices(self.conf, lambda: conn),
            mdevs=claims.mediated(self.conf, lambda: conn))

    def tidy(self) -> None:
        if self.conf.image_cache.remove_unused_base_images:
            self.cache.evict(self._bases(), self.conf.image_cache.remove_unused_original_minimum_age_seconds)

    def _bases(self) -> set[pathlib.Path]:
        """Images that disks lie over."""
        found = set()
        for disk in self.instances.glob('*/disk*'):
            if disk.parent != self.cache.directory and disk.name in ('disk', 'disk.rescue'):
                found.add(self.disks.base_of(disk))
        return {base for base in found if base is not None}

    def host_uptime(self) -> str:
        return self.commands.run('uptime').strip()


def _memory_mb() -> int:
    """Of the machine; what libvirt says may be only what was touched yet."""
    with open('/proc/meminfo', encoding='ascii') as file:
        words = next(line.split() for line in file if line.startswith('MemTotal:'))
    return int(words[1]) >> 10


def _cpu_info(capabilities: etree._Element) -> dict[str, object]:
    cpu = capabilities.find('./host/cpu')

    def word(name: str) -> str | None:
        found = cpu.find(name)
        return found.text if found is not None else None
    topology = cpu.find('topology')
    return {'arch': word('arch'), 'model': word('model'), 'vendor': word('vendor'),
            'features': sorted(each.get('name') for each in cpu.findall('feature')),
            'topology': {name: int(topology.get(name)) for name in ('sockets', 'cores', 'threads')}
            if topology is not None else {}}


def _supported(capabilities: etree._Element) -> list[tuple[str, str, str]]:
    found = []
    for guest in capabilities.findall('./guest'):
        mode, arch = guest.find('os_type').text, guest.find('arch')
        found += [(arch.get('name'), domain.get('type'), mode) for domain in arch.findall('domain')]
    return found


def _traits(offered: etree._Element, tpms: bool) -> set[str]:
    """Traits of what guests of this host can have.

    Args:
        tpms: they may have emulated TPMs, if libvirt can.
    """
    host = offered.find("./cpu/mode[@name='host-model']")
    flags = {each.get('name') for each in host.findall('feature') if each.get('policy') != 'disable'
             } if host is not None else set()
    names = {'HW_CPU_X86_' + _FLAGS.get(flag, flag).upper().replace('-', '_').replace('.', '')
             for flag in flags}
    buses = _values(offered, "./devices/disk/enum[@name='bus']")
    video = _values(offered, "./devices/video/enum[@name='modelType']") | {'none'}
    names |= {f'COMPUTE_STORAGE_BUS_{_BUSES[bus]}' for bus in buses & set(_BUSES)}
    names |= {f'COMPUTE_GRAPHICS_MODEL_{_VIDEO[each]}' for each in video & set(_VIDEO)}
    names |= {f'COMPUTE_NET_VIF_MODEL_{each}' for each in _VIFS}
    if 'virtiofs' in _values(offered, "./devices/filesystem/enum[@name='driverType']"):
        names.add('COMPUTE_STORAGE_VIRTIO_FS')
    if 'memfd' in _values(offered, "./memoryBacking/enum[@name='sourceType']"):
        names.add('COMPUTE_MEM_BACKING_FILE')
    if tpms and 'emulator' in _values(offered, "./devices/tpm/enum[@name='backendModel']"):
        models = _values(offered, "./devices/tpm/enum[@name='model']")
        versions = _values(offered, "./devices/tpm/enum[@name='backendVersion']")
        names |= {tpm.MODELS[each] for each in models & set(tpm.MODELS)}
        names |= {tpm.TRAITS[each] for each in versions & set(tpm.TRAITS)} | {tpm.SECURITY_TRAIT}
    return (names | {'COMPUTE_ARCH_X86_64'}) & set(os_traits.get_traits())


def _values(offered: etree._Element, path: str) -> set[str]:
    found = offered.find(path)
    return {value.text for value in found.findall('value')} if found is not None else set()
