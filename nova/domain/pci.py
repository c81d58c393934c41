"""PCI devices by kind: what ``[pci] alias`` and ``[pci] device_spec`` say, and what Placement calls them."""

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import os_resource_classes
import os_traits

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.domain.placement_request import Group

SPEC = 'pci_passthrough:alias'
"""The extra spec of flavors: ``NAME:COUNT``, several by comma."""
_HEX = re.compile(r'[0-9a-fA-F]{4}')


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """Devices that one alias means, or that one entry of ``device_spec`` names.

    Attributes:
        vendor_id, product_id: four hexadecimal digits; None is any.
        address: of one device; None is any.
        resource_class: Placement's name for them; None follows from vendor and product.
        traits: of an alias those that devices must have, of an entry those that its devices have.
    """

    vendor_id: str | None = None
    product_id: str | None = None
    address: str | None = None
    resource_class: str | None = None
    traits: frozenset[str] = frozenset()

    def fits(self, vendor_id: str, product_id: str, resource_class: str | None,
             traits: Collection[str]) -> bool:
        """Whether a device is one that this alias means."""
        return (self.vendor_id in (None, vendor_id) and self.product_id in (None, product_id)
                and self.resource_class in (None, resource_class) and self.traits <= set(traits))

    def names(self, address: str, vendor_id: str, product_id: str) -> bool:
        """Whether a device is one that this entry names."""
        return (self.address in (None, address) and self.vendor_id in (None, vendor_id)
                and self.product_id in (None, product_id))


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
    named = word('resource_class')
    return Kind(word('vendor_id'), word('product_id'), word('address'), custom(named) if named else None,
                frozenset(custom(trait) for trait in (word('traits') or '').replace(',', ' ').split()))


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
