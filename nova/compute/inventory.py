"""What a host offers, in two forms: the provider tree for Placement, and the node records for its cell.

Usage is never reported to Placement: who holds what is written by those who claim.
"""

import functools
import itertools
import math
from collections.abc import Callable, Collection, Mapping, Sequence

from oslo_config import cfg
from oslo_log import log

from nova import errors
from nova.clients.protocols import PlacementClient
from nova.common.jsonutil import JsonObject
from nova.compute import provider_config
from nova.compute.servers import ServerJournals
from nova.domain import capabilities, numa_providers, provider_tree
from nova.objects import compute_node
from nova.virt import claiming, reporting
from nova.virt.driver import Driver, inventory
from nova.virt.driver.claims import Claim

LOG = log.getLogger(__name__)

DISABLED = 'COMPUTE_STATUS_DISABLED'
"""Trait of nodes whose service is disabled: the scheduler asks for candidates without it."""


def tree(conf: cfg.ConfigOpts, host: str, node: str, found: inventory.Resources, traits: set[str],
         disabled: bool | None = False, on_cells: bool = False,
         guests: Callable[[], Mapping[str, provider_tree.Held]] | None = None) -> provider_tree.ProviderTree:
    """The node as Placement shall see it.

    Args:
        traits: of the driver's capabilities; the hardware's are in `found`.
        disabled: whether an operator wants no new servers here; None leaves that as Placement knows it.
        on_cells: CPUs and memory are those of providers of its NUMA cells, not its own.
        guests: see `provider_tree.ProviderTree`.
    """
    root = provider_tree.Provider(
        uuid=provider_tree.uuid_of(host, node), name=node,
        traits=found.traits | traits | {'COMPUTE_NODE'} | ({DISABLED} if disabled else set()),
        kept_traits={DISABLED} if disabled is None else set(),
        inventory={**_basic(conf, found), **found.inventory})
    result = provider_tree.ProviderTree(root, guests)
    if on_cells:
        for name in numa_providers.CLASSES:
            root.inventory.pop(name, None)
        for cell, amounts in zip(found.cells, _of_cells(conf, found.cells), strict=True):
            name = numa_providers.cell_name(node, cell.node)
            result.add(provider_tree.Provider(
                uuid=provider_tree.uuid_of(host, name), name=name, parent=root.uuid, inventory=amounts,
                traits={numa_providers.ROOT}, is_part=True))
    uuids: dict[str | None, str] = {None: root.uuid}
    devices = reporting.device_providers(node, found.devices) if conf.pci.report_in_placement else []
    devices += reporting.device_providers(node, found.mdevs)
    for child in (*found.children, *devices):
        uuids[child.name] = provider_tree.uuid_of(host, child.name)
        result.add(provider_tree.Provider(
            uuid=uuids[child.name], name=child.name, parent=uuids[child.parent], inventory=child.inventory,
            traits=set(child.traits)))
    return result


def _basic(conf: cfg.ConfigOpts, found: inventory.Resources) -> dict[str, JsonObject]:
    rows = {
        'VCPU': (found.vcpus, conf.reserved_host_cpus, _ratio(conf, 'cpu')),
        'MEMORY_MB': (found.memory_mb, conf.reserved_host_memory_mb, _ratio(conf, 'ram')),
        'DISK_GB': (found.local_gb, math.ceil(conf.reserved_host_disk_mb / 1024), _ratio(conf, 'disk')),
    }
    return _inventories(rows)


def _inventories(rows: Mapping[str, tuple[int, int, dict[str, float]]]) -> dict[str, JsonObject]:
    """Of totals, what is reserved of them, and ratios."""
    return {name: {'total': total, 'reserved': min(reserved, total), 'min_unit': 1, 'max_unit': total,
                   'step_size': 1, **ratio}
            for name, (total, reserved, ratio) in rows.items() if total > 0}


def _of_cells(conf: cfg.ConfigOpts, cells: Sequence[inventory.HostCell]) -> list[dict[str, JsonObject]]:
    """What each cell has; what is reserved is taken from all of them, as they are large."""
    cpus, memory = [len(cell.cpus - cell.dedicated) for cell in cells], [cell.memory_mb for cell in cells]
    return [{**_inventories({'VCPU': (number, cpus_kept, _ratio(conf, 'cpu')),
                             'MEMORY_MB': (cell.memory_mb, memory_kept, _ratio(conf, 'ram'))}),
             **inventory.dedicated(len(cell.dedicated))}
            for cell, number, cpus_kept, memory_kept in zip(
                cells, cpus, _shares(conf.reserved_host_cpus, cpus),
                _shares(conf.reserved_host_memory_mb, memory), strict=True)]


