"""Devices of the host, as libvirt describes them."""

import dataclasses
from collections.abc import Sequence

from lxml import etree

from nova.domain import pci
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
    numa = capability.find('numa')
    card = capability.find("./capability[@type='phys_function']/address")
    functions = capability.find("./capability[@type='virt_functions']")
    return HostDevice(
        address=_address(*(int(capability.findtext(name)) for name in _PARTS)),
        node=int(numa.get('node')) if numa is not None else None,
        vendor_id=capability.find('vendor').get('id', '').removeprefix('0x'),
        product_id=capability.find('product').get('id', '').removeprefix('0x'),
        type=pci.FUNCTION if card is not None else pci.CARD if functions is not None else pci.PCI,
        card=_address(*(int(card.get(name), 16) for name in _PARTS)) if card is not None else None,
        devnames=(net.findtext('interface'),) if net is not None else (),
        mac=net.findtext('address') if net is not None else None)


def _address(domain: int, bus: int, slot: int, function: int) -> str:
    return f'{domain:04x}:{bus:02x}:{slot:02x}.{function}'
