"""From slots to candidates: one provider for every slot of a tree, as many as are wanted and no more.

The search goes slot by slot, drops a choice at once when it breaks a rule that spans slots, and yields
complete picks one by one, so that the work is that of the picks asked for, not of all there are. Trees with
eight devices for eight groups have tens of thousands of picks; ten cost ten.

A blind walk can still wander long in a tree that has no pick at all (eight exclusive groups, seven devices).
So before a tree is walked, and below the first dead end in it, the groups that remain are matched against
what is left of the devices; where no matching exists there is nothing to find.
"""

import itertools
import random
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from nova.placement.candidates.narrow import Plan, one_provider
from nova.placement.candidates.request import CandidateRequest
from nova.placement.candidates.view import Rows, View

Pick = tuple[int, ...]
"""The row that serves each slot."""

_TREES_AT_ONCE = 256


class Combiner:
    """The rules of one request that span slots, and the walk over trees.

    Attributes:
        steps: placements tried so far; what a search costs beyond the vector operations.
    """

    def __init__(self, view: View, request: CandidateRequest, plan: Plan,
                 shuffler: random.Random | None = None) -> None:
        self.view = view
        self.slots = plan.slots
        self.steps = 0
        self._trees = plan.trees
        self._shuffler = shuffler
        self.one_per_root = not request.nested
        self.isolated = [bool(slot.suffix) and request.group_policy == 'isolate' for slot in self.slots]
        self.subtrees = [frozenset(index for index, slot in enumerate(self.slots) if slot.suffix in names)
                         for names in request.same_subtree]
        split = [group for group in request.groups if not one_provider(group)]
        self.required = split[0].required if split else []
        asked = [name for slot in self.slots for name in slot.resources]
        contended = {name for name in asked if asked.count(name) > 1}
        self.loads = [[(name, amount) for name, amount in slot.resources.items() if name in contended]
                      for slot in self.slots]
        self.matching = any(self.isolated) or any(self.loads)
        self._traits_met: dict[int, int] = {}
        self._room: dict[tuple[int, str], int] = {}

    def met(self, row: int) -> int:
        """Which of the required trait sets of the split group this row meets, as bits."""
        bits = self._traits_met.get(row)
        if bits is None:
            has = self.view.providers[row].traits
            bits = sum(1 << index for index, names in enumerate(self.required) if not names.isdisjoint(has))
            self._traits_met[row] = bits
        return bits

    def room(self, row: int, name: str) -> int:
        """How much of a class several slots together may take from a row."""
        key = (row, name)
        room = self._room.get(key)
        if room is None:
            item = self.view.providers[row].inventories[name]
            room = self._room[key] = min(item.capacity - item.used, item.max_unit)
        return room

    def uniform(self) -> Rows | None:
        """Rows that each serve all slots alone, when every pick is like that; else None.

        The common case, a flat cloud and one group, which needs no walk.
        """
        first, *others = self.slots
        if any(slot.foreign for slot in self.slots) or len({slot.suffix for slot in self.slots}) > 1:
            return None
        viable = np.zeros(len(self.view.forest), np.bool_)
        viable[self._trees] = True
        rows = first.rows[viable[first.trees]]
        for slot in others:
            if len(rows) != len(self._trees) or not np.array_equal(slot.rows[viable[slot.trees]], rows):
                return None
        for names in self.required:
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
        every = self._in_turn() if spread else itertools.chain.from_iterable(self._walks())
        found = list(itertools.islice(self._different(every), wanted))
        if self._shuffler is not None:
            self._shuffler.shuffle(found)
        return found

    def _in_turn(self) -> Iterator[Pick]:
        waiting: deque[Iterator[Pick]] = deque()
        for walk in self._walks():
            for pick in itertools.islice(walk, 1):
                waiting.append(walk)
                yield pick
        while waiting:
            walk = waiting.popleft()
            for pick in itertools.islice(walk, 1):
                waiting.append(walk)
                yield pick

    def _different(self, every: Iterator[Pick]) -> Iterator[Pick]:
        """A pick of sharing providers only turns up in each tree they serve; it is wanted once."""
        served = self.view.served
        if not all(slot.foreign for slot in self.slots):
            yield from every
            return
        seen: set[Pick] = set()
        for pick in every:
            if all(row in served for row in pick):
                if pick in seen:
                    continue
                seen.add(pick)
            yield pick

    def _walks(self) -> Iterator[Iterator[Pick]]:
        trees = self._trees
        if self._shuffler is not None:
            trees = np.array(self._shuffler.sample(trees.tolist(), len(trees)), np.int64)
        for start in range(0, len(trees), _TREES_AT_ONCE):
            some = trees[start:start + _TREES_AT_ONCE]
            bounds = [(np.searchsorted(slot.trees, some, 'left').tolist(),
                       np.searchsorted(slot.trees, some, 'right').tolist()) for slot in self.slots]
            for index in range(len(some)):
                options = [slot.rows[low[index]:high[index]].tolist()
                           for slot, (low, high) in zip(self.slots, bounds, strict=True)]
                if self._shuffler is not None:
                    for rows in options:
                        self._shuffler.shuffle(rows)
                yield iter(_Walk(self, options))


