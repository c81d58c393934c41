"""What servers count for."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Demand:
    """What one server counts for.

    Attributes:
        vcpus, memory_mb: of its flavor.
        resources: what it asks of Placement, by resource class.
    """

    vcpus: int
    memory_mb: int
    resources: Mapping[str, int]

    def or_more(self, other: 'Demand') -> 'Demand':
        """The larger of both in each respect: what a server counts for that is between two flavors."""
        return Demand(max(self.vcpus, other.vcpus), max(self.memory_mb, other.memory_mb),
                      {name: max(self.resources.get(name, 0), other.resources.get(name, 0))
                       for name in sorted({*self.resources, *other.resources})})
