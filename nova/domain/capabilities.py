"""What hosts can do, whatever runs on them now: from the traits and inventories that they report, and whether
a flavor and an image ask for something that one of them has.

A host keeps what it offers in its node's record; nobody else has to be asked. Traits that an operator gave to a
provider in Placement only are not known here.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nova.common.jsonutil import JsonObject
from nova.domain import image_hypervisor, image_traits
from nova.domain.placement_request import DISK_GB, Group, ResourceRequest
from nova.domain.provider_tree import INITIAL_RATIO, ProviderTree

OFFERS = 'offers'
"""Under this name the stats of a node have what its providers offer, the node's own first."""

Wish = str
"""What is asked for, in words for the user: ``trait COMPUTE_X``, ``VCPU: 8``, ``hw_architecture: aarch64``."""


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """What one provider of a host has.

    Attributes:
        most: of each resource class, what one server can have of it.
    """

    traits: frozenset[str]
    most: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """A node, as far as it can be judged.

    Attributes:
        offers: of its providers, its own first.
        supported: (architecture, hypervisor type, mode) of the guests that it runs.
    """

    zone: str
    offers: tuple[Offer, ...]
    supported: Sequence[Sequence[str]]
    hypervisor_version: int

    @property
    def traits(self) -> frozenset[str]:
        return frozenset().union(*(offer.traits for offer in self.offers))

    def most(self, resource_class: str) -> int:
        return max((offer.most.get(resource_class, 0) for offer in self.offers), default=0)


def offers(tree: ProviderTree) -> list[JsonObject]:
    """What a host's providers offer, as its node's record keeps it."""
    return [{'traits': sorted(provider.traits),
             'most': {name: _most(values) for name, values in sorted(provider.inventory.items())}}
            for provider in tree]


def _most(inventory: JsonObject) -> int:
    room = inventory['total'] - inventory.get('reserved', 0)
    ratio = inventory.get('allocation_ratio', inventory.get(INITIAL_RATIO, 1.0))
    most = inventory['max_unit'] if 'max_unit' in inventory else inventory['total']
    return min(int(room * ratio), most)


def host(zone: str, stats: JsonObject, supported: Iterable[Iterable[str]], version: int) -> Host:
    """From what the node's record keeps; a host that has not said yet what it offers offers nothing."""
    found = tuple(Offer(frozenset(one['traits']), one['most']) for one in stats.get(OFFERS, ()))
    return Host(zone, found, [[str(word) for word in each] for each in supported], version)


def lacking(host: Host, request: ResourceRequest, image: Mapping[str, object], disk_format: str | None
            ) -> Iterator[Wish]:
    """What a host does not have of what is asked for; nothing when it can run such servers.

    Args:
        request: what Placement would be asked for the flavor and the image.
        image: the image's properties.
    """
    for suffix, group in request.groups.items():
        yield from _tree_lacks(host, group) if not suffix else _group_lacks(host, suffix, group)
    root = host.offers[0].traits if host.offers else frozenset()
    yield from (f'trait {name}' for name in sorted(request.root_required - root))
    yield from (f'no trait {name}' for name in sorted(request.root_forbidden & root))
    wanted = [image_traits.of_format(disk_format)]
    wanted += [image_traits.of_property(name, value) for name, value in sorted(image.items())]
    yield from (f'trait {name}' for name in wanted if name is not None and name not in root)
    asked = image_hypervisor.wanted(image)
    if not image_hypervisor.suits(asked, host.supported):
        yield 'hypervisor ' + ' '.join(word or '*' for word in asked)
    if not image_hypervisor.version_meets(host.hypervisor_version, image):
        yield f'hypervisor version {image.get("img_hv_requested_version")}'


def _tree_lacks(host: Host, group: Group) -> Iterator[Wish]:
    """Of a group that several providers may serve together; disk may be another host's to share."""
    traits = host.traits
    yield from (f'trait {name}' for name in sorted(group.required - traits))
    yield from (f'no trait {name}' for name in sorted(group.forbidden & traits))
    yield from ('one of the traits ' + ', '.join(sorted(names)) for names in group.any_of if not names & traits)
    for name, amount in sorted(group.resources.items()):
        shared = name == DISK_GB and not host.most(name)
        if host.most(name) < amount and not shared:
            yield f'{name}: {amount}'


def _group_lacks(host: Host, suffix: str, group: Group) -> Iterator[Wish]:
    """Of a group that one provider has to serve alone."""
    def serves(offer: Offer) -> bool:
        return (group.required <= offer.traits and not group.forbidden & offer.traits
                and all(names & offer.traits for names in group.any_of)
                and all(offer.most.get(name, 0) >= amount for name, amount in group.resources.items()))
    if not any(serves(offer) for offer in host.offers):
        words = [*(f'{name}: {amount}' for name, amount in sorted(group.resources.items())),
                 *(f'trait {name}' for name in sorted(group.required)),
                 *(f'no trait {name}' for name in sorted(group.forbidden))]
        yield f'one provider with {", ".join(words)} (group {suffix})'


@dataclasses.dataclass(slots=True)
class Verdict:
    """Which hosts can run such servers.

    Attributes:
        zones: of those that can.
        able: how many can.
        lacking: what none of them has; empty where some can, or where each wish is met but not by one host.
    """

    zones: set[str] = dataclasses.field(default_factory=set)
    able: int = 0
    lacking: list[Wish] = dataclasses.field(default_factory=list)


def judge(hosts: Sequence[Host], requests: Sequence[ResourceRequest], image: Mapping[str, object],
          disk_format: str | None = None) -> Verdict:
    """Which of the hosts can; nothing that runs on them counts.

    Args:
        requests: any of them will do; where none does, the one that lacks least tells, or the last of those.
    """
    verdict, everywhere = Verdict(), None
    for one in hosts:
        lacks = min((list(dict.fromkeys(lacking(one, request, image, disk_format)))
                     for request in reversed(requests)), key=len)
        if not lacks:
            verdict.able += 1
            verdict.zones.add(one.zone)
        everywhere = lacks if everywhere is None else [wish for wish in everywhere if wish in lacks]
    verdict.lacking = everywhere or []
    return verdict
