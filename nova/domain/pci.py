"""PCI devices by kind: what ``[pci] alias`` and ``[pci] device_spec`` say, and what Placement calls them."""

import dataclasses
import fnmatch
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import os_resource_classes
import os_traits
from oslo_utils import strutils

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.domain.placement_request import Group
from nova.objects.network_model import VIF, NetworkInfo

SPEC = 'pci_passthrough:alias'
"""The extra spec of flavors: ``NAME:COUNT``, several by comma."""
_HEX = re.compile(r'[0-9a-fA-F]{4}')

PCI, CARD, FUNCTION = 'type-PCI', 'type-PF', 'type-VF'
"""Types of devices: plain ones, cards that have virtual functions, and these."""
MDEV = 'mdev'
"""The type of mediated devices, which are made of others (`nova.virt.mdevs`)."""
VNICS = {'direct': FUNCTION, 'macvtap': FUNCTION, 'direct-physical': CARD}
"""The ``vnic_type`` of ports that are a device of the host, to the type of the device."""
NETWORK_CLASSES = {FUNCTION: 'SRIOV_NET_VF', CARD: 'CUSTOM_SRIOV_NET_PF', PCI: 'CUSTOM_SRIOV_NET_PF'}
"""What Placement calls devices on a physical network, by type: these are for ports, and for nothing else."""
_TRUSTED = 'CUSTOM_TRUSTED'


class Device(Protocol):
    """A device as entries of ``device_spec`` look at it; `devnames` are its own name as a network interface and
    that of its card."""

    @property
    def address(self) -> str: ...

    @property
    def vendor_id(self) -> str: ...

    @property
    def product_id(self) -> str: ...

    @property
    def card(self) -> str | None: ...

    @property
    def devnames(self) -> tuple[str, ...]: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """Devices that one alias means, or that one entry of ``device_spec`` names.

    Attributes:
        vendor_id, product_id: four hexadecimal digits; None is any.
        address: of one device, or of a card and its functions; ``*`` stands for anything. None is any.
        resource_class: Placement's name for them; None follows from vendor and product.
        traits: of an alias those that devices must have, of an entry those that its devices have.
        device_type: of an alias, see `PCI`; None is any.
        devname: of an entry: the network interface that a device, or its card, is.
        physical_network: of an entry: what its devices are connected to, which are ports of it then.
        trusted: of an entry: its functions do as trusted ports.
    """

    vendor_id: str | None = None
    product_id: str | None = None
    address: str | None = None
    resource_class: str | None = None
    traits: frozenset[str] = frozenset()
    # Not in repr, by which hosts know a claim again: claims are older than these fields.
    device_type: str | None = dataclasses.field(default=None, repr=False)
    devname: str | None = dataclasses.field(default=None, repr=False)
    physical_network: str | None = dataclasses.field(default=None, repr=False)
    trusted: bool = dataclasses.field(default=False, repr=False)

    def fits(self, vendor_id: str, product_id: str, resource_class: str | None, traits: Collection[str],
             device_type: str | None = None) -> bool:
        """Whether a device is one that this alias, or port, means; devices that are ports are no alias's."""
        if resource_class in NETWORK_CLASSES.values() and self.resource_class != resource_class:
            return False
        if (device_type == MDEV) != (self.device_type == MDEV):
            return False
        return (self.vendor_id in (None, vendor_id) and self.product_id in (None, product_id)
                and self.resource_class in (None, resource_class) and self.traits <= set(traits)
                and (device_type is None or self.device_type in (None, device_type)))

    def names(self, device: Device) -> bool:
        """Whether a device is one that this entry names, or a function of a card that it names."""
        places = [place for place in (device.address, device.card) if place is not None]
        return (self.vendor_id in (None, device.vendor_id) and self.product_id in (None, device.product_id)
                and (self.address is None or any(fnmatch.fnmatchcase(place, self.address) for place in places))
                and (self.devname is None or self.devname in device.devnames))

    def described_as(self, device_type: str) -> tuple[str | None, frozenset[str]]:
        """Class, where one is said, and traits of the devices of this type that this entry names."""
        if self.physical_network is None:
            return self.resource_class, self.traits
        return NETWORK_CLASSES[device_type], self.traits | _of_network(self.physical_network, self.trusted)


def _of_network(physical_network: str, trusted: bool) -> frozenset[str]:
    return frozenset({custom(f'PHYSNET_{physical_network}'), *([_TRUSTED] if trusted else [])})


def of_port(vnic_type: str, physical_network: str | None, trusted: bool = False) -> Kind | None:
    """The devices that a port may be; None where it is no device of the host.

    Raises:
        errors.Invalid: it is to be one, and its network is on no physical one.
    """
    if vnic_type not in VNICS:
        return None
    if physical_network is None:
        raise errors.Invalid(f'A port with vnic_type {vnic_type} is a device of the host, and needs a network '
                             'that has provider:physical_network.')
    return Kind(resource_class=NETWORK_CLASSES[VNICS[vnic_type]], traits=_of_network(physical_network, trusted))


def of_vif(vif: VIF) -> Kind | None:
    """`of_port` of an interface that a server has."""
    trusted = strutils.bool_from_string((vif.profile or {}).get('trusted'))
    return of_port(vif.vnic_type, vif.network.physical_network, trusted)


def has_devices(info: NetworkInfo | None) -> bool:
    """Whether one of a server's interfaces is a device of its host."""
    return info is not None and any(vif.vnic_type in VNICS for vif in info.vifs)


