"""Mediated devices (vGPUs): which of them the options let guests have, of what cards say that they can be."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from oslo_config import cfg

from nova import errors
from nova.conf import devices
from nova.domain import pci
from nova.virt.driver.inventory import HostDevice

_SPACE = uuid.UUID('0b3f7c52-7f2d-4f0e-9d6b-6a4f1d0e8c11')


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """A device of the host of which others are made.

    Attributes:
        types: how many devices of each type it can have, those that it has included.
        others: how many of them somebody else has made, by type.
        node: the NUMA cell that it is near to.
    """

    address: str
    types: Mapping[str, int]
    others: Mapping[str, int] = dataclasses.field(default_factory=dict)
    node: int | None = None


def ident(address: str, name: str, number: int) -> str:
    """The uuid of a card's device of a type: always the same, so that after a crash it is found again."""
    return str(uuid.uuid5(_SPACE, f'{address} {name} {number}'))


def offered(conf: cfg.ConfigOpts, cards: Sequence[Card]) -> list[HostDevice]:
    """The devices that guests may have, made or not. Their `address` is their uuid, `product_id` their type and
    `card` what they are made of.

    Raises:
        errors.Invalid: two types have the same class, or two of them name the same card.
    """
    names = conf.devices.enabled_mdev_types
    if not names:
        return []
    types = {name: devices.of_type(conf, name) for name in names}
    classes = [options.mdev_class for options in types.values()]
    if len(set(classes)) < len(classes):
        raise errors.Invalid(
            '[devices] enabled_mdev_types has several types, which must differ in mdev_class of their '
            '[mdev_TYPE]: otherwise nobody could say which of them a flavor asks for.')
    owners: dict[str, str] = {}
    for name, options in types.items():
        for address in options.device_addresses:
            if owners.setdefault(address, name) != name:
                raise errors.Invalid(
                    f'[mdev_{name}] device_addresses: {address} is of type {owners[address]} already.')
    found = []
    for card in cards:
        name = owners.get(card.address, names[0])
        most = card.types.get(name, 0)
        count = min(most, types[name].max_instances or most) - card.others.get(name, 0)
        found += [HostDevice(ident(card.address, name, number), '', name, card.node, types[name].mdev_class,
                             type=pci.MDEV, card=card.address) for number in range(count)]
    return found
