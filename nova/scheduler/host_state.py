"""A host as filters and weighers see it, and what they are asked to place: plain values, quick to read.

Rooms and amounts come from Placement's answer to the very request, so they are as fresh as the candidates; what
else is known of a host comes from the cached view of its cell.
"""

import collections
import dataclasses
import operator
from collections.abc import Iterable, Mapping

from nova.common.jsonutil import JsonObject
from nova.domain import numa_providers, pci, placement_request

_MULTIPLIER = '_weight_multiplier'


@dataclasses.dataclass(frozen=True, slots=True)
class Aggregate:
    """A host aggregate."""

    uuid: str
    name: str
    hosts: frozenset[str]
    metadata: Mapping[str, str]

    @property
    def zone(self) -> str | None:
        """Availability zone it stands for."""
        return self.metadata.get('availability_zone')


@dataclasses.dataclass(slots=True)
class HostState:
    """One compute node.

    Attributes:
        uuid: of the node, which is its root resource provider.
        up: its service has been heard of lately and is not forced down.
        num_instances, num_io_ops: servers on it, and those being built, moved or snapshot.
        free: amount left by resource class; total likewise (capacity, overcommit included).
        candidates: allocation requests that are served by it.
    """

    uuid: str
    host: str
    nodename: str
    cell_uuid: str
    up: bool = True
    disabled: bool = False
    disabled_reason: str | None = None
    service_version: int = 1
    hypervisor_type: str = ''
    hypervisor_version: int = 0
    host_ip: str | None = None
    cpu_info: JsonObject = dataclasses.field(default_factory=dict)
    supported_instances: list[list[str]] = dataclasses.field(default_factory=list)
    stats: JsonObject = dataclasses.field(default_factory=dict)
    metrics: list[JsonObject] = dataclasses.field(default_factory=list)
    numa_topology: JsonObject | None = None
    pci_stats: list[JsonObject] | None = None
    num_instances: int = 0
    num_io_ops: int = 0
    failed_builds: int = 0
    aggregates: tuple[Aggregate, ...] = ()
    free: dict[str, int] = dataclasses.field(default_factory=dict)
    total: dict[str, int] = dataclasses.field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    candidates: list[JsonObject] = dataclasses.field(default_factory=list)
    limits: JsonObject = dataclasses.field(default_factory=dict)
    weight: float = 0.0

    @property
    def cells(self) -> dict[str, int]:
        """Its NUMA cells, by the uuid of the provider that each is where they are reported."""
        return {numa_providers.cell_uuid(self.host, self.nodename, cell['id']): cell['id']
                for cell in (self.numa_topology or {}).get('cells', ())}

    @property
    def free_vcpus(self) -> int:
        return self.free.get(placement_request.VCPU, 0)

    @property
    def free_ram_mb(self) -> int:
        return self.free.get(placement_request.MEMORY_MB, 0)

    @property
    def free_disk_mb(self) -> int:
        return self.free.get(placement_request.DISK_GB, 0) * 1024

    @property
    def zone(self) -> str | None:
        """Availability zone by its aggregates; None is the default one."""
        return next((one.zone for one in self.aggregates if one.zone), None)

    def values_of(self, key: str) -> set[str]:
        """Values that its aggregates have under a metadata key; comma lists are taken apart."""
        return {word.strip() for one in self.aggregates if key in one.metadata
                for word in one.metadata[key].split(',')}

    def multiplier(self, name: str, default: float) -> float:
        """Weight multiplier: the smallest that an aggregate sets, else the configured one."""
        found = []
        for word in self.values_of(name + _MULTIPLIER):
            try:
                found.append(float(word))
            except ValueError:
                continue
        return min(found, default=default)

    def copy(self) -> 'HostState':
        """A copy for one request to change; much quicker than copying in general, and there are many."""
        new = HostState(*_values(self))
        new.free, new.total, new.candidates, new.limits = {}, {}, [], {}
        return new

    def take(self, allocation: JsonObject) -> None:
        """Count a claim of this request, so that the next server of it sees what is left."""
        self._count(allocation, 1)

    def give_back(self, allocation: JsonObject) -> None:
        """Take a claim of this request that came to nothing off the count again."""
        self._count(allocation, -1)

    def expect(self, allocation: JsonObject, servers: int = 1) -> None:
        """Count what may be claimed soon, which makes the host no worse than full: it is behind others."""
        for held in allocation['allocations'].values():
            for name, amount in held['resources'].items():
                if name in self.free:
                    self.free[name] -= servers * amount

    def _count(self, allocation: JsonObject, servers: int) -> None:
        self.expect(allocation, servers)
        self.num_instances += servers
        self.num_io_ops += servers


_values = operator.attrgetter(*(field.name for field in dataclasses.fields(HostState)))


@dataclasses.dataclass(slots=True)
class Flavor:
    """The part of a flavor that scheduling looks at."""

    name: str
    vcpus: int
    memory_mb: int
    root_gb: int
    ephemeral_gb: int
    swap: int
    extra_specs: Mapping[str, str]


@dataclasses.dataclass(slots=True)
class Group:
    """A server group, with where its servers are."""

    uuid: str
    policy: str
    rules: JsonObject = dataclasses.field(default_factory=dict)
    on_host: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    @property
    def hosts(self) -> set[str]:
        return {host for host, count in self.on_host.items() if count > 0}

    @property
    def max_per_host(self) -> int:
        """Servers of the group that one host may have, under anti-affinity."""
        return int(self.rules.get('max_server_per_host', 1))


@dataclasses.dataclass(slots=True)
class Wanted:
    """What is to be placed, as filters and weighers see it: any of the servers that are asked for together.

    Attributes:
        scheduler_hints: hint to its value, or values.
        where: hosts of servers that hints name, by uuid.
        from_cell: cell of a server that is moved, which is preferred; None for a new one.
        only_cell: the only legal cell.
        accept: hosts that alone are legal (forced or requested); None is any.
        ports: what devices those of its ports are that are devices of the host.
    """

    project_id: str
    user_id: str
    flavor: Flavor
    image_id: str | None = None
    image: JsonObject = dataclasses.field(default_factory=dict)
    availability_zone: str | None = None
    scheduler_hints: JsonObject = dataclasses.field(default_factory=dict)
    group: Group | None = None
    where: Mapping[str, str] = dataclasses.field(default_factory=dict)
    from_cell: str | None = None
    only_cell: str | None = None
    ignore_hosts: frozenset[str] = frozenset()
    ignore_cells: frozenset[str] = frozenset()
    accept: frozenset[str] | None = None
    accept_nodes: frozenset[str] | None = None
    forced: bool = False
    volume_backed: bool = False
    ports: tuple[pci.Kind, ...] = ()

    def hint(self, name: str) -> list[str]:
        """Values of a hint; a single one is a list of one, none an empty list."""
        value = self.scheduler_hints.get(name)
        if value is None:
            return []
        return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]

    def first_hint(self, name: str, default: str | None = None) -> str | None:
        return next(iter(self.hint(name)), default)


def zones(aggregates: Iterable[Aggregate]) -> set[str]:
    """Availability zones that aggregates stand for."""
    return {one.zone for one in aggregates if one.zone}
