"""The cells and devices that ``[fake]`` gives to a host."""

from collections.abc import Sequence

from oslo_config import cfg

from nova import errors
from nova.domain import cpusets, pci
from nova.virt.driver.inventory import HostCell, HostDevice


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
    """PCI devices.

    Raises:
        errors.Invalid: one is not ``vendor:product``.
    """
    specs, found = pci.device_specs(conf.pci.device_spec), []
    for number, word in enumerate(conf.fake.pci_devices):
        vendor, colon, product = word.partition(':')
        if not (vendor and colon and product):
            raise errors.Invalid(f'[fake] pci_devices: {word!r} is not vendor:product, for instance 10de:1eb8.')
        device = HostDevice(f'0000:{number:02x}:00.0', vendor, product, number % conf.fake.numa_cells)
        found.append(device.described(specs))
    return found
