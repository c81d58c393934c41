"""Which CPUs, NUMA cells, pages and devices of a host a guest gets to itself: the arithmetic of all drivers."""

import dataclasses
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from nova import errors
from nova.domain import cpusets, numa, numa_providers, pci, placement_request
from nova.objects import Instance
from nova.virt.driver.claims import Cell, Claim, Interface
from nova.virt.driver.inventory import HostCell, HostDevice

_UNITS = {'': 1, 'k': 1, 'm': 1024, 'g': 1024 * 1024}
_PAGE = re.compile(r'(?P<number>\d+)(?P<unit>[kKmMgG]?)(i?[bB])?')
SMALL_KB = 4


@dataclasses.dataclass(frozen=True, slots=True)
class WantedCell:
    cpus: tuple[int, ...]
    memory_mb: int


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What a guest asks for beyond CPUs and memory that are shared.

    Attributes:
        cells: None floats over the host.
        dedicated: guest CPUs that have a CPU of the host each.
        threads: isolate, require, prefer; None does not mind.
        page: small, large, any, or a size in KiB.
        devices: kinds of devices, one entry a device.
        ports: ports that are devices, and of what kind.
        near: devices have to be near to the guest's cells.
    """

    cells: tuple[WantedCell, ...] = ()
    dedicated: frozenset[int] = frozenset()
    threads: str | None = None
    page: str | int | None = None
    devices: tuple[pci.Kind, ...] = ()
    ports: tuple[tuple[str, pci.Kind], ...] = dataclasses.field(default=(), repr=False)
    near: bool = dataclasses.field(default=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.cells or self.devices or self.ports)

    @property
    def amounts(self) -> list[numa_providers.Amounts]:
        """What each cell takes, by resource class."""
        return [numa_providers.amounts(len(cell.cpus), len(self.dedicated.intersection(cell.cpus)),
                                       cell.memory_mb) for cell in self.cells]

    @property
    def words(self) -> str:
        """By which a claim is known again, in releases that know of less as well."""
        return repr(self) + (repr(self.ports) if self.ports else '') + (' near' if self.near else '')

    def without(self, port_id: str) -> 'Wanted':
        """The same, but for a port."""
        return dataclasses.replace(self, ports=tuple(port for port in self.ports if port[0] != port_id))


class NoRoom(errors.task.Refused):
    """This host has not enough of it; another might."""


# What is wanted

def wanted(instance: Instance, aliases: Sequence[str] = (), mdevs: Collection[str] = ()) -> Wanted:
    """What a server's flavor and image ask for; false when that is nothing.

    Args:
        aliases: ``[pci] alias``.
        mdevs: resource classes of the host's mediated devices.

    Raises:
        errors.Invalid: it makes no sense.
    """
    flavor = instance.flavor if instance.known('flavor') else None
    if flavor is None:
        return Wanted(ports=_ports(instance))
    specs = flavor.extra_specs
    image = instance.image_meta if instance.known('image_meta') else None

    def asked(name: str) -> str | None:
        own = getattr(image.properties, 'hw_' + name, None) if image is not None else None
        return specs.get('hw:' + name) or (str(own) if own else None)
    policy, page = asked('cpu_policy'), asked('mem_page_size')
    dedicated = numa.dedicated(policy, specs.get('hw:cpu_dedicated_mask'), instance.vcpus)
    nodes = asked('numa_nodes')
    count = int(nodes) if nodes else 1 if dedicated or page else 0
    return Wanted(_cells(specs, count, instance.vcpus, instance.memory_mb), dedicated,
                  asked('cpu_thread_policy'), page_kb(page) if page else None,
                  (*pci.wanted(specs.get(pci.SPEC, ''), pci.aliases(aliases)), *_mdevs(instance, mdevs)),
                  _ports(instance), near=asked('pci_numa_affinity_policy') == 'required')


def _mdevs(instance: Instance, classes: Collection[str]) -> list[pci.Kind]:
    """A flavor asks for them by their resource class."""
    amounts = placement_request.build({}, instance.flavor.extra_specs).amounts() if classes else {}
    return [kind for name in sorted(classes) for kind in
            [pci.Kind(resource_class=name, device_type=pci.MDEV)] * amounts.get(name, 0)]


def _ports(instance: Instance) -> tuple[tuple[str, pci.Kind], ...]:
    info = instance.network_info if instance.known('network_info') else None
    found = ((vif.id, pci.of_vif(vif)) for vif in (info.vifs if info is not None else ()))
    return tuple((ident, kind) for ident, kind in found if kind is not None)


def page_kb(text: str) -> str | int:
    """Size of pages in KiB, or one of the words that leave it open."""
    if text in ('small', 'large', 'any'):
        return text
    found = _PAGE.fullmatch(text)
    if found is None:
        raise errors.Invalid(f'{text!r} is not a size of memory pages.')
    return int(found['number']) * _UNITS[found['unit'].lower()]


def _cells(specs: Mapping[str, str], count: int, vcpus: int, memory_mb: int) -> tuple[WantedCell, ...]:
    if not count:
        return ()
    if f'hw:numa_cpus.{count - 1}' in specs:
        cells = []
        for number in range(count):
            cpus = cpusets.parse(specs.get(f'hw:numa_cpus.{number}', ''))
            cells.append(WantedCell(tuple(sorted(cpus)), int(specs.get(f'hw:numa_mem.{number}', '0'))))
        if sorted(cpu for cell in cells for cpu in cell.cpus) != list(range(vcpus)):
            raise errors.Invalid('hw:numa_cpus must name each CPU of the guest once.')
        if sum(cell.memory_mb for cell in cells) != memory_mb:
            raise errors.Invalid('hw:numa_mem must add up to the memory of the guest.')
        return tuple(cells)
    if vcpus % count or memory_mb % count:
        raise errors.Invalid(
            f'{vcpus} CPUs and {memory_mb} MB cannot be divided into {count} equal NUMA cells.')
    each = vcpus // count
    return tuple(WantedCell(tuple(range(number * each, number * each + each)), memory_mb // count)
                 for number in range(count))


# Where it fits

def fit(asked: Wanted, host: Sequence[HostCell], devices: Sequence[HostDevice],
        taken: Collection[Claim], had: Collection[str] = (), on: Sequence[int] | None = None) -> Claim:
    """What of the host the guest gets.

    Args:
        taken: what other guests have.
        had: devices that this one has, or has had: it gets them again where they will do.
        on: the cells of the host that its cells are to be on, in their order; None leaves that open.

    Raises:
        NoRoom: it does not fit; the text says what is missing.
    """
    reason = 'this host has fewer NUMA cells than the guest'
    for nodes in itertools.permutations(host, len(asked.cells)):
        if on is not None and [node.node for node in nodes] != list(on):
            continue
        try:
            cells = tuple(_place(number, cell, node, asked, taken)
                          for number, (cell, node) in enumerate(zip(asked.cells, nodes, strict=True)))
            return Claim(cells, *_take(asked, devices, taken, {node.node for node in nodes}, had))
        except NoRoom as error:
            reason = error.message
    raise NoRoom(reason)


def _place(number: int, cell: WantedCell, node: HostCell, asked: Wanted, taken: Collection[Claim]) -> Cell:
    """One cell of the guest on one of the host's."""
    here = [each for claim in taken for each in claim.cells if each.node == node.node]
    page = _page(cell, node, asked.page, here)
    if page is None and sum(each.memory_mb for each in here) + cell.memory_mb > node.memory_mb:
        raise NoRoom(f'NUMA cell {node.node} has not enough memory left')
    pinned = [cpu for cpu in cell.cpus if cpu in asked.dedicated]
    free = node.dedicated - {pcpu for each in here for pcpu in each.pinned.values()}
    chosen = list(itertools.islice(_order(free, node, asked.threads, here), len(pinned)))
    if len(chosen) < len(pinned):
        raise NoRoom(f'NUMA cell {node.node} has not enough dedicated CPUs left')
    return Cell(number, node.node, cell.cpus, cell.memory_mb, dict(zip(pinned, chosen, strict=True)), page)


