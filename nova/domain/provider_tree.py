"""A tree of resource providers as a host wants Placement to see it."""

import dataclasses
from collections.abc import Collection, Iterator

from nova.common.jsonutil import JsonObject

INITIAL_RATIO = 'initial_allocation_ratio'

OWNER = 'OWNER_NOVA'
"""Trait of the providers beneath a host that the host has made: others hang theirs there as well."""

_NAMESPACES = ('COMPUTE_', 'HW_', OWNER)
"""Traits that a host's report gives and takes; all other names are operators' and other services'."""

_DEFAULTS = {'reserved': 0, 'min_unit': 1, 'max_unit': 0x7FFFFFFF, 'step_size': 1, 'allocation_ratio': 1.0}


def complete(inventory: dict[str, JsonObject], there: dict[str, JsonObject]
            ) -> dict[str, JsonObject]:
    """The inventory to write: every value said, and an initial ratio only where `there` has none yet.

    An operator may have set another ratio in Placement; it is his while no configuration says otherwise.
    """
    out = {}
    for name, values in inventory.items():
        said = {key: value for key, value in values.items() if key != INITIAL_RATIO}
        if INITIAL_RATIO in values:
            said['allocation_ratio'] = there.get(name, {}).get('allocation_ratio', values[INITIAL_RATIO])
        out[name] = {**_DEFAULTS, **said}
    return out


def complete_traits(wanted: 'Provider', there: Collection[str]) -> set[str]:
    """The traits to write where a provider has `there`: what is not ours to say stays."""
    foreign = {name for name in there if not name.startswith(_NAMESPACES)}
    ours = {OWNER} if wanted.parent else set()
    return wanted.traits | ours | foreign | wanted.kept_traits & set(there)


def is_ours(traits: Collection[str]) -> bool:
    """Whether a provider beneath a host, with these traits, was made by a host's report."""
    return OWNER in traits


@dataclasses.dataclass(slots=True)
class Provider:
    """One provider: inventory by resource class, traits. Aggregates are operators'.

    An inventory is ``{"total": 8, "reserved": 0, "min_unit": 1, "max_unit": 8, "step_size": 1,
    "allocation_ratio": 1.0}``; what is left out takes Placement's default. With `INITIAL_RATIO` instead of a
    ratio, the one that Placement has stays. Of `kept_traits` a provider has those that it had.
    """

    uuid: str
    name: str
    parent: str | None = None
    inventory: dict[str, JsonObject] = dataclasses.field(default_factory=dict)
    traits: set[str] = dataclasses.field(default_factory=set)
    kept_traits: set[str] = dataclasses.field(default_factory=set)


class ProviderTree:
    """Providers of one root, parents before children."""

    def __init__(self, root: Provider) -> None:
        if root.parent is not None:
            raise ValueError(f'the root provider {root.name} has a parent')
        self.root = root
        self._by_uuid: dict[str, Provider] = {root.uuid: root}

    def add(self, provider: Provider) -> Provider:
        """Add a child.

        Raises:
            ValueError: unknown parent, or a uuid or name that is taken.
        """
        if provider.parent not in self._by_uuid:
            raise ValueError(f'the parent of provider {provider.name} is not in the tree')
        if provider.uuid in self._by_uuid or any(one.name == provider.name for one in self):
            raise ValueError(f'provider {provider.name} is in the tree already')
        self._by_uuid[provider.uuid] = provider
        return provider

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._by_uuid.values())

    def __len__(self) -> int:
        return len(self._by_uuid)

    def __contains__(self, uuid: str) -> bool:
        return uuid in self._by_uuid

    def get(self, uuid: str) -> Provider | None:
        return self._by_uuid.get(uuid)

    def facts(self) -> tuple:
        """A value that is equal when the trees are; lets a reporter see that nothing changed."""
        return tuple(
            (one.uuid, one.name, one.parent,
             tuple((name, tuple(sorted(values.items()))) for name, values in sorted(one.inventory.items())),
             frozenset(one.traits), frozenset(one.kept_traits))
            for one in self)
