"""A tree of resource providers as a host wants Placement to see it."""

import dataclasses
import uuid as uuid_
from collections.abc import Callable, Collection, Iterator, Mapping

from nova.common.jsonutil import JsonObject

INITIAL_RATIO = 'initial_allocation_ratio'

OWNER = 'OWNER_NOVA'
"""Trait of the providers beneath a host that the host has made: others hang theirs there as well."""

_NAMESPACES = ('COMPUTE_', 'HW_', OWNER)
"""Traits that a host's report gives and takes; all other names are operators' and other services'."""

_OF_THE_NODE = {'COMPUTE_NODE', 'COMPUTE_STATUS_DISABLED'}
"""Traits of a node that no part of it has."""

Held = Mapping[str, JsonObject]
"""What a consumer holds: ``{provider: {"resources": {class: amount}}}``."""

_SPACE = uuid_.UUID('6f0c7a53-5f0c-4f7e-9d3a-0a0f0c7b1f52')

_DEFAULTS = {'reserved': 0, 'min_unit': 1, 'max_unit': 0x7FFFFFFF, 'step_size': 1, 'allocation_ratio': 1.0}


def uuid_of(host: str, name: str) -> str:
    """The uuid of a provider of a host, by the provider's name: the same for ever, whatever a host forgets."""
    return str(uuid_.uuid5(_SPACE, f'{host}\n{name}'))


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


def capacity(inventory: JsonObject) -> int:
    """How much of a complete inventory can be allocated."""
    return int((inventory['total'] - inventory['reserved']) * inventory['allocation_ratio'])


def complete_traits(wanted: 'Provider', there: Collection[str], of_root: Collection[str] = ()) -> set[str]:
    """The traits to write where a provider has `there`: what is not ours to say stays.

    Args:
        of_root: what the root has, for its parts.
    """
    if wanted.is_part:
        return wanted.traits | {OWNER} | set(of_root) - _OF_THE_NODE
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
    One that `is_part` of the root has its traits besides its own, operators' included: what asks for these and
    for something of the part asks for one host.
    """

    uuid: str
    name: str
    parent: str | None = None
    inventory: dict[str, JsonObject] = dataclasses.field(default_factory=dict)
    traits: set[str] = dataclasses.field(default_factory=set)
    kept_traits: set[str] = dataclasses.field(default_factory=set)
    is_part: bool = False


class ProviderTree:
    """Providers of one root, parents before children.

    Args:
        guests: asks who may hold CPUs and memory of the root, and what of which provider, as far as that is
            certain; None moves nothing that is held from one provider to another.
    """

    def __init__(self, root: Provider, guests: Callable[[], Mapping[str, Held]] | None = None) -> None:
        if root.parent is not None:
            raise ValueError(f'the root provider {root.name} has a parent')
        self.root, self.guests = root, guests
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
             frozenset(one.traits), frozenset(one.kept_traits), one.is_part)
            for one in self)
