"""From a request to the trees and providers that could serve it.

Each group narrows the rows by masks. What remains is cut into *slots*: a slot is served by one provider of the
tree or by one that shares with it. A group with a suffix is one slot; the group without is a slot per resource
class. A tree stays only if it has something for every slot.
"""

import dataclasses
from collections.abc import Hashable, Iterable, Iterator

import numpy as np

from nova.placement.candidates.bounds import bounds, enough_in_trees
from nova.placement.candidates.request import CandidateRequest, RequestGroup
from nova.placement.candidates.slot import Slot
from nova.placement.candidates.subtrees import keep_subtrees
from nova.placement.candidates.view import NO_ROWS, Mask, Rows, View


@dataclasses.dataclass(slots=True)
class Plan:
    """Slots, and the trees that could fill each of them."""

    slots: list[Slot]
    trees: Rows
    tops: list[Rows]
    """For each same_subtree, rows that may be above all its others."""


def _any_of(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ordered[0] if len(ordered) == 1 else f'in:{",".join(ordered)}'


def constraints(view: View, group: RequestGroup) -> Iterator[tuple[str, Mask]]:
    """What the group asks of each provider apart from resources, and the rows that comply."""
    forest = view.forest
    if group.one_provider:
        for names in group.required:
            yield f'required {_any_of(names)}', view.with_any(view.traits, names)
    for name in sorted(group.forbidden):
        yield f'required !{name}', ~view.with_any(view.traits, [name])

    def members(sets: Iterable[Iterable[str]]) -> Mask:
        """Rows that are in all of these sets; without a suffix, also those whose root is in all of them."""
        mask = np.logical_and.reduce([view.with_any(view.aggregates, names) for names in sets])
        if not group.suffix:
            mask |= mask[forest.starts[forest.tree]]
        return mask
    if group.member_of:
        yield f'member_of {" and ".join(map(_any_of, group.member_of))}', members(group.member_of)
    for name in sorted(group.forbidden_aggs):
        yield f'member_of !{name}', ~members([[name]])
    if group.in_tree is not None:
        yield f'in_tree {group.in_tree}', forest.tree == tree_of(view, group.in_tree)


def tree_of(view: View, uuid: str) -> int:
    """Number of the tree of this provider, -1 when there is none."""
    row = view.forest.uuids.get(uuid)
    return -1 if row is None else int(view.forest.tree[row])


def stock(view: View, name: str, amount: int) -> Iterator[tuple[str, Mask]]:
    """Which rows could give so much of one class, check by check."""
    column = view.columns.get(name)
    if column is None:
        yield f'{name} inventory', view.mask(NO_ROWS)
        return
    yield f'{name} inventory', view.mask(column.rows)
    for label, passed in column.checks(amount).items():
        yield f'{name}:{amount} {label}', view.mask(column.rows[passed])


def _fitting(view: View, name: str, amount: int) -> Mask:
    column = view.columns.get(name)
    if column is None:
        return view.mask(NO_ROWS)
    return view.mask(column.rows[np.logical_and.reduce(list(column.checks(amount).values()))])


def parts(view: View, request: CandidateRequest) -> list[Slot]:
    """The slots of all groups; groups that ask for the same are narrowed once and share their arrays."""
    known: dict[Hashable, list[Slot]] = {}
    found: list[Slot] = []
    for group in request.groups:
        key = (bool(group.suffix), tuple(group.resources.items()), frozenset(group.required), group.forbidden,
               frozenset(group.member_of), group.forbidden_aggs, group.in_tree)
        if key not in known:
            known[key] = list(_slots(view, group))
        found.extend(dataclasses.replace(slot, suffix=group.suffix) for slot in known[key])
    return found


def _slots(view: View, group: RequestGroup) -> Iterator[Slot]:
    """The slots of one group with everybody who could serve them."""
    common = np.ones(len(view.providers), np.bool_)
    for _, mask in constraints(view, group):
        common &= mask
    fitting = {name: _fitting(view, name, amount) for name, amount in group.resources.items()}
    if group.one_provider:
        for mask in fitting.values():
            common &= mask
        yield _slot(view, group.suffix, group.resources, common)
        return
    for name, amount in group.resources.items():
        yield _slot(view, group.suffix, {name: amount}, common & fitting[name])


def _slot(view: View, suffix: str, resources: dict[str, int], mask: Mask) -> Slot:
    rows = np.flatnonzero(mask)
    trees = view.forest.tree[rows]
    away = [(row, served) for row, served in view.served.items() if mask[row] and len(served)]
    if away:
        rows = np.concatenate((rows, *(np.full(len(served), row) for row, served in away)))
        trees = np.concatenate((trees, *(served for _, served in away)))
        order = np.argsort(trees, kind='stable')
        rows, trees = rows[order], trees[order]
    return Slot(suffix, resources, trees, rows, bool(away))


def tree_constraints(view: View, request: CandidateRequest, slots: list[Slot], tops: list[Rows]
                     ) -> Iterator[tuple[str | None, str, Mask]]:
    """What is asked of trees: (suffix or None for the whole request, constraint, the trees that comply).

    Args:
        slots: lose, in place, the rows that lie in no subtree as same_subtree wants it.
        tops: gets the tops of those subtrees, for each same_subtree.
    """
    forest = view.forest
    for slot in slots:
        classes = ','.join(f'{name}:{amount}' for name, amount in slot.resources.items())
        yield slot.suffix, f'tree has {classes or "a provider"}', _present(view, slot.trees)
    for group in request.groups:
        if group.suffix:
            continue
        if group.in_tree is not None:
            yield '', f'in_tree {group.in_tree}', np.arange(len(forest)) == tree_of(view, group.in_tree)
        if not group.one_provider:
            mine = [slot for slot in slots if not slot.suffix]
            rows = np.concatenate([slot.rows for slot in mine])
            trees = np.concatenate([slot.trees for slot in mine])
            for names in group.required:
                having = view.with_any(view.traits, names)[rows]
                yield '', f'required {_any_of(names)}', _present(view, trees[having])
    roots = forest.starts[:-1]
    for name in sorted(request.root_required):
        yield None, f'root_required {name}', view.with_any(view.traits, [name])[roots]
    for name in sorted(request.root_forbidden):
        yield None, f'root_required !{name}', ~view.with_any(view.traits, [name])[roots]
    for why, bound in bounds(view, request, slots):
        yield None, why, enough_in_trees(view, bound)
    for suffixes in dict.fromkeys(names for names in request.same_subtree if len(names) > 1):
        mask, found = keep_subtrees(view, request, suffixes, slots)
        tops.append(found)
        yield None, f'same_subtree {",".join(sorted(suffixes))}', mask


def _present(view: View, trees: Rows) -> Mask:
    mask = np.zeros(len(view.forest), np.bool_)
    mask[trees] = True
    return mask


def plan(view: View, request: CandidateRequest) -> Plan:
    """Narrow every group, then the trees."""
    found = parts(view, request)
    viable = np.ones(len(view.forest), np.bool_)
    tops: list[Rows] = []
    for _, _, mask in tree_constraints(view, request, found, tops):
        viable &= mask
    return Plan(found, np.flatnonzero(viable), tops)