def _shares(amount: int, sizes: Sequence[int]) -> list[int]:
    """An amount in parts that are to one another as sizes are."""
    ends = [amount * sum(sizes[:number]) // max(1, sum(sizes)) for number in range(len(sizes) + 1)]
    return [end - start for start, end in itertools.pairwise(ends)]


def _ratio(conf: cfg.ConfigOpts, kind: str) -> dict[str, float]:
    """The ratio that the configuration fixes, or the one to begin with where it leaves that to operators."""
    fixed = conf[f'{kind}_allocation_ratio']
    if fixed:
        return {'allocation_ratio': fixed}
    return {provider_tree.INITIAL_RATIO: conf[f'initial_{kind}_allocation_ratio']}


def record(conf: cfg.ConfigOpts, host: str, node: str, found: inventory.Resources,
           taken: Collection[Claim]) -> compute_node.ComputeNode:
    """The node as its cell shall keep it.

    Args:
        taken: what guests have claimed of its cells and devices.
    """
    return compute_node.ComputeNode(
        uuid=provider_tree.uuid_of(host, node), host=host, hypervisor_hostname=node, host_ip=conf.my_ip,
        hypervisor_type=found.hypervisor_type, hypervisor_version=found.hypervisor_version,
        vcpus=found.vcpus, memory_mb=found.memory_mb, local_gb=found.local_gb,
        vcpus_used=found.vcpus_used, memory_mb_used=found.memory_mb_used + conf.reserved_host_memory_mb,
        local_gb_used=found.local_gb_used, running_vms=found.running_vms,
        disk_available_least=found.local_gb - found.local_gb_used,
        cpu_allocation_ratio=conf.cpu_allocation_ratio or conf.initial_cpu_allocation_ratio,
        ram_allocation_ratio=conf.ram_allocation_ratio or conf.initial_ram_allocation_ratio,
        disk_allocation_ratio=conf.disk_allocation_ratio or conf.initial_disk_allocation_ratio,
        cpu_info=found.cpu_info, supported_instances=[list(one) for one in found.supported_instances],
        numa_topology=reporting.topology(found.cells, taken), pci_stats=reporting.pools(found.devices, taken),
        metrics=[{'name': name, 'value': value, 'source': found.hypervisor_type}
                 for name, value in sorted(found.metrics.items())])


def _held(host: str, node: str, claim: Claim) -> provider_tree.Held:
    """What a guest has of the providers of its cells."""
    return {numa_providers.cell_uuid(host, node, cell.node): {'resources': numa_providers.amounts(
        len(cell.cpus), len(cell.pinned), cell.memory_mb)} for cell in claim.cells}


class Inventory:
    """Reports one host's nodes, each when something about it has changed.

    Args:
        journals: of the host's guests: what they have claimed.

    Raises:
        errors.Invalid: what an operator gives to its providers is wrong.

    Attributes:
        disabled: whether the host's service is; None until a conductor has said so.
    """

    def __init__(self, conf: cfg.ConfigOpts, host: str, driver: Driver, placement: PlacementClient,
                 journals: ServerJournals) -> None:
        self._conf, self._host, self._driver, self._placement = conf, host, driver, placement
        self._journals = journals
        self._sent: dict[str, JsonObject] = {}
        self._on_cells: dict[str, bool] = {}
        self._given = provider_config.load(conf.compute.provider_config_location)
        self.disabled: bool | None = None

    def report(self) -> None:
        """Bring Placement up to date; the client sends nothing while nothing changed, and verifies at times.

        CPUs and memory move to cells, or back, as soon as everybody who holds some is a guest of this host.
        """
        for node in self._driver.nodes():
            found, wanted = self._driver.resources(node), self._conf.compute.report_numa_in_placement
            self._on_cells[node] = wanted
            try:
                self._placement.report(self._tree(node, found, self.disabled))
            except errors.placement.ReshapeRefused as error:
                LOG.warning('%(error)s Until then [compute] report_numa_in_placement = %(wanted)s does not '
                            'count.', {'error': error.message, 'wanted': wanted})
                self._on_cells[node] = not wanted
                self._placement.report(self._tree(node, found, self.disabled))

    def _tree(self, node: str, found: inventory.Resources, disabled: bool | None) -> provider_tree.ProviderTree:
        on_cells = self._on_cells.get(node, self._conf.compute.report_numa_in_placement) and bool(found.cells)
        made = tree(self._conf, self._host, node, found, self._driver.capabilities.traits(), disabled, on_cells,
                    functools.partial(self._guests, node))
        provider_config.apply(self._given, made)
        return made

    def _guests(self, node: str) -> dict[str, provider_tree.Held]:
        """Who is here, and what of which cell, where a cell was promised."""
        claims = claiming.claims(self._journals)
        return {uuid: _held(self._host, node, claims.get(uuid, Claim()))
                for uuid in {*self._journals.servers(), *self._driver.guests()}}

    def news(self) -> list[compute_node.ComputeNode] | None:
        """Records of the nodes that changed since they were last returned; None when none did."""
        changed = []
        for node in self._driver.nodes():
            found = self._driver.resources(node)
            fresh = record(self._conf, self._host, node, found, claiming.taken(self._journals))
            fresh.stats = {capabilities.OFFERS: capabilities.offers(self._tree(node, found, disabled=False))}
            values = fresh.to_wire()
            if self._sent.get(node) != values:
                self._sent[node] = values
                changed.append(fresh)
        return changed or None

    def forget(self) -> None:
        """Let `news` return every node again: the last ones may not have arrived."""
        self._sent.clear()