def profile(device: Device, device_type: str, physical_network: str | None, mac: str | None) -> JsonObject:
    """What ``binding:profile`` of a port says of the device that it is, for the network service to read.

    Args:
        mac: address of a whole card, which its port takes.
    """
    said: JsonObject = {'pci_vendor_info': f'{device.vendor_id}:{device.product_id}',
                        'pci_slot': device.address, 'physical_network': physical_network}
    if device_type != FUNCTION and mac is not None:
        said['device_mac_address'] = mac
    return said


PROFILE = frozenset({'pci_vendor_info', 'pci_slot', 'physical_network', 'device_mac_address'})
"""The keys of `profile`: nobody else's, and gone when the port is no device any more."""


def class_of(vendor_id: str, product_id: str) -> str:
    """The resource class of devices that nobody has given a name."""
    return f'CUSTOM_PCI_{vendor_id}_{product_id}'.upper()


def aliases(texts: Sequence[str]) -> dict[str, Kind]:
    """``[pci] alias``, by name.

    Raises:
        errors.Invalid: one is no JSON object, has no name, or asks for what no device can be.
    """
    found = {}
    for text in texts:
        form = _form('alias', text)
        if not form.get('name'):
            raise errors.Invalid(f'[pci] alias: {text!r} has no name.')
        found[str(form['name'])] = _kind('alias', text, form)
    return found


def device_specs(texts: Sequence[str]) -> list[Kind]:
    """``[pci] device_spec``, in its order: the first that matches a device says its class and traits.

    Raises:
        errors.Invalid: see `aliases`.
    """
    return [_kind('device_spec', text, _form('device_spec', text)) for text in texts]


def _form(option: str, text: str) -> JsonObject:
    try:
        form = json.loads(text)
    except ValueError as error:
        raise errors.Invalid(f'[pci] {option} is not JSON: {error}') from error
    if not isinstance(form, dict):
        raise errors.Invalid(f'[pci] {option}: {text!r} is no JSON object.')
    return form


def _kind(option: str, text: str, form: Mapping[str, object]) -> Kind:
    for name in ('vendor_id', 'product_id'):
        if form.get(name) is not None and not _HEX.fullmatch(str(form[name])):
            raise errors.Invalid(f'[pci] {option}: {name} of {text!r} is not four hexadecimal digits.')

    def word(name: str) -> str | None:
        return str(form[name]) if form.get(name) is not None else None
    named, network, kind = word('resource_class'), word('physical_network'), word('device_type')
    if named and network:
        raise errors.Invalid(f'[pci] {option}: {text!r} has a physical_network, so its devices are ports; they '
                             'have no resource_class of their own.')
    if kind not in (None, PCI, CARD, FUNCTION):
        raise errors.Invalid(
            f'[pci] {option}: device_type of {text!r} is none of {PCI}, {CARD}, {FUNCTION}.')
    traits = frozenset(custom(trait) for trait in (word('traits') or '').replace(',', ' ').split())
    return Kind(word('vendor_id'), word('product_id'), _pattern(word('address')),
                custom(named) if named else None, traits, device_type=kind, devname=word('devname'),
                physical_network=network, trusted=(word('trusted') or '').lower() == 'true')


def _pattern(address: str | None) -> str | None:
    """An address in full: what is left out at either end is anything."""
    if address is None:
        return None
    return ('*' if address.startswith(':') else '') + address + ('*' if address.endswith('.') else '')


def custom(name: str) -> str:
    """A name as Placement writes it: standard names stay, others get ``CUSTOM_`` and capitals."""
    if name in os_resource_classes.STANDARDS or name in os_traits.get_traits():
        return name
    clean = re.sub('[^A-Z0-9_]', '_', name.upper())
    return clean if clean.startswith('CUSTOM_') else f'CUSTOM_{clean}'


def wanted(asked: str, known: Mapping[str, Kind]) -> list[Kind]:
    """The kinds that a flavor asks for, one entry a device.

    Raises:
        errors.Invalid: an alias that nobody knows, or an amount that is none.
    """
    found: list[Kind] = []
    for part in filter(None, (word.strip() for word in asked.split(','))):
        name, _, count = part.partition(':')
        if name not in known:
            raise errors.Invalid(f'No [pci] alias of this host is called {name!r}.')
        if count and not count.isdigit():
            raise errors.Invalid(f'{part!r} is not NAME:COUNT.')
        found += [known[name]] * int(count or 1)
    return found


def port_groups(ports: Iterable[tuple[str, Kind]]) -> Iterable[tuple[str, Group]]:
    """What Placement is asked for ports that are devices: a group each.

    Args:
        ports: id and kind.
    """
    for ident, kind in ports:
        yield f'_port-{ident}', Group(resources={str(kind.resource_class): 1}, required=set(kind.traits))


def groups(asked: str, known: Mapping[str, Kind]) -> Iterable[tuple[str, Group]]:
    """What Placement is asked for the devices of a flavor: a group each, since one provider serves a device.

    Raises:
        errors.Invalid: see `wanted`; also an alias whose class nobody can tell.
    """
    for number, kind in enumerate(wanted(asked, known)):
        if kind.resource_class is None and not (kind.vendor_id and kind.product_id):
            raise errors.Invalid('[filter_scheduler] pci_in_placement needs each [pci] alias to have '
                                 'resource_class, or both vendor_id and product_id.')
        name = kind.resource_class or class_of(kind.vendor_id or '', kind.product_id or '')
        yield f'_pci{number}', Group(resources={name: 1}, required=set(kind.traits))
