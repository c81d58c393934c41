"""What of a host's cells and devices is left, in the words that filters read; the same for every driver."""

import collections
from collections.abc import Collection, Iterable, Sequence

from nova.common.jsonutil import JsonObject
from nova.virt.driver.claims import Claim
from nova.virt.driver.inventory import Child, HostCell, HostDevice, whole
from nova.virt.fitting import SMALL_KB


def topology(cells: Sequence[HostCell], taken: Collection[Claim]) -> JsonObject | None:
    """The host's NUMA cells as `nova.domain.numa` reads them; None where the driver knows of none.

    Args:
        taken: what guests have claimed.
    """
    if not cells:
        return None
    return {'cells': [_cell(cell, taken) for cell in cells]}


def _cell(cell: HostCell, taken: Collection[Claim]) -> JsonObject:
    here = [each for claim in taken for each in claim.cells if each.node == cell.node]
    pinned = {pcpu for each in here for pcpu in each.pinned.values()}
    set_aside = sum(size * count for size, count in cell.pages.items()) >> 10
    small = [each.memory_mb for each in here if each.page_kb is None]
    pages = [{'size_kb': SMALL_KB, 'total': (cell.memory_mb - set_aside) * 1024 // SMALL_KB,
              'used': sum(small) * 1024 // SMALL_KB}]
    pages += [{'size_kb': size, 'total': count,
               'used': sum(each.memory_mb * 1024 // size for each in here if each.page_kb == size)}
              for size, count in sorted(cell.pages.items())]
    return {'id': cell.node, 'cpus': len(cell.cpus - cell.dedicated), 'dedicated': len(cell.dedicated),
            'dedicated_used': len(pinned & cell.dedicated), 'memory': cell.memory_mb,
            'memory_used': sum(small), 'pages': pages}


def pools(devices: Iterable[HostDevice], taken: Collection[Claim]) -> list[JsonObject]:
    """How many devices are free, by kind and by NUMA cell; kinds of which none is left are not told."""
    used = {address for claim in taken for address in claim.addresses}
    free = collections.Counter(
        (device.vendor_id, device.product_id, device.node, device.resource_class, tuple(sorted(device.traits)),
         device.type)
        for device in devices if device.address not in used)
    return [{'vendor_id': vendor, 'product_id': product, 'numa_node': node, 'count': count,
             'resource_class': named, 'traits': list(traits), 'device_type': kind}
            for (vendor, product, node, named, traits, kind), count in sorted(free.items(), key=repr)]


def device_providers(node: str, devices: Iterable[HostDevice]) -> list[Child]:
    """Providers of devices below a node: one for each class and set of traits, whichever the addresses are.

    A server is promised one of a kind, and the host chooses which, near to the guest's memory; a provider for
    each address would promise one device and see another one taken.
    """
    counted = collections.Counter((device.resource_class, device.traits) for device in devices)
    return [Child('_'.join((node, name, *sorted(traits))), {name: whole(count)}, set(traits))
            for (name, traits), count in sorted(counted.items(), key=repr)]
