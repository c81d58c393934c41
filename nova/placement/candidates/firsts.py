"""A first pick of many trees at once, for the usual question: so many candidates, one of each tree.

Whoever wants no more candidates than there are trees needs no walk where taking the first row that is free
leads to a pick. Requests in which slots share capacity, or which sharing providers may serve, are walked.
"""

import numpy as np

from nova.placement.candidates.narrow import Plan
from nova.placement.candidates.rules import Rules
from nova.placement.candidates.view import Mask, Rows
from nova.placement.candidates.walk import Pick


def first_picks(rules: Rules, plan: Plan, wanted: int) -> list[Pick] | None:
    """The first pick of `wanted` trees; None where so many are not found like this."""
    if len(plan.trees) < wanted or not _simple(rules, plan):
        return None
    for trees in (plan.trees[:wanted], plan.trees):
        rows, found = _greedy(rules, plan, trees)
        if np.count_nonzero(found) >= wanted:
            return list(zip(*(column[found][:wanted].tolist() for column in rows), strict=True))
    return None


def _simple(rules: Rules, plan: Plan) -> bool:
    shared = {name for slot, load, alone in zip(plan.slots, rules.loads, rules.isolated, strict=True)
              for name, _ in load if not alone}
    return not (rules.one_per_root or rules.required or shared or len(rules.subtrees) > 1
                or any(slot.foreign for slot in plan.slots))


def _greedy(rules: Rules, plan: Plan, trees: Rows) -> tuple[list[Rows], Mask]:
    """By slot, a row for each of these trees; and where they make a pick."""
    forest = rules.view.forest
    starts, ends = forest.starts[trees], forest.starts[trees + 1]
    found = np.ones(len(trees), np.bool_)
    members: list[int] = []
    tops = starts
    if rules.subtrees:
        members = rules.subtrees[0]
        every = plan.tops[0]
        at = np.searchsorted(every, starts)
        tops = every[np.minimum(at, len(every) - 1)]
        found &= (at < len(every)) & (tops < ends)
    topped = np.full(len(trees), not members)
    taken: list[Rows] = []
    chosen: list[Rows] = []
    for index, slot in enumerate(plan.slots):
        member = index in members
        low = np.searchsorted(slot.rows, tops if member else starts)
        high = np.searchsorted(slot.rows, forest.ends[tops] if member else ends)
        row = slot.rows[np.minimum(low, len(slot.rows) - 1)]
        if rules.isolated[index]:
            for _ in taken:
                low = low + _any_equal(row, taken)
                row = slot.rows[np.minimum(low, len(slot.rows) - 1)]
            found &= ~_any_equal(row, taken)
            taken.append(row)
        found &= low < high
        if member:
            topped |= row == tops
        chosen.append(row)
    return chosen, found & topped


def _any_equal(row: Rows, others: list[Rows]) -> Mask:
    """Where the row is one of the others."""
    equal = np.zeros(len(row), np.bool_)
    for other in others:
        equal |= row == other
    return equal
