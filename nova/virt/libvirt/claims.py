"""What guests can have of this host to themselves: cells, CPUs and pages as libvirt says, devices by option."""

from collections.abc import Callable, Collection, Mapping, Sequence

import libvirt
from lxml import etree
from oslo_config import cfg

from nova.domain import cpusets, pci
from nova.virt import mdevs
from nova.virt.driver.inventory import HostCell, HostDevice, offered
from nova.virt.libvirt import node_devices


def cpus(conf: cfg.ConfigOpts, capabilities: etree._Element) -> tuple[set[int], set[int]]:
    """The CPUs that guests share, and those that are given to one guest alone."""
    online = {int(cpu.get('id')) for cpu in capabilities.findall('./host/topology/cells/cell/cpus/cpu')}
    compute = conf.compute
    dedicated = cpusets.parse(compute.cpu_dedicated_set) & online if compute.cpu_dedicated_set else set()
    if compute.cpu_shared_set:
        return cpusets.parse(compute.cpu_shared_set) & online, dedicated
    return (set() if dedicated else online), dedicated


def cells(conf: cfg.ConfigOpts, capabilities: etree._Element) -> list[HostCell]:
    """The host's NUMA cells, with the CPUs that guests have."""
    shared, dedicated = cpus(conf, capabilities)
    return [_cell(cell, shared | dedicated, dedicated)
            for cell in capabilities.findall('./host/topology/cells/cell')]


def _cell(cell: etree._Element, offered_cpus: set[int], dedicated: set[int]) -> HostCell:
    there = cell.findall('./cpus/cpu')
    here = frozenset(int(cpu.get('id')) for cpu in there) & offered_cpus
    cores = {frozenset(cpusets.parse(cpu.get('siblings') or cpu.get('id'))) for cpu in there}
    pages = {int(page.get('size')): int(page.text) for page in cell.findall('./pages')
             if page.get('unit') == 'KiB' and int(page.get('size')) > 4}
    return HostCell(node=int(cell.get('id')), memory_mb=int(cell.findtext('./memory')) >> 10, cpus=here,
                    dedicated=here & dedicated, siblings=tuple(sorted(cores, key=min)), pages=pages)


def devices(conf: cfg.ConfigOpts, connection: Callable[[], libvirt.virConnect]) -> Sequence[HostDevice]:
    """The host's PCI devices that ``[pci] device_spec`` names.

    Raises:
        errors.Invalid: the option makes no sense.
    """
    if not conf.pci.device_spec:
        return []
    specs, conn = pci.device_specs(conf.pci.device_spec), connection()

    return offered(node_devices.described(_listed(conn, libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV),
                                          _listed(conn, libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET)), specs)


def _listed(conn: libvirt.virConnect, kind: int) -> list[etree._Element]:
    return [etree.fromstring(each.XMLDesc(0)) for each in conn.listAllDevices(kind)]


def mediated(conf: cfg.ConfigOpts, connection: Callable[[], libvirt.virConnect]) -> Sequence[HostDevice]:
    """The mediated devices that ``[devices] enabled_mdev_types`` names, made or not.

    Raises:
        errors.Invalid: the options make no sense.
    """
    if not conf.devices.enabled_mdev_types:
        return []
    conn = connection()
    return mdevs.offered(conf, node_devices.mdev_cards(
        _listed(conn, libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES),
        _listed(conn, libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV)))


def make_mdevs(conn: libvirt.virConnect, wanted: Mapping[str, HostDevice]) -> None:
    """Make the mediated devices that are not there, by uuid. Repeatable."""
    for ident in wanted.keys() - _mdevs(conn).keys():
        conn.nodeDeviceCreateXML(etree.tostring(node_devices.new_mdev(wanted[ident]), encoding='unicode'), 0)


def drop_mdevs(conn: libvirt.virConnect, unwanted: Collection[str]) -> None:
    """Remove mediated devices; those that are not there are removed."""
    if unwanted:
        for ident, device in _mdevs(conn).items():
            if ident in unwanted:
                device.destroy()


def _mdevs(conn: libvirt.virConnect) -> dict[str | None, libvirt.virNodeDevice]:
    found = conn.listAllDevices(libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV)
    return {node_devices.uuid_of(etree.fromstring(each.XMLDesc(0))): each for each in found}