class _Walk:
    """All picks in one tree, lazily, by backtracking over the slots, those with fewest options first."""

    __slots__ = ('_rules', '_options', '_order', '_chosen', '_taken', '_load', '_met', '_stuck', '_lineage',
                 '_later_met')

    def __init__(self, rules: Combiner, options: list[list[int]]) -> None:
        self._rules = rules
        self._options = options
        self._order = sorted(range(len(options)), key=lambda slot: len(options[slot]))
        self._chosen = [-1] * len(options)
        self._taken: dict[int, int] = {}
        self._load: dict[tuple[int, str], int] = {}
        self._met = 0
        self._stuck = False
        self._lineage = _Lineage(rules, options) if rules.subtrees else None
        self._later_met = self._traits_ahead() if rules.required else []

    def _traits_ahead(self) -> list[int]:
        ahead = [0]
        for slot in reversed(self._order):
            bits = ahead[-1]
            if not self._rules.slots[slot].suffix:
                for row in self._options[slot]:
                    bits |= self._rules.met(row)
            ahead.append(bits)
        return ahead[::-1]

    def __iter__(self) -> Iterator[Pick]:
        if not self._rules.matching or self._matchable(0):
            yield from self._walk(0)

    def _walk(self, depth: int) -> Iterator[Pick]:
        if depth == len(self._order):
            yield tuple(self._chosen)
            return
        if self._stuck and not self._matchable(depth):
            return
        slot, rules = self._order[depth], self._rules
        met, fruitful = self._met, False
        for row in self._options[slot]:
            rules.steps += 1
            if not self._place(slot, row):
                continue
            if self._promising(slot, row, depth):
                for pick in self._walk(depth + 1):
                    fruitful = True
                    yield pick
            self._lift(slot, row)
            self._met = met
            if self._stuck and not fruitful and not self._matchable(depth):
                return
        if not fruitful:
            self._stuck = True

    def _place(self, slot: int, row: int) -> bool:
        """Put the row into the slot, unless capacity or policy speaks against it."""
        rules, taken = self._rules, self._taken
        if rules.isolated[slot] and row in taken:
            return False
        load = self._load
        for name, amount in rules.loads[slot]:
            if load.get((row, name), 0) + amount > rules.room(row, name):
                return False
        if rules.one_per_root and not self._alone_in_tree(row):
            return False
        for name, amount in rules.loads[slot]:
            load[row, name] = load.get((row, name), 0) + amount
        if rules.isolated[slot]:
            taken[row] = slot
        self._chosen[slot] = row
        return True

    def _lift(self, slot: int, row: int) -> None:
        self._chosen[slot] = -1
        if self._rules.isolated[slot]:
            del self._taken[row]
        for name, amount in self._rules.loads[slot]:
            self._load[row, name] -= amount

    def _alone_in_tree(self, row: int) -> bool:
        tree = self._rules.view.forest.tree
        mine = tree[row]
        return all(other in (-1, row) or tree[other] != mine for other in self._chosen)

    def _promising(self, slot: int, row: int, depth: int) -> bool:
        """Whether traits and subtrees can still work out with what was chosen."""
        if self._later_met:
            if not self._rules.slots[slot].suffix:
                self._met |= self._rules.met(row)
            if (self._met | self._later_met[depth + 1]) + 1 != 1 << len(self._rules.required):
                return False
        return self._lineage is None or self._lineage.possible(slot, self._chosen)

    def _matchable(self, depth: int) -> bool:
        """Whether the slots from `depth` on could find rows, judged by isolation and by each class alone."""
        rules, rest = self._rules, self._order[depth:]
        alone = [slot for slot in rest if rules.isolated[slot]]
        if len(alone) > 1 and not _match([[row for row in self._options[slot] if row not in self._taken]
                                          for slot in alone], {}):
            return False
        amounts: dict[str, dict[int, int]] = {}
        for slot in rest:
            for name, amount in rules.loads[slot]:
                amounts.setdefault(name, {})[slot] = amount
        for name, asking in amounts.items():
            if len(asking) < 2:
                continue
            left = {row: rules.room(row, name) - self._load.get((row, name), 0)
                    for slot in asking for row in self._options[slot]}
            smallest = min(asking.values())
            if not _match([[row for row in self._options[slot] if left[row] >= amount]
                           for slot, amount in asking.items()],
                          {row: room // smallest for row, room in left.items()}):
                return False
        return True


class _Lineage:
    """Ancestry in one walk, for same_subtree: one of the chosen must be above or equal to all the others.

    Rows are bits, numbered as they are met.
    """

    __slots__ = ('_parents', '_sets', '_bits', '_lines', '_options')

    def __init__(self, rules: Combiner, options: list[list[int]]) -> None:
        self._parents = rules.view.forest.parents
        self._sets = rules.subtrees
        self._bits: dict[int, int] = {}
        self._lines: dict[int, int] = {}
        self._options = {slot: sum(map(self._bit, options[slot])) for slot in frozenset().union(*self._sets)}

    def _bit(self, row: int) -> int:
        bit = self._bits.get(row)
        if bit is None:
            bit = self._bits[row] = 1 << len(self._bits)
        return bit

    def _line(self, row: int) -> int:
        """The row and everything above it."""
        line = self._lines.get(row)
        if line is None:
            line, parent = self._bit(row), self._parents[row]
            if parent >= 0:
                line |= self._line(parent)
            self._lines[row] = line
        return line

    def possible(self, slot: int, chosen: Sequence[int]) -> bool:
        """Whether every set that `slot` is in has, or can still get, a common ancestor among its own rows."""
        for members in self._sets:
            if slot not in members:
                continue
            common, own = -1, 0
            for member in members:
                row = chosen[member]
                if row < 0:
                    own |= self._options[member]
                else:
                    own |= self._bit(row)
                    common &= self._line(row)
            if not common & own:
                return False
        return True


def _match(options: list[list[int]], places: dict[int, int]) -> bool:
    """Whether each slot can have a row of its options, no row more than `places` (1 if not named) of them."""
    held: dict[int, list[int]] = {}

    def seat(slot: int, tried: set[int]) -> bool:
        for row in options[slot]:
            if row in tried:
                continue
            tried.add(row)
            sitting = held.setdefault(row, [])
            if len(sitting) < places.get(row, 1):
                sitting.append(slot)
                return True
            for index, other in enumerate(sitting):
                if seat(other, tried):
                    sitting[index] = slot
                    return True
        return False
    return all(seat(slot, set()) for slot in range(len(options)))

