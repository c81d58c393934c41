"""What trees and subtrees cannot have a candidate, told by counting, for all of them at once.

Each bound says: the rows that any of these slots could use are worth so much together, and the slots need more.
It holds whatever row serves which slot, so that where it fails there is nothing to combine.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from nova.placement.candidates.request import CandidateRequest
from nova.placement.candidates.slot import Slot, loads
from nova.placement.candidates.view import Mask, Rows, View

Amounts = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """What some slots need together, and what every row is worth for it (0 where none of them can use it)."""

    slots: list[Slot]
    need: int
    worth: Amounts


def bounds(view: View, request: CandidateRequest, slots: Sequence[Slot]) -> Iterator[tuple[str, Bound]]:
    """(why, bound) for isolation and for each class that several of these slots ask for."""
    if request.group_policy == 'isolate':
        isolated = [slot for slot in slots if slot.suffix]
        for some in _alike(isolated):
            yield 'group_policy isolate', Bound(some, len(some), _users(view, some).astype(np.int64))
    asking: dict[str, list[tuple[int, Slot]]] = {}
    for slot, load in zip(slots, loads(slots), strict=True):
        for name, amount in load:
            asking.setdefault(name, []).append((amount, slot))
    for name, asked in asking.items():
        room = _room(view, name)
        for least in sorted({amount for amount, _ in asked}):
            large = [slot for amount, slot in asked if amount >= least]
            yield f'{name} for all groups', Bound(large, len(large), _users(view, large) * (room // least))
        everybody = [slot for _, slot in asked]
        total = sum(amount for amount, _ in asked)
        yield f'{name} for all groups', Bound(everybody, total, _users(view, everybody) * room)


def _alike(slots: list[Slot]) -> Iterator[list[Slot]]:
    """Those that share their rows, and all; where there are several."""
    by_rows: dict[int, list[Slot]] = {}
    for slot in slots:
        by_rows.setdefault(id(slot.rows), []).append(slot)
    if len(by_rows) > 1:
        yield slots
    yield from (some for some in by_rows.values() if len(some) > 1)


def _users(view: View, slots: list[Slot]) -> Mask:
    mask = np.zeros(len(view.providers), np.bool_)
    for rows in {id(slot.rows): slot.rows for slot in slots}.values():
        mask[rows] = True
    return mask


def _room(view: View, name: str) -> Amounts:
    """By row, how much of a class several slots together may take."""
    room = np.zeros(len(view.providers), np.int64)
    column = view.columns.get(name)
    if column is not None:
        room[column.rows] = np.minimum(np.maximum(column.free, 0), column.limits[1])
    return room


def enough_in_trees(view: View, bound: Bound) -> Mask:
    """The trees whose rows, and those that share with them, are worth what is needed."""
    different = list({id(slot.rows): slot for slot in bound.slots}.values())
    if not any(slot.foreign for slot in different):
        return _between(bound, view.forest.starts[:-1], view.forest.starts[1:])
    pairs = np.unique(np.concatenate([slot.trees.astype(np.int64) * len(view.providers) + slot.rows
                                      for slot in different]))
    trees, rows = np.divmod(pairs, len(view.providers))
    worth = np.minimum(bound.worth[rows], bound.need).astype(np.float64)
    return np.bincount(trees, weights=worth, minlength=len(view.forest)) >= bound.need


def enough_below(view: View, bound: Bound) -> Mask:
    """The rows whose subtrees, the row itself included, are worth what is needed."""
    return _between(bound, np.arange(len(view.providers)), view.forest.ends)


def _between(bound: Bound, starts: Rows, ends: Rows) -> Mask:
    total = np.concatenate(([0], np.cumsum(np.minimum(bound.worth, bound.need))))
    return total[ends] - total[starts] >= bound.need
