"""All picks in one tree, lazily: first the top of each same_subtree, then a row for every slot.

The rule of same_subtree is that one of the chosen rows is above or equal to the others. That row is unique, so
the walk fixes it first: what remains is the same question among fewer rows and without ancestry, and whether
it has an answer can be judged by matching before anything is tried. Rows are tried slot by slot, and a choice
is dropped at once when it breaks a rule. Below the first dead end, matching judges every further choice, and
states that led to nothing are remembered, so that equal devices are not tried in every order.
"""

import itertools
from collections.abc import Iterable, Iterator

from nova.placement.candidates.budget import Budget
from nova.placement.candidates.rules import Options, Rules

Pick = tuple[int, ...]
"""The row that serves each slot."""

SLICE = 2_000
"""Units of work in vain after which a walk lets others have their turn."""


def walk(rules: Rules, options: Options, budget: Budget) -> Iterator[Pick | None]:
    """Every pick once; None when it has looked for long and found nothing yet."""
    pending = [iter([options])]
    pause = budget.spent + SLICE
    while pending:
        if budget.spent > pause:
            yield None
            pause = budget.spent + SLICE
        some = next(pending[-1], None)
        if some is None:
            pending.pop()
        elif rules.binding and not rules.possible(some, list(range(len(some))), {}, {}, budget):
            continue
        elif len(pending) <= len(rules.subtrees):
            pending.append(_below_a_top(rules, some, rules.subtrees[len(pending) - 1], budget))
        else:
            yield from _Assignment(rules, some, budget)


def _below_a_top(rules: Rules, options: Options, members: list[int], budget: Budget) -> Iterator[Options]:
    """Options narrowed to each subtree in turn; the first member on its top is fixed: no pick comes twice."""
    ends = rules.view.forest.ends
    below = [options[slot] for slot in members]
    work = sum(map(len, below))
    for top in dict.fromkeys(itertools.chain.from_iterable(below)):
        budget.spend(work)
        end = ends.item(top)
        inside = {}
        for slot, rows in zip(members, below, strict=True):
            here = [row for row in rows if top <= row < end]
            if not here:
                break
            inside[slot] = here
        else:
            yield from _topped(options, inside, top)


def _topped(options: Options, inside: dict[int, list[int]], top: int) -> Iterator[Options]:
    """Options with the members inside a subtree, and one of them on its top: no earlier member is there too."""
    for slot in inside:
        if top in inside[slot]:
            narrowed = list(options)
            for other, rows in inside.items():
                narrowed[other] = rows
            narrowed[slot] = [top]
            yield narrowed
            inside[slot] = [row for row in inside[slot] if row != top]
            if not inside[slot]:
                break


