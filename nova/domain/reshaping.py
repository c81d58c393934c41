"""CPUs and memory that move between a node and its NUMA cells, together with what is allocated of them.

A host that is told to report its cells, or to do so no more, may have guests by then. Where each of them is, as
far as the host has promised anybody a cell, the host knows; the others float, and are put where there is room.
"""

from collections.abc import Iterable, Mapping

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.domain import numa_providers, provider_tree
from nova.domain.numa_providers import CLASSES, Amounts
from nova.domain.provider_tree import Held, ProviderTree

Inventories = Mapping[str, dict[str, JsonObject]]
"""By provider, inventories by resource class."""


def lost(tree: ProviderTree, there: Inventories) -> dict[str, set[str]]:
    """Classes that a provider loses and another one of the tree has.

    Args:
        there: of the providers that are the host's, also of those that the tree has no more.
    """
    had = {name for one in tree for name in one.inventory if name in CLASSES}
    found = {uuid: {name for name in inventory if name in had and name not in _wanted(tree, uuid)}
             for uuid, inventory in there.items()}
    return {uuid: names for uuid, names in found.items() if names}


def _wanted(tree: ProviderTree, uuid: str) -> dict[str, JsonObject]:
    one = tree.get(uuid)
    return one.inventory if one is not None else {}


def inventories(tree: ProviderTree, there: Inventories, losing: Mapping[str, set[str]]
                ) -> dict[str, dict[str, JsonObject]]:
    """What the providers that lose and those that gain have afterwards; a ratio that was set stays."""
    names = set().union(*losing.values())
    set_before = {name: values for uuid in losing for name, values in there[uuid].items() if name in names}
    found = {one.uuid: provider_tree.complete(one.inventory, {**set_before, **there.get(one.uuid, {})})
             for one in tree if one.uuid in losing or names & one.inventory.keys()}
    for uuid in losing:
        if uuid not in tree:
            found[uuid] = {name: values for name, values in there[uuid].items() if name not in losing[uuid]}
    return found


def allocations(tree: ProviderTree, after: Inventories, losing: Mapping[str, set[str]],
                held: Mapping[str, Held]) -> dict[str, dict[str, JsonObject]]:
    """What the consumers of the providers that lose hold afterwards.

    Args:
        after: see `inventories`.
        held: all that each of them holds, anywhere.

    Raises:
        errors.placement.ReshapeRefused: one is no guest of this host: a move, or a server that is on its way,
            whose operation knows what it holds.
    """
    guests = tree.guests() if tree.guests is not None else {}
    strangers = sorted(set(held) - set(guests))
    if strangers:
        raise errors.placement.ReshapeRefused(
            node=tree.root.name, reason='some are of a move that has not ended, or of a server that is not '
            f'here yet: {", ".join(strangers[:5])}')
    stays, goes = dict[str, dict[str, JsonObject]](), dict[str, Amounts]()
    for consumer, all_of_it in held.items():
        stays[consumer], goes[consumer] = _divided(all_of_it, losing)
    rooms = _Rooms(after, stays.values())
    for consumer in sorted(held, key=lambda one: _order(guests[one], goes[one])):
        for provider, amounts in rooms.take(goes[consumer], guests[consumer]).items():
            there = stays[consumer].setdefault(provider, {'resources': {}})['resources']
            there.update(numa_providers.total([there, amounts]))
    return stays


def _order(exact: Held, amounts: Amounts) -> tuple[bool, int, int]:
    """Those whose place is known first, then the largest."""
    return (not exact, -amounts.get('MEMORY_MB', 0), -amounts.get('VCPU', 0))


def _divided(held: Held, losing: Mapping[str, set[str]]) -> tuple[dict[str, JsonObject], Amounts]:
    """What stays where it is, by provider, and what goes."""
    stays: dict[str, JsonObject] = {}
    goes = []
    for provider, part in held.items():
        names = losing.get(provider, set())
        goes.append({name: amount for name, amount in part['resources'].items() if name in names})
        rest = {name: amount for name, amount in part['resources'].items() if name not in names}
        if rest:
            stays[provider] = {'resources': rest}
    return stays, numa_providers.total(goes)


class _Rooms:
    """How much is free of each class on each provider."""

    def __init__(self, after: Inventories, used: Iterable[Held]) -> None:
        free = {uuid: {name: provider_tree.capacity(values) for name, values in inventory.items()
                       if name in CLASSES} for uuid, inventory in after.items()}
        self._free = {uuid: amounts for uuid, amounts in free.items() if amounts}
        self._most = {uuid: {name: values['max_unit'] for name, values in inventory.items()}
                      for uuid, inventory in after.items()}
        for held in used:
            for provider, part in held.items():
                self._count(provider, part['resources'])

    def take(self, amounts: Amounts, exact: Held) -> dict[str, Amounts]:
        """Where amounts go, by provider: where they are, or to one provider that has room for all of them, or
        to several."""
        known = {provider: part['resources'] for provider, part in exact.items()}
        if known.keys() <= self._free.keys() and numa_providers.total(known.values()) == amounts:
            found = known
        else:
            best = max((each for each in self._free if all(
                self._room(each, name) >= amount for name, amount in amounts.items())),
                key=lambda each: self._free[each].get('MEMORY_MB', 0), default=None)
            found = {best: amounts} if best is not None else self._scattered(amounts)
        for provider, part in found.items():
            self._count(provider, part)
        return found

    def _scattered(self, amounts: Amounts) -> dict[str, Amounts]:
        found: dict[str, Amounts] = {}
        for name, amount in amounts.items():
            providers = sorted((each for each in self._free if name in self._free[each]),
                               key=lambda each: -self._room(each, name))
            for number, provider in enumerate(providers):
                last = number == len(providers) - 1
                part = amount if last else min(amount, max(0, self._room(provider, name)))
                if part:
                    found.setdefault(provider, {})[name] = part
                amount -= part
        return found

    def _room(self, provider: str, name: str) -> int:
        return min(self._free[provider].get(name, 0), self._most[provider].get(name, 0))

    def _count(self, provider: str, amounts: Mapping[str, int]) -> None:
        for name, amount in amounts.items():
            if name in self._free.get(provider, {}):
                self._free[provider][name] -= amount
