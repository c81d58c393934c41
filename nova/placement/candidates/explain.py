"""Why nothing fits: how many providers, then trees, each constraint left."""


import numpy as np

from nova.common.jsonutil import JsonObject
from nova.placement.candidates import narrow
from nova.placement.candidates.combine import Combiner
from nova.placement.candidates.request import CandidateRequest, RequestGroup
from nova.placement.candidates.view import Rows, View


def explain(view: View, request: CandidateRequest) -> list[JsonObject]:
    """Walk the constraints in the order in which a search applies them.

    Returns:
        One entry per constraint: `constraint` (text), `group` (suffix, or None for the whole request) and
        `remaining`. Entries of a group count providers; each class of the group without a suffix, which may
        be split, starts again from the providers that meet the group's other constraints. Then entries that
        begin with 'tree' or follow one count trees; the last one says whether any combination exists in them.
    """
    entries = [entry for group in request.groups for entry in _group(view, group)]
    slots = narrow.parts(view, request)
    tops: list[Rows] = []
    trees = np.ones(len(view.forest), np.bool_)
    for suffix, constraint, mask in narrow.tree_constraints(view, request, slots, tops):
        trees &= mask
        entries.append(_entry(constraint, suffix, trees))
    combiner = Combiner(view, request, narrow.Plan(slots, np.flatnonzero(trees), tops))
    found = combiner.picks(1, spread=True)
    constraint = 'combination: group_policy, same_subtree, shared capacity, traits together'
    if combiner.cut_short:
        constraint += ' (the search was cut short, there may be one)'
    entries.append({'constraint': constraint, 'group': None, 'remaining': len(found)})
    return entries


def _group(view: View, group: RequestGroup) -> list[JsonObject]:
    common = np.ones(len(view.providers), np.bool_)
    entries = [_entry('providers', group.suffix, common)]
    for constraint, mask in narrow.constraints(view, group):
        common &= mask
        entries.append(_entry(constraint, group.suffix, common))
    together = group.one_provider
    left = common
    for name, amount in group.resources.items():
        left = left if together else common.copy()
        for constraint, mask in narrow.stock(view, name, amount):
            left &= mask
            entries.append(_entry(constraint, group.suffix, left))
    return entries


def _entry(constraint: str, group: str | None, mask: narrow.Mask) -> JsonObject:
    return {'constraint': constraint, 'group': group, 'remaining': int(np.count_nonzero(mask))}
