"""From slots to candidates: one provider for every slot of a tree, as many as are wanted and no more.

Picks are found one by one (see walk.py), so that the work is that of the picks asked for, not of all there are.
Trees with eight devices for eight groups have tens of thousands of picks; ten cost ten. What a request can make
us try in vain has a bound (see budget.py).
"""

import itertools
import random
from collections import deque
from collections.abc import Iterator

import numpy as np

from nova.placement.candidates.budget import PATIENCE, Budget, CutShort
from nova.placement.candidates.firsts import first_picks
from nova.placement.candidates.narrow import Plan
from nova.placement.candidates.request import CandidateRequest
from nova.placement.candidates.rules import Rules
from nova.placement.candidates.view import Rows, View
from nova.placement.candidates.walk import Pick, walk

_TREES_AT_ONCE = 256


class Combiner:
    """The picks of one request.

    Attributes:
        budget: what the search has cost beyond the vector operations.
        cut_short: whether it ended before it had seen everything, because of what it had cost.
    """

    def __init__(self, view: View, request: CandidateRequest, plan: Plan,
                 shuffler: random.Random | None = None, patience: int = PATIENCE) -> None:
        self.view = view
        self.rules = Rules(view, request, plan.slots)
        self.budget = Budget(patience)
        self.cut_short = False
        self._plan = plan
        self._slots = plan.slots
        self._trees = plan.trees
        self._shuffler = shuffler

    def uniform(self) -> Rows | None:
        """Rows that each serve all slots alone, when every pick is like that; else None.

        The common case, a flat cloud and one group, which needs no walk.
        """
        first, *others = self._slots
        if any(slot.foreign for slot in self._slots) or len({slot.suffix for slot in self._slots}) > 1:
            return None
        viable = np.zeros(len(self.view.forest), np.bool_)
        viable[self._trees] = True
        rows = first.rows[viable[first.trees]]
        for slot in others:
            if len(rows) != len(self._trees) or not np.array_equal(slot.rows[viable[slot.trees]], rows):
                return None
        for names in self.rules.required:
            rows = rows[self.view.with_any(self.view.traits, names)[rows]]
        return rows

    def alone(self, rows: Rows, wanted: int | None, spread: bool) -> list[Pick]:
        """Picks of one row each, in the order of `picks`."""
        if self._shuffler is not None:
            chosen = rows.tolist()
            wanted = len(chosen) if wanted is None else min(wanted, len(chosen))
            return [(row,) for row in self._shuffler.sample(chosen, wanted)]
        if spread and (wanted is None or wanted < len(rows)):
            trees = self.view.forest.tree[rows]
            turn = np.arange(len(rows)) - np.searchsorted(trees, trees)
            rows = rows[np.argsort(turn, kind='stable')]
        return [(row,) for row in rows[:wanted].tolist()]

    def picks(self, wanted: int | None, spread: bool) -> list[Pick]:
        """Up to `wanted` different picks.

        Args:
            spread: one from each tree in turn, rather than all of a tree before the next.
        """
        if spread and wanted is not None and self._shuffler is None:
            firsts = first_picks(self.rules, self._plan, wanted)
            if firsts is not None:
                return firsts
        found: list[Pick] = []
        every = self._different(self._in_turn() if spread else itertools.chain.from_iterable(self._walks()))
        try:
            for pick in itertools.islice(every, wanted):
                found.append(pick)
                self.budget.found()
        except CutShort:
            self.cut_short = True
        if self._shuffler is not None:
            self._shuffler.shuffle(found)
        return found

    def _in_turn(self) -> Iterator[Pick | None]:
        """A pick from each walk in turn; one that has found nothing for a while has its turn later."""
        waiting: deque[Iterator[Pick | None]] = deque()
        for some in self._walks():
            for pick in itertools.islice(some, 1):
                waiting.append(some)
                yield pick
        while waiting:
            some = waiting.popleft()
            for pick in itertools.islice(some, 1):
                waiting.append(some)
                yield pick

    def _different(self, every: Iterator[Pick | None]) -> Iterator[Pick]:
        """A pick of sharing providers only turns up in each tree they serve; it is wanted once."""
        served = self.view.served
        doubled = all(slot.foreign for slot in self._slots)
        seen: set[Pick] = set()
        for pick in every:
            if pick is None:
                continue
            if doubled and all(row in served for row in pick):
                if pick in seen:
                    continue
                seen.add(pick)
            yield pick

    def _walks(self) -> Iterator[Iterator[Pick | None]]:
        """A walk for each tree; one for all those that have nothing but the same sharing providers."""
        trees = self._trees
        doubled = all(slot.foreign for slot in self._slots)
        begun: set[tuple[tuple[int, ...], ...]] = set()
        if self._shuffler is not None:
            trees = np.array(self._shuffler.sample(trees.tolist(), len(trees)), np.int64)
        for start in range(0, len(trees), _TREES_AT_ONCE):
            some = trees[start:start + _TREES_AT_ONCE]
            bounds = [(np.searchsorted(slot.trees, some, 'left').tolist(),
                       np.searchsorted(slot.trees, some, 'right').tolist()) for slot in self._slots]
            for index in range(len(some)):
                options = [slot.rows[low[index]:high[index]].tolist()
                           for slot, (low, high) in zip(self._slots, bounds, strict=True)]
                if doubled:
                    key = tuple(map(tuple, options))
                    if key in begun:
                        continue
                    begun.add(key)
                if self._shuffler is not None:
                    for rows in options:
                        self._shuffler.shuffle(rows)
                yield walk(self.rules, options, self.budget)
