"""One immutable state of all providers, laid out for searching.

Providers are rows, numbered so that a tree, and every subtree, is a contiguous range that begins with its top.
Everything that a search asks is an array over rows, so that a cloud of ten thousand hosts is a handful of
vector operations: columns per resource class (only the rows that have it), sorted row lists per trait and per
aggregate.
"""

import dataclasses
import functools
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

SHARING = 'MISC_SHARES_VIA_AGGREGATE'
"""Trait of a provider that serves every tree with a member in one of its aggregates."""

Rows = npt.NDArray[np.signedinteger]  # type: ignore[explicit-any]  # of whichever width
Mask = npt.NDArray[np.bool_]

NO_ROWS: Rows = np.empty(0, np.int32)
_CEILING = 2 ** 62
"""Capacities beyond this (absurd ratios) are compared as this; what is shown stays exact."""


class Inventory(NamedTuple):
    """What one provider has of one class; `capacity` is after reservation and ratio."""

    capacity: int
    used: int
    min_unit: int
    max_unit: int
    step_size: int


@dataclasses.dataclass(slots=True, eq=False)
class Provider:
    """One provider as a search sees it. Never changed after loading, but for the cache of its JSON."""

    id: int
    uuid: str
    version: int
    root_id: int
    parent_id: int | None
    inventories: dict[str, Inventory]
    traits: tuple[str, ...]
    aggregates: frozenset[str]
    rendered: dict[bool, str] = dataclasses.field(default_factory=dict)
    """Its summary as JSON, by whether it names parent and root (see result.py)."""


class Column:
    """One resource class: which rows have it, and how much is free there."""

    __slots__ = ('rows', 'free', 'limits')

    def __init__(self, rows: Rows, free: npt.NDArray[np.int64], limits: npt.NDArray[np.int64]) -> None:
        self.rows = rows
        self.free = free
        self.limits = limits
        """Shape (3, rows): min_unit, max_unit, step_size."""

    @classmethod
    def of(cls, cells: list[tuple[int, Inventory]]) -> Self:
        rows = np.fromiter((row for row, _ in cells), np.int32, len(cells))
        free = np.fromiter((_free(item) for _, item in cells), np.int64, len(cells))
        limits = np.array([item[2:] for _, item in cells], np.int64).reshape(len(cells), 3).T.copy()
        order = np.argsort(rows, kind='stable')
        return cls(rows[order], free[order], limits[:, order])

    def after(self, changes: dict[int, Inventory | None]) -> 'Column':
        """A column in which these rows have changed; None where the row no longer has the class."""
        keep = ~np.isin(self.rows, list(changes))
        here = [(row, item) for row, item in changes.items() if item is not None]
        if len(here) == len(changes) == len(keep) - np.count_nonzero(keep):
            at = np.searchsorted(self.rows, [row for row, _ in here])
            free, limits = self.free.copy(), self.limits.copy()
            free[at] = [_free(item) for _, item in here]
            limits[:, at] = np.array([item[2:] for _, item in here], np.int64).T
            return Column(self.rows, free, limits)
        new = Column.of(here)
        rows = np.concatenate((self.rows[keep], new.rows))
        order = np.argsort(rows, kind='stable')
        return Column(rows[order], np.concatenate((self.free[keep], new.free))[order],
                      np.concatenate((self.limits[:, keep], new.limits), axis=1)[:, order])

    def checks(self, amount: int) -> dict[str, Mask]:
        """Over `rows`: what would let a provider give `amount` in one piece."""
        least, most, step = self.limits
        return {'unit limits': (least <= amount) & (most >= amount) & (amount % step == 0),
                'free capacity': self.free >= min(amount, _CEILING)}

    def nbytes(self) -> int:
        return self.rows.nbytes + self.free.nbytes + self.limits.nbytes


def _free(item: Inventory) -> int:
    return max(min(item.capacity, _CEILING) - item.used, -1)