class _Assignment:
    """A row for every slot, by depth-first search over the slots, those with fewest options first."""

    __slots__ = ('_rules', '_options', '_budget', '_order', '_chosen', '_taken', '_load', '_met', '_later_met',
                 '_stuck', '_barren', '_ahead')

    def __init__(self, rules: Rules, options: Options, budget: Budget) -> None:
        self._rules = rules
        self._options = options
        self._budget = budget
        keys = [*zip(map(len, options), rules.largest_first, strict=True)]
        self._order = sorted(range(len(options)), key=keys.__getitem__)
        self._chosen = [-1] * len(options)
        self._taken: dict[int, int] = {}
        self._load: dict[tuple[int, str], int] = {}
        self._met = [0] * (len(options) + 1)
        self._later_met = self._traits_ahead() if rules.required else []
        self._stuck = False
        self._barren: set[tuple] = set()
        self._ahead: dict[int, list[tuple[int, int]]] = {}

    def _traits_ahead(self) -> list[int]:
        ahead = [0]
        for slot in reversed(self._order):
            bits = ahead[-1]
            if not self._rules.slots[slot].suffix:
                for row in self._options[slot]:
                    bits |= self._rules.met(row)
            ahead.append(bits)
        return ahead[::-1]

    def __iter__(self) -> Iterator[Pick | None]:
        order, chosen, budget = self._order, self._chosen, self._budget
        rows: list[Iterator[int]] = [iter(self._options[order[0]])]
        fruitful, judged = [False], [True]
        pause = budget.spent + SLICE
        while rows:
            depth = len(rows) - 1
            slot = order[depth]
            if chosen[slot] >= 0:
                self._lift(slot)
                if self._stuck and not judged[depth] and not fruitful[depth]:
                    judged[depth] = True
                    if not self._promising(depth):
                        rows[depth] = iter(())
            if not self._next(depth, rows[depth]):
                if not fruitful[depth]:
                    self._stuck = True
                    self._barren.add(self._state(depth))
                for stack in (rows, fruitful, judged):
                    stack.pop()
            elif depth + 1 == len(order):
                fruitful[:] = [True] * len(order)
                yield tuple(chosen)
                pause = budget.spent + SLICE
            elif not self._stuck or self._promising(depth + 1):
                rows.append(iter(self._options[order[depth + 1]]))
                fruitful.append(False)
                judged.append(self._stuck)
            if budget.spent > pause:
                yield None
                pause = budget.spent + SLICE

    def _next(self, depth: int, rows: Iterable[int]) -> bool:
        """Place the next row that goes into the slot of this depth; whether there was one."""
        slot, rules, budget = self._order[depth], self._rules, self._budget
        for row in rows:
            budget.tries += 1
            budget.spend(1)
            if self._later_met:
                met = self._met[depth] if rules.slots[slot].suffix else self._met[depth] | rules.met(row)
                if (met | self._later_met[depth + 1]) + 1 != 1 << len(rules.required):
                    continue
                self._met[depth + 1] = met
            if self._place(slot, row):
                return True
        return False

    def _place(self, slot: int, row: int) -> bool:
        """Put the row into the slot, unless capacity or policy speaks against it."""
        rules, load = self._rules, self._load
        if rules.isolated[slot] and row in self._taken:
            return False
        for name, amount in rules.loads[slot]:
            if load.get((row, name), 0) + amount > rules.room(row, name):
                return False
        if rules.one_per_root and not self._alone_in_tree(row):
            return False
        for name, amount in rules.loads[slot]:
            load[row, name] = load.get((row, name), 0) + amount
        if rules.isolated[slot]:
            self._taken[row] = slot
        self._chosen[slot] = row
        return True

    def _lift(self, slot: int) -> None:
        row = self._chosen[slot]
        self._chosen[slot] = -1
        if self._rules.isolated[slot]:
            del self._taken[row]
        for name, amount in self._rules.loads[slot]:
            self._load[row, name] -= amount

    def _alone_in_tree(self, row: int) -> bool:
        tree = self._rules.view.forest.tree
        mine = tree[row]
        return all(other in (-1, row) or tree[other] != mine for other in self._chosen)

    def _promising(self, depth: int) -> bool:
        """Whether the slots from `depth` on may find rows after what is placed."""
        return self._state(depth) not in self._barren and (not self._rules.binding or self._rules.possible(
            self._options, self._order[depth:], self._taken, self._load, self._budget))

    def _state(self, depth: int) -> tuple:
        """All that what remains depends on; equal where rows that are alike have changed places."""
        rules, load, taken = self._rules, self._load, self._taken
        if rules.one_per_root:
            return depth, self._met[depth], tuple(self._chosen)
        rows = self._rows_ahead(depth)
        self._budget.spend(4 * len(rows))
        return depth, self._met[depth], tuple(sorted(
            (kind, row in taken, *(load.get((row, name), 0) for name in rules.contended))
            for row, kind in rows))

    def _rows_ahead(self, depth: int) -> list[tuple[int, int]]:
        """Rows that the slots from `depth` on may take, each with a number that rows which are alike share."""
        found = self._ahead.get(depth)
        if found is None:
            rules = self._rules
            serves: dict[int, int] = {}
            for bit, slot in enumerate(self._order[depth:] if rules.binding else ()):
                for row in self._options[slot]:
                    serves[row] = serves.get(row, 0) | 1 << bit
            kinds: dict[tuple[int, ...], int] = {}
            found = self._ahead[depth] = []
            for row, bits in serves.items():
                kind = (bits, rules.met(row), *(rules.room(row, name) for name in rules.contended))
                found.append((row, kinds.setdefault(kind, len(kinds))))
            self._budget.spend(sum(len(self._options[slot]) for slot in self._order[depth:]))
        return found
