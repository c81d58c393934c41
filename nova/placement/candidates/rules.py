"""The rules that span slots: isolation, shared capacity, subtrees, traits that a group has together."""

from nova.placement.candidates.budget import Budget
from nova.placement.candidates.matching import matches
from nova.placement.candidates.request import CandidateRequest
from nova.placement.candidates.slot import Slot, loads
from nova.placement.candidates.view import View

Options = list[list[int]]
"""For every slot, the rows that may serve it."""


class Rules:
    """What the rows chosen for different slots must comply with together.

    Attributes:
        one_per_root: whether all providers must have different roots, as before nesting.
        isolated: by slot, whether it shares its row with no other such slot.
        loads: by slot, the (class, amount) that other slots ask for too.
        largest_first: by slot, a key that sorts those with larger loads to the front.
        subtrees: for each same_subtree, its slots.
        required: sets of traits that the rows of the group without suffix meet together.
        binding: whether isolation or shared capacity can make a choice impossible.
    """

    def __init__(self, view: View, request: CandidateRequest, slots: list[Slot]) -> None:
        self.view = view
        self.slots = slots
        self.one_per_root = not request.nested
        self.isolated = [bool(slot.suffix) and request.group_policy == 'isolate' for slot in slots]
        tied = dict.fromkeys(names for names in request.same_subtree if len(names) > 1)
        self.subtrees = [[index for index, slot in enumerate(slots) if slot.suffix in names] for names in tied]
        split = [group for group in request.groups if not group.one_provider]
        self.required = split[0].required if split else []
        self.loads = loads(slots)
        self.largest_first = [[-amount for _, amount in load] for load in self.loads]
        self.contended = sorted({name for load in self.loads for name, _ in load})
        self.binding = sum(self.isolated) > 1 or bool(self.contended)
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
            item = self.view.providers[row].inventories.get(name)
            room = self._room[key] = 0 if item is None else min(item.capacity - item.used, item.max_unit)
        return room

    def possible(self, options: Options, rest: list[int], taken: dict[int, int],
                 load: dict[tuple[int, str], int], budget: Budget) -> bool:
        """Whether the slots of `rest` could find rows, judged by isolation and by each class alone.

        Exact for isolation alone, and for one class of which all ask for the same amount; else it may say yes
        where there is nothing.

        Args:
            taken: rows that isolated slots have already.
            load: what placed slots take already, by row and class.
        """
        alone = [slot for slot in rest if self.isolated[slot]]
        free = [[row for row in options[slot] if row not in taken] for slot in alone]
        if len(alone) > 1 and not matches(free, {}, budget):
            return False
        asking: dict[str, dict[int, int]] = {}
        for slot in rest:
            for name, amount in self.loads[slot]:
                asking.setdefault(name, {})[slot] = amount
        for name, amounts in asking.items():
            left = {row: self.room(row, name) - load.get((row, name), 0)
                    for slot in amounts for row in options[slot]}
            budget.spend(len(left))
            if sum(amounts.values()) > sum(left.values()):
                return False
            # Whoever asks for so much or more: no row has place for more of them than this often so much.
            for least in set(amounts.values()):
                large = [[row for row in options[slot] if left[row] >= amount]
                         for slot, amount in amounts.items() if amount >= least]
                if not matches(large, {row: room // least for row, room in left.items()}, budget):
                    return False
        return True