def _order(free: frozenset[int], node: HostCell, threads: str | None, here: Sequence[Cell]) -> Iterator[int]:
    """Free CPUs, the best first."""
    cores = node.siblings or tuple(frozenset({cpu}) for cpu in sorted(node.dedicated))
    used = {pcpu for each in here for pcpu in each.pinned.values()}
    if threads == 'isolate':
        yield from (min(core & free) for core in cores if core & free and not core & used)
        return
    whole = [core & free for core in sorted(cores, key=min) if core & free == core & node.dedicated]
    rest = [core & free for core in sorted(cores, key=min) if core & free not in whole]
    groups = [core for core in whole if len(core) > 1] if threads == 'require' else whole + rest
    for core in groups:
        yield from sorted(core)


def _page(cell: WantedCell, node: HostCell, page: str | int | None, here: Sequence[Cell]) -> int | None:
    """The size of the pages of a cell's memory; None is the usual one."""
    if page in (None, 'small', SMALL_KB):
        return None
    sizes = [page] if isinstance(page, int) else sorted(node.pages, reverse=True)
    for size in sizes:
        used = sum(each.memory_mb * 1024 // size for each in here if each.page_kb == size)
        count, rest = divmod(cell.memory_mb * 1024, size)
        if not rest and used + count <= node.pages.get(size, 0):
            return size
    if page == 'any':
        return None
    raise NoRoom(f'NUMA cell {node.node} has not enough pages of the wanted size left')


def _take(asked: Wanted, devices: Sequence[HostDevice], taken: Collection[Claim], nodes: Collection[int],
          had: Collection[str]) -> tuple[tuple[str, ...], dict[str, Interface]]:
    """Devices, those near the guest's cells first, and those that are ports."""
    used = {address for claim in taken for address in claim.addresses}
    far = asked.near and bool(asked.cells)
    free = sorted((device for device in devices if device.address not in used
                   and not (far and device.node not in nodes)),
                  key=lambda device: (device.address not in had, device.node not in nodes, device.address))

    def take(kind: pci.Kind) -> HostDevice:
        for each in free:
            if kind.fits(each.vendor_id, each.product_id, each.resource_class, each.traits, each.type):
                free.remove(each)
                return each
        words = ' '.join(filter(None, (kind.resource_class, *sorted(kind.traits))))
        raise NoRoom(f'this host has no device {words} {kind.vendor_id or "any"}:{kind.product_id or "any"} '
                     'left')
    chosen = tuple(take(kind).address for kind in asked.devices)
    ports = {ident: take(kind) for ident, kind in asked.ports}
    return chosen, {ident: Interface(device.address, next(iter(device.devnames), None))
                    for ident, device in ports.items()}
