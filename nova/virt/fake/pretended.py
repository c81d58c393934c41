"""The cells and devices that ``[fake]`` gives to a host."""

from collections.abc import Sequence

from oslo_config import cfg

from nova import errors
from nova.domain import cpusets, pci
from nova.virt import mdevs
from nova.virt.driver.inventory import HostCell, HostDevice, undivided


def cells(conf: cfg.ConfigOpts) -> Sequence[HostCell]:
    """NUMA cells of equal size; the first ones have the CPUs and megabytes that cannot be divided."""
    count, cpus = conf.fake.numa_cells, range(conf.fake.vcpus)
    dedicated = cpusets.parse(conf.compute.cpu_dedicated_set or '')
    found = []
    for number in range(count):
        here = frozenset(cpus[number * len(cpus) // count:(number + 1) * len(cpus) // count])
        memory = conf.fake.memory_mb * (number + 1) // count - conf.fake.memory_mb * number // count
        found.append(HostCell(number, memory, here, here & dedicated))
    return found


def devices(conf: cfg.ConfigOpts) -> Sequence[HostDevice]:
    """PCI devices. Those that ``device_spec`` does not name are offered as well, but on no physical network.

    Raises:
        errors.Invalid: one is not ``vendor:product``, or not ``vendor:product+vendor:product*count``.
    """
    specs, found = pci.device_specs(conf.pci.device_spec), list[HostDevice]()
    for number, word in enumerate(conf.fake.pci_devices):
        found += _card(number, word, number % conf.fake.numa_cells)
    return undivided([device.described(specs) for device in found])


def _card(number: int, word: str, node: int) -> list[HostDevice]:
    """A device, or a card with its functions."""
    whole, plus, parts = word.partition('+')
    kind, star, count = parts.partition('*')
    address, name = f'0000:{number:02x}:00.0', f'fake{number}'
    if plus and not (star and count.isdigit()):
        raise errors.Invalid(f'[fake] pci_devices: {word!r} does not say how many functions the card has: '
                             'vendor:product+vendor:product*count.')
    found = [HostDevice(address, *_ids(word, whole), node, type=pci.CARD if plus else pci.PCI, devnames=(name,),
                        mac=f'52:54:00:00:{number:02x}:00')]
    for function in range(int(count or 0)):
        found.append(HostDevice(
            f'0000:{number:02x}:{2 + function // 8:02x}.{function % 8}', *_ids(word, kind), node,
            type=pci.FUNCTION, card=address, devnames=(f'{name}v{function}', name)))
    return found


def _ids(word: str, text: str) -> tuple[str, str]:
    vendor, colon, product = text.partition(':')
    if not (vendor and colon and product):
        raise errors.Invalid(f'[fake] pci_devices: {word!r} is not vendor:product, for instance 10de:1eb8.')
    return vendor, product


def mdevs_of(conf: cfg.ConfigOpts) -> Sequence[HostDevice]:
    """Mediated devices.

    Raises:
        errors.Invalid: a card is not ``type:count``; see `mdevs.offered`.
    """
    cards = []
    for number, word in enumerate(conf.fake.mdev_types):
        name, colon, count = word.rpartition(':')
        if not (name and count.isdigit()):
            raise errors.Invalid(f'[fake] mdev_types: {word!r} is not type:count, for instance nvidia-35:16.')
        cards.append(mdevs.Card(f'0000:{0x80 + number:02x}:00.0', {name: int(count)},
                                node=number % conf.fake.numa_cells))
    return mdevs.offered(conf, cards)
