"""Devices of the host, as libvirt describes them."""

import collections
import dataclasses
from collections.abc import Sequence

from lxml import etree

from nova.domain import pci
from nova.virt import mdevs
from nova.virt.driver.inventory import HostDevice

_PARTS = ('domain', 'bus', 'slot', 'function')


def described(pci_devices: Sequence[etree._Element], interfaces: Sequence[etree._Element]) -> list[HostDevice]:
    """Devices as libvirt describes them.

    Args:
        interfaces: network interfaces, each of which names the device that it is.
    """
    nets = {each.findtext('parent'): each.find('./capability') for each in interfaces}
    found = [_device(each.find('./capability'), nets.get(each.findtext('name'))) for each in pci_devices]
    names = {device.address: device.devnames for device in found}
    return [dataclasses.replace(device, devnames=(*device.devnames, *names.get(device.card or '', ())))
            for device in found]


def _device(capability: etree._Element, net: etree._Element | None) -> HostDevice:
    address, node = _place(capability)
    card = capability.find("./capability[@type='phys_function']/address")
    functions = capability.find("./capability[@type='virt_functions']")
    return HostDevice(
        address=address, node=node,
        vendor_id=capability.find('vendor').get('id', '').removeprefix('0x'),
        product_id=capability.find('product').get('id', '').removeprefix('0x'),
        type=pci.FUNCTION if card is not None else pci.CARD if functions is not None else pci.PCI,
        card=_address(*(int(card.get(name), 16) for name in _PARTS)) if card is not None else None,
        devnames=(net.findtext('interface'),) if net is not None else (),
        mac=net.findtext('address') if net is not None else None)


def _place(capability: etree._Element) -> tuple[str, int | None]:
    """Address of a PCI device, and the NUMA cell that it is near to, where libvirt knows that."""
    numa = capability.find('numa')
    return (_address(*(int(capability.findtext(part)) for part in _PARTS)),
            int(numa.get('node')) if numa is not None else None)


def _address(domain: int, bus: int, slot: int, function: int) -> str:
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function}'


def mdev_cards(pci_devices: Sequence[etree._Element], made: Sequence[etree._Element]) -> list[mdevs.Card]:
    """Devices of which mediated ones can be made.

    Args:
        made: the mediated devices that there are.
    """
    there = [(each.findtext('parent'), each.find('./capability/type').get('id'), uuid_of(each))
             for each in made]
    cards = []
    for each in pci_devices:
        capability, name = each.find('./capability'), each.findtext('name')
        address, node = _place(capability)
        free = {kind.get('id', ''): int(kind.findtext('availableInstances') or 0)
                for kind in capability.findall("./capability[@type='mdev_types']/type")}
        mine = collections.Counter(kind for parent, kind, _ in there if parent == name)
        types = {kind: count + mine[kind] for kind, count in free.items()}
        ours = {mdevs.ident(address, kind, number) for kind, count in types.items() for number in range(count)}
        others = collections.Counter(
            kind for parent, kind, ident in there if parent == name and ident not in ours)
        cards.append(mdevs.Card(address, types, others, node))
    return cards


def uuid_of(mdev: etree._Element) -> str | None:
    """The uuid of a mediated device: older libvirt has it in the name alone."""
    said = mdev.findtext('./capability/uuid')
    if said is not None:
        return str(said)
    return '-'.join(mdev.findtext('name', '').split('_')[1:6])


def new_mdev(device: HostDevice) -> etree._Element:
    """A mediated device that is to be made."""
    root = etree.Element('device')
    etree.SubElement(root, 'parent').text = 'pci_' + str(device.card).translate(str.maketrans(':.', '__'))
    capability = etree.SubElement(root, 'capability', type='mdev')
    etree.SubElement(capability, 'type', id=device.product_id)
    etree.SubElement(capability, 'uuid').text = device.address
    return root
