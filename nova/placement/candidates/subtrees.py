"""same_subtree, for all trees at once: who can be the top of a subtree that has something for every member.

Rows of a subtree follow one another, so that counting over subtrees is a difference of running sums. A row that
serves a tree that is not its own is left to the walk: its ancestors are of its own tree.
"""

import numpy as np

from nova.placement.candidates.bounds import bounds, enough_below
from nova.placement.candidates.request import CandidateRequest
from nova.placement.candidates.slot import Slot
from nova.placement.candidates.view import Mask, Rows, View


def keep_subtrees(view: View, request: CandidateRequest, names: frozenset[str], slots: list[Slot]
                  ) -> tuple[Mask, Rows]:
    """Drop from `slots`, in place, the rows of the named ones that lie in no subtree with something for each.

    Returns:
        The trees that have such a subtree, and the tops of those subtrees.
    """
    forest = view.forest
    members = [index for index, slot in enumerate(slots) if slot.suffix in names]
    own = {id(slots[index].rows): slots[index] for index in members}
    judged = np.ones(len(forest), np.bool_)
    able = np.zeros(len(view.providers), np.bool_)
    whole = np.ones(len(view.providers), np.bool_)
    for slot in own.values():
        away = slot.trees[forest.tree[slot.rows] != slot.trees] if slot.foreign else slot.trees[:0]
        judged[away] = False
        here = view.mask(slot.rows)
        able |= here
        total = np.concatenate(([0], np.cumsum(here)))
        whole &= total[forest.ends] > total[:-1]
    tops = able & whole
    for _, bound in bounds(view, request, [slots[index] for index in members]):
        tops &= enough_below(view, bound)
    found = np.flatnonzero(tops)
    depth = np.zeros(len(view.providers) + 1, np.int64)
    np.add.at(depth, found, 1)
    np.add.at(depth, forest.ends[found], -1)
    below = np.cumsum(depth[:-1]) > 0
    kept = {key: slot.only(below[slot.rows] | ~judged[slot.trees]) for key, slot in own.items()}
    for index in members:
        slot, shared = slots[index], kept[id(slots[index].rows)]
        slots[index] = Slot(slot.suffix, slot.resources, shared.trees, shared.rows, slot.foreign)
    trees = ~judged
    trees[forest.tree[found]] = True
    return trees, found
