"""Consoles and diagnostics."""

import libvirt
from lxml import etree

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver.console import Console
from nova.virt.libvirt.guests import Guests, power_of
from nova.virt.libvirt.session import translated

_KINDS = {'novnc': 'vnc', 'spice-html5': 'spice', 'spice-direct': 'spice'}


class LibvirtLooks(Guests):
    """See `nova.virt.driver.console`."""

    @translated
    def console_output(self, h: Host, lines: int | None = None) -> str:
        self.domain(h)
        try:
            text = self.paths(h).console.read_text(encoding='utf-8', errors='replace')
        except FileNotFoundError:
            return ''
        if lines is None:
            return text
        return '\n'.join(text.splitlines()[-lines:]) if lines > 0 else ''

    @translated
    def console(self, h: Host, kind: str) -> Console:
        domain = self.domain(h)
        wanted = _KINDS.get(kind)
        if wanted is not None and power_of(domain) in (Power.RUNNING, Power.PAUSED):
            found = self.tree(domain).find(f"./devices/graphics[@type='{wanted}']")
            if found is not None and int(found.get('port', -1)) > 0:
                return Console(self.conf[wanted].server_proxyclient_address, int(found.get('port')),
                               tls_port=int(found.get('tlsPort', 0)) or None)
        if kind == 'serial' and power_of(domain) in (Power.RUNNING, Power.PAUSED):
            listens = self.tree(domain).find("./devices/serial[@type='tcp']/source")
            if listens is not None:
                return Console(self.conf.serial_console.proxyclient_address, int(listens.get('service')))
        raise errors.virt.ConsoleTypeUnavailable(type=kind)

    @translated
    def diagnostics(self, h: Host) -> dict[str, object]:
        domain = self.domain(h)
        power, tree = power_of(domain), self.tree(domain)
        state, most, memory, vcpus, cpu_time = domain.info()
        on = power in (Power.RUNNING, Power.PAUSED)
        disks, nics = tree.findall('./devices/disk'), tree.findall('./devices/interface')
        return {
            'state': power.name.lower(), 'driver': 'libvirt', 'hypervisor': self.conf.libvirt.virt_type,
            'hypervisor_os': 'linux', 'uptime': None, 'config_drive': self.paths(h).config.exists(),
            'num_cpus': vcpus, 'num_nics': len(nics), 'num_disks': len(disks),
            'cpu_details': _cpus(domain) if on else [],
            'nic_details': [_nic(domain, nic) for nic in nics] if on else [],
            'disk_details': [_disk(domain, disk) for disk in disks] if on else [],
            'memory_details': {'maximum': most // 1024, 'used': memory // 1024}}


def _cpus(domain: libvirt.virDomain) -> list[dict[str, object]]:
    return [{'id': number, 'time': spent, 'utilisation': None}
            for number, _, spent, _ in domain.vcpus()[0]]


_NIC = ('rx_octets', 'rx_packets', 'rx_errors', 'rx_drop', 'tx_octets', 'tx_packets', 'tx_errors', 'tx_drop')


def _nic(domain: libvirt.virDomain, nic: etree._Element) -> dict[str, object]:
    target = nic.find('target')
    counted = domain.interfaceStats(target.get('dev')) if target is not None else [None] * len(_NIC)
    return {'mac_address': nic.find('mac').get('address'), **dict(zip(_NIC, counted, strict=True)),
            'rx_rate': None, 'tx_rate': None}


def _disk(domain: libvirt.virDomain, disk: etree._Element) -> dict[str, object]:
    try:
        reads, read, writes, written, wrong = domain.blockStats(disk.find('target').get('dev'))
    except libvirt.libvirtError:  # a drive without a medium has none
        reads = read = writes = written = wrong = None
    return {'read_bytes': read, 'read_requests': reads, 'write_bytes': written, 'write_requests': writes,
            'errors_count': wrong}
