"""NUMA cells as resource providers: what they are called, what a server asks of them, and which ones it holds.

Each cell of a host that reports them is a provider below the node's, with CPUs and memory of its own; disks
and devices stay with the node. A place for a server that asks for NUMA nodes is looked for twice: on cells,
each of which serves one node of it, and on hosts that report none, where the filter judges. Any other server is
asked for as ever: a cell serves its CPUs, and this or another one its memory.
"""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence

import os_traits

from nova.common.jsonutil import JsonObject
from nova.domain import numa, provider_tree
from nova.domain.placement_request import MEMORY_MB, PCPU, VCPU, Group, ResourceRequest

CLASSES = (VCPU, PCPU, MEMORY_MB)
"""What cells have, and nodes that report none have themselves."""
ROOT, NODE = os_traits.HW_NUMA_ROOT, os_traits.COMPUTE_NODE
"""Traits of cells, and of nodes."""

_HOST = '_HOST'
"""Suffix of the group that the node serves: what it has to be."""

Amounts = dict[str, int]
"""Amount by resource class; never 0."""


def cell_name(node: str, cell: int) -> str:
    """The name of the provider that a cell is."""
    return f'{node}_NUMA{cell}'


def is_cell(node: str, name: str) -> bool:
    """Whether a provider's name is that of a cell of a node."""
    return re.fullmatch(re.escape(f'{node}_NUMA') + r'\d+', name) is not None


def cell_uuid(host: str, node: str, cell: int) -> str:
    """The uuid of the provider that a cell is."""
    return provider_tree.uuid_of(host, cell_name(node, cell))


def amounts(cpus: int, pinned: int, memory_mb: int) -> Amounts:
    """What a NUMA node of a server takes, of which so many CPUs are pinned."""
    found = {VCPU: cpus - pinned, PCPU: pinned, MEMORY_MB: memory_mb}
    return {name: amount for name, amount in found.items() if amount}


# What is asked -----------------------------------------------------------------------------------

def suffix(number: int) -> str:
    """Of the group that stands for a NUMA node of a server."""
    return f'_NUMA{number}'


def questions(request: ResourceRequest, cells: Sequence[numa.Cell]) -> list[ResourceRequest]:
    """What Placement is asked for a server: its candidates are those of all the answers.

    Args:
        request: what it would be asked if there were no cells.
        cells: the NUMA nodes that the server asks for.
    """
    if not cells:
        return [request]
    flat = copy.deepcopy(request)
    flat.main.forbidden.add(ROOT)
    return [one for one in (_on_cells(request, cells), flat) if one is not None]


def _on_cells(request: ResourceRequest, cells: Sequence[numa.Cell]) -> ResourceRequest | None:
    """A group for each cell, and one for the node; None where a flavor has its own groups or amounts.

    Its nodes are to be on different cells. Placement is told so only where no device is asked for beside them,
    since two devices may be of one provider; who takes a candidate looks in any case.
    """
    parts, main, suffixes = wanted(cells), request.main, [suffix(number) for number in range(len(cells))]
    if {name: main.resources[name] for name in CLASSES if name in main.resources} != total(parts):
        return None
    if any(name in request.groups for name in (_HOST, *suffixes)):
        return None
    asked = copy.deepcopy(request)
    others = [name for name in asked.groups if name]
    node, rest = asked.main, {name: amount for name, amount in main.resources.items() if name not in CLASSES}
    node.resources, node.required = {}, node.required | {NODE}
    asked.groups[_HOST], asked.groups[''] = node, Group(resources=rest)
    for name, part in zip(suffixes, parts, strict=True):
        asked.groups[name] = Group(resources=part, required={ROOT})
    asked.same_subtree.append(frozenset({_HOST, *suffixes}))
    if not others:
        asked.group_policy = 'isolate'
    return asked


def total(parts: Iterable[Mapping[str, int]]) -> Amounts:
    """The sum of amounts, by class."""
    found: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, 0) + amount
    return found


def serving(candidate: JsonObject, cells: Sequence[numa.Cell]) -> list[str] | None:
    """The provider of each NUMA node of a server in a candidate; None where no cells serve it."""
    mappings = candidate.get('mappings', {})
    found = [mappings.get(suffix(number)) for number in range(len(cells))]
    return [each[0] for each in found if each] if found and all(found) else None


# What is held ------------------------------------------------------------------------------------

def wanted(cells: Sequence[numa.Cell]) -> list[Amounts]:
    """What each NUMA node of a server takes."""
    return [amounts(cell.cpus, cell.pinned, cell.memory) for cell in cells]


def grown(held: Mapping[str, JsonObject], node: str, asked: Mapping[str, int], old: Sequence[Amounts],
          new: Sequence[Amounts]) -> dict[str, Amounts]:
    """Where a server that stays on its host has what it asks for now, by provider.

    Its NUMA nodes stay where they are. So does anything else, as much as there was; what is more of it joins
    the last part of it.

    Args:
        held: what it holds.
        node: the provider of what it held nothing of.
        old, new: what its NUMA nodes took, and take.
    """
    places = holding(held, old) if old else None
    known = list(zip(places, new, strict=True)) if places is not None else []
    found: dict[str, Amounts] = {}
    for provider, part in known:
        found[provider] = dict(part)
    divided = total(part for _, part in known)
    for name, amount in asked.items():
        left = amount - divided.get(name, 0)
        parts = [(provider, part['resources'][name]) for provider, part in held.items()
                 if name in part['resources']] or [(node, 0)]
        for number, (provider, had) in enumerate(parts):
            stays = left if number == len(parts) - 1 else min(had, left)
            if stays:
                mine = found.setdefault(provider, {})
                mine[name] = mine.get(name, 0) + stays
            left -= stays
    return found


def holding(held: Mapping[str, JsonObject], parts: Sequence[Amounts]) -> list[str] | None:
    """Which provider each NUMA node of a server has its CPUs and memory of.

    Args:
        held: by provider, ``{"resources": {class: amount}}``.
        parts: what each of them takes.

    Returns:
        None where what is held is not divided in this way.
    """
    left = {provider: {name: amount for name, amount in part['resources'].items() if name in CLASSES}
            for provider, part in held.items()}
    found = []
    for part in parts:
        provider = next((each for each, mine in left.items() if mine == part), None)
        if provider is None:
            return None
        del left[provider]
        found.append(provider)
    return found
