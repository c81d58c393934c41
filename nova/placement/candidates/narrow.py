"""From a request to the trees and providers that could serve it.

Each group narrows the rows by masks. What remains is cut into *slots*: a slot is served by one provider of the
tree or by one that shares with it. A group with a suffix is one slot; the group without is a slot per resource
class. A tree stays only if it has something for every slot.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from nova.placement.candidates.request import CandidateRequest, RequestGroup
from nova.placement.candidates.view import NO_ROWS, Mask, Rows, View


@dataclasses.dataclass(slots=True)
class Slot:
    """A part of the request that one provider serves, and who could, tree by tree."""

    suffix: str
    resources: dict[str, int]
    trees: Rows
    """Ascending tree numbers, parallel to `rows`."""
    rows: Rows
    foreign: bool
    """Whether some row serves a tree that is not its own."""


@dataclasses.dataclass(slots=True)
class Plan:
    """Slots, and the trees that could fill each of them."""

    slots: list[Slot]
    trees: Rows


def _any_of(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ordered[0] if len(ordered) == 1 else f'in:{",".join(ordered)}'


def merged(slots: list[Slot]) -> Slot:
    """The slots of one group as one, for when a single provider serves them all."""
    first = slots[0]
    resources = {name: amount for slot in slots for name, amount in slot.resources.items()}
    return Slot(first.suffix, resources, first.trees, first.rows, first.foreign)


def constraints(view: View, group: RequestGroup) -> Iterator[tuple[str, Mask]]:
    """What the group asks of each provider apart from resources, and the rows that comply."""
    forest = view.forest
    if one_provider(group):
        for names in group.required:
            yield f'required {_any_of(names)}', view.with_any(view.traits, names)
    for name in sorted(group.forbidden):
        yield f'required !{name}', ~view.with_any(view.traits, [name])

    def members(names: Iterable[str]) -> Mask:
        mask = view.with_any(view.aggregates, names)
        if not group.suffix:
            mask |= mask[forest.starts[forest.tree]]
        return mask
    for names in group.member_of:
        yield f'member_of {_any_of(names)}', members(names)
    for name in sorted(group.forbidden_aggs):
        yield f'member_of !{name}', ~members([name])
    if group.in_tree is not None:
        yield f'in_tree {group.in_tree}', forest.tree == tree_of(view, group.in_tree)


def one_provider(group: RequestGroup) -> bool:
    """Whether a single provider serves the group, so that its traits are required of that one."""
    return bool(group.suffix) or len(group.resources) < 2


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


def slots(view: View, group: RequestGroup) -> Iterator[Slot]:
    """The slots of one group with everybody who could serve them."""
    common = np.ones(len(view.providers), np.bool_)
    for _, mask in constraints(view, group):
        common &= mask
    fitting = {name: _fitting(view, name, amount) for name, amount in group.resources.items()}
    if one_provider(group):
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


def tree_constraints(view: View, request: CandidateRequest,
                     parts: list[Slot]) -> Iterator[tuple[str | None, str, Mask]]:
    """What is asked of trees: (suffix or None for the whole request, constraint, the trees that comply)."""
    forest = view.forest
    for slot in parts:
        classes = ','.join(f'{name}:{amount}' for name, amount in slot.resources.items())
        yield slot.suffix, f'tree has {classes or "a provider"}', _present(view, slot.trees)
    for group in request.groups:
        if group.suffix:
            continue
        if group.in_tree is not None:
            yield '', f'in_tree {group.in_tree}', np.arange(len(forest)) == tree_of(view, group.in_tree)
        if not one_provider(group):
            mine = [slot for slot in parts if not slot.suffix]
            rows, trees = (np.concatenate([getattr(slot, part) for slot in mine]) for part in ('rows', 'trees'))
            for names in group.required:
                having = view.with_any(view.traits, names)[rows]
                yield '', f'required {_any_of(names)}', _present(view, trees[having])
    roots = forest.starts[:-1]
    for name in sorted(request.root_required):
        yield None, f'root_required {name}', view.with_any(view.traits, [name])[roots]
    for name in sorted(request.root_forbidden):
        yield None, f'root_required !{name}', ~view.with_any(view.traits, [name])[roots]


def _present(view: View, trees: Rows) -> Mask:
    mask = np.zeros(len(view.forest), np.bool_)
    mask[trees] = True
    return mask


def plan(view: View, request: CandidateRequest) -> Plan:
    """Narrow every group, then the trees."""
    parts = [slot for group in request.groups for slot in slots(view, group)]
    viable = np.ones(len(view.forest), np.bool_)
    for _, _, mask in tree_constraints(view, request, parts):
        viable &= mask
    return Plan(parts, np.flatnonzero(viable))