@dataclasses.dataclass(slots=True)
class Forest:
    """Which rows form a tree; the same object as long as no provider comes, goes or moves."""

    tree: Rows
    """Tree number of each row."""
    starts: Rows
    """First row, the root, of each tree; one more entry closes the last."""
    ends: Rows
    """One past the last row of the subtree of each row."""
    parents: list[int]
    """Parent row of each row, -1 for roots."""
    uuids: dict[str, int]
    """Row of a provider uuid."""

    @classmethod
    def of(cls, providers: list[Provider], rows: dict[int, int]) -> Self:
        roots = np.fromiter((p.root_id for p in providers), np.int64, len(providers))
        first = np.flatnonzero(np.diff(roots, prepend=-1))
        tree = np.zeros(len(providers), np.int32)
        tree[first[1:]] = 1
        starts = np.append(first, len(providers)).astype(np.int32)
        parents = [-1 if p.parent_id is None else rows[p.parent_id] for p in providers]
        ends = list(range(1, len(providers) + 1))
        for row in range(len(providers) - 1, -1, -1):
            parent = parents[row]
            if parent >= 0 and ends[parent] < ends[row]:
                ends[parent] = ends[row]
        uuids = {provider.uuid: row for row, provider in enumerate(providers)}
        return cls(np.cumsum(tree, dtype=np.int32), starts, np.array(ends, np.int32), parents, uuids)

    def __len__(self) -> int:
        """Number of trees."""
        return len(self.starts) - 1


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """All providers at one moment.

    Attributes:
        providers: by row.
        rows: row of a provider id.
        ids, versions: by row, to find out what changed.
        forest: the trees.
        columns: by resource class.
        traits, aggregates: sorted rows by trait name, by aggregate uuid.
    """

    providers: list[Provider]
    rows: dict[int, int]
    ids: npt.NDArray[np.int64]
    versions: npt.NDArray[np.int64]
    forest: Forest
    columns: dict[str, Column]
    traits: dict[str, Rows]
    aggregates: dict[str, Rows]

    @classmethod
    def of(cls, providers: Iterable[Provider]) -> 'View':
        """Lay out these providers from nothing."""
        ordered = _preorder(providers)
        rows = {provider.id: row for row, provider in enumerate(ordered)}
        cells: dict[str, list[tuple[int, Inventory]]] = {}
        traits: dict[str, list[int]] = {}
        aggregates: dict[str, list[int]] = {}
        for row, provider in enumerate(ordered):
            for name, item in provider.inventories.items():
                cells.setdefault(name, []).append((row, item))
            for name in provider.traits:
                traits.setdefault(name, []).append(row)
            for name in provider.aggregates:
                aggregates.setdefault(name, []).append(row)
        return cls(
            providers=ordered, rows=rows, forest=Forest.of(ordered, rows),
            ids=np.fromiter((p.id for p in ordered), np.int64, len(ordered)),
            versions=np.fromiter((p.version for p in ordered), np.int64, len(ordered)),
            columns={name: Column.of(found) for name, found in cells.items()},
            traits={name: np.array(found, np.int32) for name, found in traits.items()},
            aggregates={name: np.array(found, np.int32) for name, found in aggregates.items()})

    def after(self, changed: list[Provider], gone: Collection[int]) -> 'View':
        """The next View: `changed` replace their namesakes or join, the ids in `gone` leave.

        Cheap while trees stay as they are: only the columns and row lists that a change touches are copied.
        """
        if gone or any(self._moved(provider) for provider in changed):
            replaced = {provider.id for provider in changed} | set(gone)
            return View.of([p for p in self.providers if p.id not in replaced] + changed)
        providers, versions = list(self.providers), self.versions.copy()
        cells: dict[str, dict[int, Inventory | None]] = {}
        tags: dict[str, dict[int, bool]] = {}
        members: dict[str, dict[int, bool]] = {}
        for new in changed:
            row = self.rows[new.id]
            old, providers[row], versions[row] = providers[row], new, new.version
            for name in old.inventories.keys() | new.inventories.keys():
                if old.inventories.get(name) != new.inventories.get(name):
                    cells.setdefault(name, {})[row] = new.inventories.get(name)
            for name in set(old.traits) ^ set(new.traits):
                tags.setdefault(name, {})[row] = name in new.traits
            for name in old.aggregates ^ new.aggregates:
                members.setdefault(name, {})[row] = name in new.aggregates
        columns = dict(self.columns)
        for name, edit in cells.items():
            columns[name] = columns.get(name, Column.of([])).after(edit)
        return View(providers=providers, rows=self.rows, ids=self.ids, versions=versions, forest=self.forest,
                    columns=columns, traits=_edited(self.traits, tags),
                    aggregates=_edited(self.aggregates, members))

    def _moved(self, new: Provider) -> bool:
        row = self.rows.get(new.id)
        if row is None:
            return True
        old = self.providers[row]
        return (old.root_id, old.parent_id) != (new.root_id, new.parent_id)

    @functools.cached_property
    def served(self) -> dict[int, Rows]:
        """Row of each sharing provider -> the trees that it serves besides its own."""
        tree = self.forest.tree
        found = {}
        for row in self.traits.get(SHARING, NO_ROWS).tolist():
            lists = [self.aggregates[name] for name in self.providers[row].aggregates]
            trees = np.unique(tree[np.concatenate(lists)]) if lists else NO_ROWS
            found[row] = trees[trees != tree[row]]
        return found

    def mask(self, rows: Rows) -> Mask:
        """Rows as a mask over all rows."""
        mask = np.zeros(len(self.providers), np.bool_)
        mask[rows] = True
        return mask

    def with_any(self, lists: dict[str, Rows], names: Iterable[str]) -> Mask:
        """Mask of the rows that have at least one of these traits or aggregates."""
        mask = np.zeros(len(self.providers), np.bool_)
        for name in names:
            if name in lists:
                mask[lists[name]] = True
        return mask

    def memory(self) -> dict[str, int]:
        """Counts of rows, and bytes held by the arrays and by cached JSON."""
        lists = [*self.traits.values(), *self.aggregates.values()]
        forest = self.forest
        return {
            'providers': len(self.providers), 'trees': len(forest),
            'inventories': sum(len(column.rows) for column in self.columns.values()),
            'traits': sum(map(len, self.traits.values())),
            'aggregates': sum(map(len, self.aggregates.values())),
            'array_bytes': sum(column.nbytes() for column in self.columns.values())
            + sum(rows.nbytes for rows in lists)
            + sum(array.nbytes for array in (forest.tree, forest.starts, forest.ends, self.ids, self.versions)),
            'json_bytes': sum(len(text) for p in self.providers for text in p.rendered.values()),
        }


def _preorder(providers: Iterable[Provider]) -> list[Provider]:
    """Tree by tree, each provider before its children, all below one child before the next; oldest first."""
    below: dict[int | None, list[Provider]] = {}
    for provider in sorted(providers, key=lambda p: p.id, reverse=True):
        below.setdefault(provider.parent_id, []).append(provider)
    waiting, ordered = below.get(None, []), []
    while waiting:
        provider = waiting.pop()
        ordered.append(provider)
        waiting.extend(below.get(provider.id, ()))
    return ordered


def _edited(lists: dict[str, Rows], edits: dict[str, dict[int, bool]]) -> dict[str, Rows]:
    """Row lists with rows put in (True) or taken out."""
    if not edits:
        return lists
    result = dict(lists)
    for name, edit in edits.items():
        rows = result.get(name, NO_ROWS)
        rows = rows[~np.isin(rows, list(edit))]
        put = np.array([row for row, present in edit.items() if present], np.int32)
        result[name] = np.sort(np.concatenate((rows, put)))
    return result
