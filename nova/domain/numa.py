"""NUMA: which cells a guest asks for, and whether a host has room for them. Pure arithmetic.

A host's topology is ``{cells: [{id, cpus, dedicated, dedicated_used, memory, memory_used, pages: [{size_kb,
total, used}]}]}``: ``cpus`` is the number of CPUs that guests share, ``dedicated`` of those that one guest has
alone; memory is in mebibytes.
"""

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.domain import cpusets

_SMALL_KB = 4
_NAMED_PAGES = {'small', 'large', 'any'}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of a guest; `pages` is the size of its pages in kB, a name of sizes, or None for any.

    Attributes:
        cpus: how many it has.
        pinned: how many of them want a CPU of the host each.
    """

    cpus: int
    memory: int
    pages: str | None = None
    pinned: int = 0


def wanted(vcpus: int, memory: int, specs: Mapping[str, str],
           properties: JsonObject) -> tuple[Cell, ...]:
    """The cells that a flavor and an image ask for; none where nobody asks for any.

    Raises:
        errors.Invalid: they do not add up.
    """
    try:
        return _wanted(vcpus, memory, specs, properties)
    except ValueError as error:
        raise errors.Invalid(f'What is asked of NUMA nodes cannot be read: {error}') from None


def _wanted(vcpus: int, memory: int, specs: Mapping[str, str],
            properties: JsonObject) -> tuple[Cell, ...]:
    def said(name: str) -> str | None:
        value = specs.get(f'hw:{name}', properties.get(f'hw_{name}'))
        return None if value is None else str(value)
    pages, pinned = said('mem_page_size'), dedicated(said('cpu_policy'), said('cpu_dedicated_mask'), vcpus)
    nodes = said('numa_nodes')
    if nodes is None and pages is None and not pinned:
        return ()
    count = int(nodes or 1)
    if count < 1 or vcpus % count and said('numa_cpus.0') is None:
        raise errors.Invalid(f'{vcpus} CPUs cannot be divided over {count} NUMA nodes.')
    cells = []
    for number in range(count):
        named, amount, each = said(f'numa_cpus.{number}'), said(f'numa_mem.{number}'), vcpus // count
        cpus = cpusets.parse(named) if named else set(range(number * each, number * each + each))
        cells.append(Cell(len(cpus), int(amount) if amount else memory // count, pages, len(pinned & cpus)))
    if sum(cell.cpus for cell in cells) != vcpus:
        raise errors.Invalid(f'The NUMA nodes do not have {vcpus} CPUs together.')
    return tuple(cells)


def dedicated(policy: str | None, mask: str | None, vcpus: int) -> frozenset[int]:
    """The CPUs of a guest that have a CPU of the host each.

    Raises:
        errors.Invalid: some have, but nobody says which.
    """
    every = frozenset(range(vcpus))
    if policy == 'dedicated':
        return every
    if policy != 'mixed':
        return frozenset()
    if not mask:
        raise errors.Invalid("hw:cpu_policy 'mixed' needs hw:cpu_dedicated_mask.")
    only_taken = all(part.strip().startswith('^') for part in mask.split(','))
    return every & cpusets.parse(f'0-{vcpus - 1},{mask}' if only_taken else mask)


def fits(host: JsonObject | None, cells: Sequence[Cell], on: Sequence[int] | None = None) -> bool:
    """Whether each cell of a guest finds a cell of the host of its own.

    Args:
        on: the cells of the host that they are to be on, in their order; None leaves that open.
    """
    rooms = list((host or {}).get('cells', ()))
    if on is not None:
        known = {room['id']: room for room in rooms}
        return len(set(on)) == len(cells) and all(
            place in known and _has_room(known[place], cell) for place, cell in zip(on, cells, strict=True))
    if len(rooms) < len(cells):
        return False
    return any(all(_has_room(room, cell) for room, cell in zip(chosen, cells, strict=True))
               for chosen in itertools.permutations(rooms, len(cells)))


def _has_room(room: JsonObject, cell: Cell) -> bool:
    if room.get('dedicated', 0) - room.get('dedicated_used', 0) < cell.pinned:
        return False
    if room['cpus'] < cell.cpus - cell.pinned:
        return False
    if cell.pages is None:
        return bool(room['memory'] - room.get('memory_used', 0) >= cell.memory)
    return any(_wants(cell.pages, pages['size_kb']) and cell.memory * 1024 % pages['size_kb'] == 0
               and (pages['total'] - pages.get('used', 0)) * pages['size_kb'] >= cell.memory * 1024
               for pages in room.get('pages', ()))


def _wants(pages: str, size_kb: int) -> bool:
    if pages in _NAMED_PAGES:
        return pages == 'any' or (pages == 'small') == (size_kb == _SMALL_KB)
    return _kilobytes(pages) == size_kb


def _kilobytes(text: str) -> int:
    """``2048``, ``2048KB``, ``2M``, ``1GB``; 0 is no size."""
    shape = re.fullmatch(r'(\d+)([kKMG]?)(i?[bB])?', text)
    return int(shape[1]) * {'G': 1024 * 1024, 'M': 1024}.get(shape[2], 1) if shape else 0
